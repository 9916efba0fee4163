"""Page variables that let a call, a published port, or a route of a proxy reach its target again.

- `unanswered_call_steps`  a call that gets no answer, by where it is lost
- `lacks_of_callers`  what a container or its host lacks, so that its calls fail
- `gateway_reasons`  a silent gateway of macvlan or ipvlan
- `packet_size_steps`  the packet size that fits, and where it is set
- `network_steps`  a network that a container joins again, or that gets IPv6
- `loopback_cures`  what a call to localhost means, a container or the host
- `peer_port_steps`  the port at which the other container listens
- `unserved_ports`  a published port at which nobody reaches a program
- `port_holders`  how a port is freed, by who holds it
- `route_cures`  what a proxy's route to a container lacks
- `host_proxy_steps`  a proxy of the host that does not reach its server
- `cluster_steps`  the servers of a cluster that have other addresses
- `interface_steps`  an interface that another program has taken
- `untranslated_steps`  the rule that translates answers
- `nginx_edits`  what changes a file of nginx
- `rule_cures`  where a rule goes that lets packets pass
"""
