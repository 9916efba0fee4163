"""The data that programs keep in their mounts, and what does not fit it."""
