"""The data that programs keep in their mounts, and data that does not fit the program."""
