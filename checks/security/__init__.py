"""What a container may do to its host, and what it gives away.

Warnings where a break-out needs no flaw, else advice.
"""
