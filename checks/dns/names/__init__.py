"""A name that does not resolve, or leads elsewhere than its caller means."""
