"""What the checks of networks share."""

from __future__ import annotations

import json

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.addresses import private_prefix6
from diagnose.evidence.network.networks import Network


def attached(network: Network, containers: Containers | None) -> tuple[Container, ...]:
    """The running containers on a network; none where they are not known."""
    return () if containers is None else containers.running_on(network.name)


def rejoin(container: Container, network: str) -> dict[str, str]:
    """How a page connects a container to a network: a service of compose gets its alias back."""
    service = container.compose_service
    if service and network not in ("bridge", "podman"):
        return {"home": network, "alias": service}
    return {"rejoin": network}


_IP6TABLES_BY_DEFAULT = (27,)
"""The first engine that writes IPv6 rules without being configured to."""


def with_ipv6(network: Network, ping: Ping | None) -> dict[str, str]:
    """The default network gets IPv6 by the engine's configuration, others are recreated."""
    prefix = private_prefix6(network.name)
    writes_rules = ping is not None and ping.version >= _IP6TABLES_BY_DEFAULT
    config: dict[str, object] = {"ipv6": True, "fixed-cidr-v6": prefix}
    if not writes_rules:
        config |= {"ip6tables": True, "experimental": True}
    if network.name == "bridge":
        return {"ipv6_json": json.dumps(config)}
    if not network.subnet4 or not writes_rules:
        return {"network": network.name}
    return {"network": network.name, "ipv6_subnet": prefix}
