"""What the host's packet filter does to the traffic of containers.

A chain that is present proves nothing: each judgement here stands on a packet that was walked
through every base chain, in all tables, to its verdict.

Rooms:

- `translation/`  the translation of addresses, on the way in and on the way out
- `published/`  published ports: who may reach them, and who does all the same
- `dropped/`  traffic that rules drop: of containers, of networks, of the host itself

Whether the engine's own chains are there, and whether the kernel forwards, stands above the rooms.

A module is named like its check. Modules with several checks:

- dropped/inner: between-containers, input-dropped
- dropped/transit: bridge-filter-off, forward-dropped
- published/fronts: backend-mixed, bypassed-by-publish
- published/limits: direct-access-dropped, limit-exceeded
"""
