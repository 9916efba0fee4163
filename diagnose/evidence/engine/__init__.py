"""The engine: its process, configuration, log, sockets and data root.

Rooms:

- `daemon_json/`  settings that an engine refuses in its configuration file, and corrections
- `data/`  contents of the data root, and mounts that hide them
- `installed/`  the installation of the engine on this host
- `starting/`  obstacles to an engine's start, and ends of engines
"""
