"""It runs, and does not do its work."""
