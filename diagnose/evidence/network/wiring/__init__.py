"""Bridges and the interfaces on them: their owners, and other programs that configure them."""
