"""Logs of containers: their lines, their files, and the processes that write them.

In the room `own_files/`: log files that programs and their keepers write themselves.
"""
