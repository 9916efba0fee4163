"""Logs of containers: their lines, their files, and who writes them."""
