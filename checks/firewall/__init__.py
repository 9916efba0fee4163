"""What the host's packet filter does to the traffic of containers.

A chain that is present proves nothing: each judgement here stands on a packet that was walked
through every base chain, in all tables, to its verdict.
"""
