"""The engine itself: alive or not and why, its configuration, its doors, its age.

A module is named like its check. Modules with several checks:

- client: client-context-dead, client-plugin-broken
- configuration: config-flag-conflict, config-invalid, config-not-applied
- containerd: containerd-down, containerd-hung
- data_root: containers-hidden, data-root-covered, temp-folder-missing, wrong-data-root
- databases: database-damaged, database-locked
- failed_starts: stale-pidfile, start-limit-hit, storage-driver-failed
- posture: debug-on, engine-outdated, live-restore-off
- settings: runtime-missing, ulimits-unnamed
"""
