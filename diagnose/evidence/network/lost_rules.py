"""The iptables rules of the engine that are missing, and the repair that puts them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.addresses import is_everywhere
from diagnose.evidence.network.networks import Network, Networks
from diagnose.firewall.engine_rules import Bridge, PublishedPort, Repair, present, repair, wanted
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.firewall import SaveIptables
from diagnose.registry import evidence

KNOWN_MODES = ("nat", "routed")
"""Gateway modes whose rules were seen on a real engine."""
UNKNOWN_OPTIONS = ("com.docker.network.bridge.trusted_host_interfaces",)
"""Options of a network that change its rules in a way that was not seen on a real engine."""
INGRESS = ":DOCKER-INGRESS "
"""The chain of swarm's routing mesh in an output of iptables-save; its rules are not known here."""


class LostRules(msgspec.Struct, frozen=True):
    """What is missing of the engine's IPv4 rules, and what is left over of former containers."""

    flavour: Literal["nft", "legacy"]
    """The iptables whose tables hold the engine's rules."""
    repair: Repair | None
    """None where nothing is missing or left over."""


@evidence
def lost_rules(
    host: Host,
    ping: Ping,
    info: Info,
    networks: Networks,
    containers: Containers,
    config: DaemonConfig | None,
) -> LostRules | Unavailable:
    """The rules that the engine wants and the packet filter lacks.

    Unavailable where the engine writes no iptables rules, or writes rules that are not known
    here.
    """
    unknown = _why_unknown(ping, info, networks, config)
    if unknown:
        return Unavailable("not allowed", unknown)
    texts = {flavour: _saved(host, flavour) for flavour in ("nft", "legacy")}
    flavour: Literal["nft", "legacy"] = (
        "legacy" if _holds_docker(texts["legacy"]) and not _holds_docker(texts["nft"]) else "nft"
    )
    text = texts[flavour]
    if text is None:
        return Unavailable("refused", "the output of iptables-save could not be had")
    if INGRESS in text:
        return Unavailable("not allowed", "the rules of swarm's routing mesh are not known here")
    has_proxy = config is None or config.value("userland-proxy") is not False
    bridges = _bridges(networks, containers)
    tables = wanted(ping.version, bridges, has_proxy=has_proxy)
    if tables is None:
        version = ".".join(map(str, ping.version))
        return Unavailable(
            "not allowed", f"the layout of the rules of engine {version} is not known here"
        )
    return LostRules(flavour, repair(tables, present(text), [bridge.subnet for bridge in bridges]))


def _why_unknown(ping: Ping, info: Info, networks: Networks, config: DaemonConfig | None) -> str:
    """Why the rules that must be there are not known; empty where they are."""
    if ping.is_podman or info.is_rootless:
        return "only the rules of a Docker engine that runs as root are known here"
    if info.firewall_driver == "nftables":
        return "the engine writes nftables rules"
    if config is not None and config.value("iptables") is False:
        return "the engine is configured to write no rules"
    for network in networks.bridges:
        mode = network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat")
        if mode not in KNOWN_MODES or any(network.option(option) for option in UNKNOWN_OPTIONS):
            return f"the rules of {network} are not known here"
        if len([subnet for subnet in network.subnets if subnet.version == 4]) != 1:
            return f"{network} has not one IPv4 subnet"
    return ""


def _saved(host: Host, flavour: Literal["nft", "legacy"]) -> str | None:
    answer = host.ask(SaveIptables(flavour=flavour, family="ip"))
    return None if isinstance(answer, Failed) else answer.text


def _holds_docker(text: str | None) -> bool:
    return text is not None and "\n:DOCKER" in text


def _bridges(networks: Networks, containers: Containers) -> list[Bridge]:
    return [_bridge(network, containers.running) for network in networks.bridges]


def _bridge(network: Network, running: Sequence[Container]) -> Bridge:
    members = [container for container in running if _address(container, network)]
    return Bridge(
        name=network.bridge,
        subnet=next(str(subnet) for subnet in network.subnets if subnet.version == 4),
        members=tuple(_address(container, network) for container in members),
        ports=tuple(
            port
            for container in members
            if _translated_on(container, network.name)
            for port in _ports(container, network)
        ),
        internal=network.internal,
        talks=network.option("com.docker.network.bridge.enable_icc", "true") != "false",
        masquerades=network.option("com.docker.network.bridge.enable_ip_masquerade", "true")
        != "false",
        routed=_is_routed(network),
    )


def _is_routed(network: Network) -> bool:
    return network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat") == "routed"


def _address(container: Container, network: Network) -> str:
    endpoint = container.endpoints.get(network.name)
    return endpoint.ip_address if endpoint is not None else ""


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


def _ports(container: Container, network: Network) -> list[PublishedPort]:
    ports: dict[PublishedPort, None] = {}
    for port, binding in container.published_ports:
        number, _, protocol = port.partition("/")
        host_port = int(binding.host_port) if binding.host_port.isdigit() else None
        if ":" in binding.host_ip or (host_port is None and not _is_routed(network)):
            continue
        host_address = "" if is_everywhere(binding.host_ip) else binding.host_ip
        published = PublishedPort(
            _address(container, network), int(number), protocol, host_port, host_address
        )
        ports[published] = None
    return list(ports)
