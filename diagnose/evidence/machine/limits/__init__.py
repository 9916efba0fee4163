"""Upper limits of the kernel: tasks, files, keys, mounts, control groups."""
