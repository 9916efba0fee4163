"""Frozen typed views of answers.

One module for each kind of evidence: the type, and the function that collects it. `grep -rn "class
DaemonConfig" diagnose/evidence` finds a type; `items` has the two forms that most of them have.

Rooms:

- `containers/`  what containers are, how they were configured, how they end, what their logs say
- `engine/`  the engine: its process, configuration, log, sockets and data root
- `images/`  images, their layers, pulls, builds and registries
- `storage/`  file systems, disks, mounts and volumes
- `network/`  networks, interfaces, routes, rules of the packet filter, calls and proxies
- `dns/`  servers and queries, and the names that containers call
- `swarm/`  this node, and the services and tasks of a manager
- `machine/`  the machine below the engine: clock, kernel log, processes, limits
- `run/`  the run itself: what the user asked for, and the head of the report
"""
