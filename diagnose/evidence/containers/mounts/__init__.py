"""What containers mount, and what they may do with it.

Rooms:

- `access/`  what a container's user may do with files, and what it was refused
- `certificates/`  certificates that containers read from mounted files
- `data/`  the data that programs keep in their mounts, and what does not fit it
"""
