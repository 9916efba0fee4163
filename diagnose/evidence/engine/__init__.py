"""The engine: its process, configuration, log, sockets and data root.

Rooms:

- `daemon_json/`  what an engine refuses in its configuration file, and what mends that
- `data/`  what lies in the data root, and what hides it
- `installed/`  how this host has installed its engine
- `starting/`  what keeps an engine from starting, and how it has ended
"""
