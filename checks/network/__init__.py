"""Networks, published ports, and what lies between a container and its peers.

Rooms:

- `ports/`  published ports, and the clients that call them
- `calls/`  the calls of containers, and where they lead
- `interfaces/`  bridges, interfaces, subnets and addresses of networks
- `packets/`  packets and connections that the kernel drops or forgets

A module is named like its check. Modules with several checks:

- calls/peers: peer-address-stale, peer-on-other-network
- calls/proxy_variables: proxy-on-loopback, proxy-takes-neighbours
- calls/untold_programs: host-name-refused, http-version-refused, https-not-passed-on,
  upgrade-not-passed-on
- interfaces/address_pools: address-pools-exhausted, subnet-exhausted
- interfaces/bridges: bridge-down, bridge-leaked
- interfaces/miswired: mac-duplicate, macvlan-host-unreachable, parent-down, published-on-internal
- interfaces/parent_interfaces: parent-in-use, parent-subnet-foreign
- packets/full_tables: conntrack-full, neighbour-table-full
- packets/sockets: accept-queue-full, connections-left-open, datagrams-dropped,
  local-ports-exhausted
- ports/host_ports: bind-address-missing, host-port-conflict, port-held-by-process
- ports/unpublished: port-not-published, published-on-loopback
"""
