"""The built-in pack: what is known about Docker hosts, one module per family of checks.

The first part of an id is the family, and the docstring of a family says where each id is:

- `container/`  containers that do not start, do not stay, or do not work
- `daemon/`  the engine itself
- `dns/`  name resolution
- `firewall/`  what the packet filter does to the traffic of containers
- `image/`  images, pulls and registries
- `logging/`  the logs of containers
- `network/`  networks, published ports, and calls between containers
- `resources/`  memory, CPU, processes and open files
- `security/`  what a container may do to its host
- `storage/`  disks, layers and volumes
- `swarm/`  nodes, services and tasks
- `kernel`  the kernel, in one module
"""
