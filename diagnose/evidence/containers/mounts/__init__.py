"""Mounts of containers, and the rights of their users in them.

Rooms:

- `access/`  file permissions of a container's user, and paths that were refused
- `certificates/`  certificates that containers read from mounted files
- `data/`  the data that programs keep in their mounts, and what does not fit it
"""
