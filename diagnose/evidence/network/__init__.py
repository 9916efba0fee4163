"""The network: networks of the engine, the kernel's state, and other machines.

Here: networks, interfaces, uplinks, routes, neighbours, settings of the kernel, and the namespaces
of containers. `host_stack` is all of it in the order of a packet's path.

Rooms, for conclusions from them:

- `calls/`  calls that fail: their callers, their targets, and lines of logs
- `gateways/`  gateways and other neighbours: whether they are known and used
- `packet_size/`  packets that are too large for a part of their path
- `paths/`  paths of packets, traced through routes and rules
- `proxies/`  reverse proxies and web servers, in containers and on the host
- `rules/`  the rules of packet filters, their writers, and lost rules
- `sockets/`  sockets and connections: listeners, waiting clients, losses
- `subnets/`  subnets and addresses: overlaps, duplicates, and free ones
- `wiring/`  bridges and the interfaces on them: their owners, and other programs that change them
"""
