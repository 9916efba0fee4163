"""What the host's packet filter does to the traffic of containers.

A chain that is present proves nothing: each judgement here stands on a packet that was walked
through every base chain, in all tables, to its verdict.
"""

from checks.firewall import (
    bridges,
    by_host_port,
    captured,
    containers,
    engine_chains,
    forwarding,
    fronts,
    host_ports,
    inner,
    leftovers,
    masquerade,
    neighbours,
    outer,
    podman,
    port_rules,
    transit,
    without,
)

__all__ = [
    "bridges",
    "by_host_port",
    "captured",
    "containers",
    "engine_chains",
    "forwarding",
    "fronts",
    "host_ports",
    "inner",
    "leftovers",
    "masquerade",
    "neighbours",
    "outer",
    "podman",
    "port_rules",
    "transit",
    "without",
]
