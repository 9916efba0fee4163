"""What the host, the kernel or an option withholds: files, rights, limits."""
