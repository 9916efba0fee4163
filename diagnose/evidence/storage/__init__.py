"""Storage: file systems, mounts, volumes and what takes up disk space."""
