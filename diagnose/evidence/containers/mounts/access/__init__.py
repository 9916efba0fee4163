"""What a container's user may do with files, and what it was refused."""
