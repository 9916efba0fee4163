"""Data lies outside the mounts that should keep it, is in use, old or left behind."""
