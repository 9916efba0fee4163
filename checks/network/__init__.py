"""Networks, published ports, and what lies between a container and its peers."""

from checks.network import bridges, ports, subnets, traffic, without

__all__ = ["bridges", "ports", "subnets", "traffic", "without"]
