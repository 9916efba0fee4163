"""The network: what the engine, the kernel and other machines say of it.

Here: networks, interfaces, uplinks, routes, neighbours, settings of the kernel, and the namespaces
of containers. `host_stack` is all of it as packets meet it.

Rooms, for what is found out from them:

- `calls/`  calls that fail: who makes them, to whom, and what their logs say
- `gateways/`  gateways and other neighbours: whether they are known and used
- `packet_size/`  packets that are too large for a part of their path
- `paths/`  the ways of packets, walked through routes and rules
- `proxies/`  reverse proxies and web servers, in containers and on the host
- `rules/`  the rules of packet filters, who wrote them, and which are lost
- `sockets/`  sockets and connections: who listens, who waits, what was lost
- `subnets/`  subnets and addresses: which overlap, have two owners, or are left
- `wiring/`  bridges and the interfaces on them: whose they are, and what else changes them
"""
