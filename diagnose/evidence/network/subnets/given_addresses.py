"""Addresses of a network that the engine has given to no container. Pure."""

import ipaddress
from collections.abc import Sequence

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.networks import Network, Subnet
from diagnose.evidence.network.subnets.subnet_stock import SubnetPool

_FEWEST = 254
"""Number of addresses that may have been in use before, on a host that has few containers now."""
_TIMES = 8
_MOST = 1023
"""The ports of a bridge, a limit of the kernel's (BR_MAX_PORTS)."""


def is_never_given(
    address: str, network: Network, containers: Containers, pools: Sequence[SubnetPool]
) -> bool:
    """Whether no container can have had this address of a network.

    The engine gives the lowest address that is free, and a fixed one only on a network whose subnet
    a person chose. So an address is beyond all that were given where the engine chose the subnet
    out of its pools, and where the address is further from the subnet's beginning than eight times
    as many containers as this host knows would lead.
    """
    called = ipaddress.ip_address(address)
    subnet = next((subnet for subnet in network.subnets if called in subnet), None)
    if subnet is None or not _is_cut_from(subnet, pools) or _has_fixed(network, containers):
        return False
    most = min(_MOST, max(_FEWEST, _TIMES * len(containers)))
    return int(called) - int(subnet.network_address) > most


def _is_cut_from(subnet: Subnet, pools: Sequence[SubnetPool]) -> bool:
    """Whether a subnet is a piece of a pool, as the engine cuts it."""
    for base, size in pools:
        pool = ipaddress.ip_network(base, strict=False)
        is_same_family = pool.version == subnet.version
        if is_same_family and subnet.prefixlen == size and subnet.overlaps(pool):
            return True
    return False


def _has_fixed(network: Network, containers: Containers) -> bool:
    ends = (container.endpoints.get(network.name) for container in containers)
    return any(end.fixed_address for end in ends if end is not None)
