"""Bridges and the interfaces on them: whose they are, and what else configures or made them."""
