"""Containers' logs: what grows without end, is not kept, cannot be read, or holds its writer up.

A module is named like its check. Modules with several checks:

- drivers: backpressure, driver-blocks-start, driver-unreadable
- files: file-damaged, file-missing, rotated-by-host
"""
