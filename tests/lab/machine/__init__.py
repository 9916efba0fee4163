"""A whole machine under software emulation, for what a box cannot have."""
