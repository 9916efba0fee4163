"""Page variables that connect a container to a network, or give a network IPv6."""

import json

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.addresses import private_prefix6
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Networks
from diagnose.model import PageVariables


def rejoin(container: Container, network: str) -> PageVariables:
    """The page variables that connect a container to a network: a service of compose gets its
    alias back."""
    service = container.compose_service
    if service and network not in ("bridge", "podman"):
        return {"home": network, "alias": service}
    return {"rejoin": network}


_IP6TABLES_BY_DEFAULT = (27,)
"""The first engine that writes IPv6 rules without being configured to."""


def ipv6_of_default_network(ping: Ping | None) -> PageVariables:
    """The page variables with the engine's configuration that gives the default network IPv6."""
    config: dict[str, object] = {"ipv6": True, "fixed-cidr-v6": private_prefix6(DEFAULT_NETWORK)}
    if not _writes_ipv6_rules(ping):
        config |= {"ip6tables": True, "experimental": True}
    return {"ipv6_json": json.dumps(config)}


def with_ipv6(network: Network, ping: Ping | None) -> PageVariables:
    """The page variables that give a network IPv6: the default one by the engine's configuration,
    others by a new network."""
    if network.name == DEFAULT_NETWORK:
        return ipv6_of_default_network(ping)
    if not network.subnet4 or not _writes_ipv6_rules(ping):
        return {"network": network.name}
    return {"network": network.name, "ipv6_subnet": private_prefix6(network.name)}


def _writes_ipv6_rules(ping: Ping | None) -> bool:
    """Whether the engine writes IPv6 rules by default."""
    return ping is not None and ping.version >= _IP6TABLES_BY_DEFAULT


def ipv6_or_without(
    container: Container, networks: Networks, ping: Ping | None, *, is_reached: bool
) -> PageVariables:
    """The page variables that give a network IPv6, where the host reaches the address; else
    those of a container without it."""
    cure = _cure(container, networks, ping) if is_reached else {}
    return cure or {"without": min(container.endpoints)}


def _cure(container: Container, networks: Networks, ping: Ping | None) -> PageVariables:
    """The page variables that give the container's only network IPv6; empty where it has
    several."""
    network = networks.by_name.get(min(container.endpoints))
    if network is None or not network.is_bridge or len(container.endpoints) != 1:
        return {}
    return with_ipv6(network, ping)
