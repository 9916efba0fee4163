"""What it calls refuses the call, or is not there."""
