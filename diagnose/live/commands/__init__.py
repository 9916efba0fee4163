"""Questions that are answered by a command of the host."""
