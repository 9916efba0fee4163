"""File permissions of a container's user, and paths that the user was refused."""
