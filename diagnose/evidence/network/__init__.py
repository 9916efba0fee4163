"""The network: what the engine, the kernel and other machines say of it.

Here: networks, interfaces, uplinks, routes, neighbours, settings of the kernel, and the namespaces
of containers. In rooms, what is found out from them: subnets, wiring, gateways, packet_size, paths,
rules, sockets, calls, proxies.
"""
