"""Questions that /proc, the cgroup file systems and the kernel log answer."""
