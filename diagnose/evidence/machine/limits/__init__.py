"""What the kernel allows at most: tasks, files, keys, mounts, control groups."""
