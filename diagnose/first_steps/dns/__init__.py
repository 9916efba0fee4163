"""Page variables that let a name be resolved again: by another server, or on another network.

- `dead_server_steps`  a server of the host that answers
- `lost_query_steps`  a query that is lost between a container and its server
- `forwarder_steps`  another port for the server that a DNS server asks
- `resolv_conf_steps`  a file of servers that containers can ask
- `resolver_steps`  the server that a proxy should ask
- `pinned_name_steps`  the present address of a pinned name
- `name_cures`  the way to a container whose name does not resolve
"""
