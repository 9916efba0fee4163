"""Compose files, read and compared in a worker of the helper process."""
