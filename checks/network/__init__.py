"""Networks, published ports, and what lies between a container and its peers."""

from checks.network import (
    attachment,
    bridges,
    default_route,
    host_services,
    packet_size,
    peers,
    ports,
    proxies,
    proxy_variables,
    replies,
    reverse_path,
    subnets,
    traffic,
    udp_flows,
    wiring,
    without,
)

__all__ = [
    "attachment",
    "bridges",
    "default_route",
    "host_services",
    "packet_size",
    "peers",
    "ports",
    "proxies",
    "proxy_variables",
    "replies",
    "reverse_path",
    "subnets",
    "traffic",
    "udp_flows",
    "wiring",
    "without",
]
