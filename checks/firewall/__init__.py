"""The host's packet filter, and its effect on the traffic of containers.

A chain that is present proves nothing: each judgement here rests on a packet that was walked
through every base chain, in all tables, to its verdict.

Rooms:

- `translation/`  the translation of addresses, on the way in and on the way out
- `published/`  published ports: clients that cannot reach them, and clients that should not
- `dropped/`  traffic that rules drop: of containers, of networks, of the host itself

The modules above the rooms judge the engine's own chains, and the kernel's forwarding.

A module is named like its check. Modules with several checks:

- dropped/inner: between-containers, input-dropped
- dropped/transit: bridge-filter-off, forward-dropped
- published/fronts: backend-mixed, bypassed-by-publish
- published/limits: direct-access-dropped, limit-exceeded
"""
