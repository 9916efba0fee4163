"""The engine's bridge networks, their containers and their ports as it writes rules for them."""

from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_everywhere
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walks import address_of
from diagnose.firewall.engine_rules import Bridge, PublishedPort
from diagnose.firewall.packet import Family


def bridges_of(networks: Networks, containers: Containers, family: Family) -> list[Bridge]:
    """The bridge networks that have addresses of this family.

    A network has to have one subnet of the family.
    """
    return [
        _bridge(network, containers.running, family)
        for network in networks.bridges
        if family == "ip" or network.enable_ipv6
    ]


def _bridge(network: Network, running: Sequence[Container], family: Family) -> Bridge:
    """The bridge of a network as the engine's rules of one family describe it."""
    version = 4 if family == "ip" else 6
    members = [container for container in running if _address(container, network, family)]
    return Bridge(
        name=network.bridge,
        subnet=next(str(subnet) for subnet in network.subnets if subnet.version == version),
        members=tuple(_address(container, network, family) for container in members),
        ports=tuple(_published_ports(members, network, family)),
        internal=network.internal,
        talks=not _is_off(network, "enable_icc"),
        masquerades=not _is_off(network, "enable_ip_masquerade"),
        routed=family == "ip" and _is_routed(network),
    )


def _published_ports(
    members: Iterable[Container], network: Network, family: Family
) -> Iterator[PublishedPort]:
    """The ports that lead to members by this network."""
    for container in members:
        if _translated_on(container, network.name):
            yield from _ports(container, network, family)


def _is_off(network: Network, option: str) -> bool:
    """Whether an option of a bridge that is on by default was switched off."""
    return network.option(f"com.docker.network.bridge.{option}", "true") == "false"


def _is_routed(network: Network) -> bool:
    return network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") == "routed"


def _address(container: Container, network: Network, family: Family) -> str:
    endpoint = container.endpoints.get(network.name)
    return address_of(endpoint, family) if endpoint is not None else ""


def _translated_on(container: Container, name: str) -> bool:
    """Whether this is the network that carries the container's published ports.

    The one of its default gateway.

    That is the network of the highest priority (28), and among equals the first by name
    (libnetwork's order of endpoints).
    """
    with_gateway = [
        (-endpoint.gw_priority, other)
        for other, endpoint in container.endpoints.items()
        if endpoint.gateway
    ]
    return not with_gateway or min(with_gateway)[1] == name


def _ports(container: Container, network: Network, family: Family) -> list[PublishedPort]:
    """The ports of a container for which the engine writes rules on this bridge, each once."""
    ports: dict[PublishedPort, None] = {}
    is_routed = family == "ip" and _is_routed(network)
    for binding in container.published_ports:
        is_other_family = binding.is_ipv6 is (family == "ip")
        if is_other_family or (not binding.host_port and not is_routed):
            continue
        published = PublishedPort(
            _address(container, network, family),
            binding.number,
            binding.protocol,
            binding.host_port or None,
            "" if is_everywhere(binding.host_ip) else binding.host_ip,
        )
        ports[published] = None
    return list(ports)
