"""What the host's packet filter does to the traffic of containers.

A chain that is present proves nothing: each judgement here stands on a packet that was walked
through every base chain, in all tables, to its verdict.

A module is named like its check. Modules with several checks:

- fronts: backend-mixed, bypassed-by-publish
- inner: between-containers, input-dropped
- limits: direct-access-dropped, limit-exceeded
- transit: bridge-filter-off, forward-dropped
"""
