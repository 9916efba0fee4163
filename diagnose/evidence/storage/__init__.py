"""Storage: file systems, their disks and their mounts.

Rooms:

- `usage/`  what fills a disk, how fast, and what of it may go
- `volumes/`  volumes and mounted folders that were left, replaced, refused or changed
"""
