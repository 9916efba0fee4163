"""The engine itself: alive or not and why, its configuration, its doors, its age.

Rooms:

- `starting/`  what keeps it from starting: its configuration, its data, a kernel without a module
- `clients/`  clients that are kept out, and those that should be

A module is named like its check. Modules with several checks:

- clients/client: client-context-dead, client-plugin-broken
- containerd: containerd-down, containerd-hung
- data_root: containers-hidden, data-root-covered, temp-folder-missing, wrong-data-root
- posture: debug-on, engine-outdated, live-restore-off
- settings: runtime-missing, ulimits-unnamed
- starting/configuration: config-flag-conflict, config-invalid, config-not-applied
- starting/databases: database-damaged, database-locked
- starting/failed_starts: stale-pidfile, start-limit-hit, storage-driver-failed
"""
