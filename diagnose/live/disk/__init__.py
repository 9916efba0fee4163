"""Questions about files, answered by a helper process because they may block in the kernel."""
