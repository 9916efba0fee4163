"""Containers' logs: what grows without end, is not kept, cannot be read, or holds its writer up.

One module per topic:

- drivers: driver-blocks-start, driver-unreadable, backpressure
- files: file-missing, rotated-by-host, file-damaged
- growth: unbounded
- options: opts-not-applied
"""
