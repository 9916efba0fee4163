"""The host's packet filter, the settings that it hangs on, and what it does to the traffic of containers."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any, Literal

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.packet_filter import Firewall
from diagnose.evidence.network.route_lookups import SOMEWHERE, RouteLookups
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.docker import USER_CHAIN
from diagnose.firewall.reach import ConnectionVerdict, reach_in, reach_out, refused_by_host
from diagnose.firewall.rules import Ruleset, Table
from diagnose.firewall.walk import Step
from diagnose.model import Failed, Subject, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

__all__ = [
    "USER_CHAIN",
    "ConnectionVerdict",
    "Egress",
    "Firewall",
    "Forwarding",
    "Ingress",
    "PacketPaths",
    "Step",
    "Table",
]

SAMPLES: tuple[tuple[Literal["tcp", "udp"], int], ...] = (("tcp", 443), ("udp", 53), ("tcp", 80))
"""What a container is taken to send: a filter that lets one of these pass is a policy, not an outage."""

MAX_RULES_MET = 400_000
"""Rules met by the packets of all published ports together, at a few microseconds each."""

_Attached = tuple[Container, Network, NetworkEndpoint]
FORWARDING6 = "net.ipv6.conf.all.forwarding"
EVERYWHERE = ("", "0.0.0.0")  # noqa: S104 - what the engine writes for a port published on all addresses


class Forwarding(msgspec.Struct, frozen=True):
    """Kernel settings, text as in /proc/sys; None where there is none (br_netfilter not loaded).

    by_interface: `forwarding` of the bridges and uplinks; a packet is forwarded if the interface it came in
    by says 1. everywhere6: of IPv6, where one setting decides (ip6_forward, net/ipv6/ip6_output.c); asked where a network has it.
    """

    everywhere: str | None
    by_interface: dict[str, str | None]
    bridge_filter: str | None
    everywhere6: str | None = None


@evidence
def forwarding(host: Host, networks: Networks, uplinks: Uplinks | Unavailable) -> Forwarding | Unavailable:
    """Readable by everyone."""
    interfaces = [network.bridge for network in networks.bridges]
    interfaces += [each.name for each in uplinks] if isinstance(uplinks, Uplinks) else []
    named = {each: f"net/ipv4/conf/{each}/forwarding" for each in interfaces}
    names = ["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", *named.values()]
    answer = host.ask(question("sysctl", names=names))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    by_interface = {interface: answer.get(name) for interface, name in named.items()}
    everywhere6 = None
    if any(network.enable_ipv6 for network in networks.bridges):
        said = host.ask(question("sysctl", names=[FORWARDING6]))
        everywhere6 = None if isinstance(said, Failed) else said.get(FORWARDING6)
    return Forwarding(answer.get(names[0]), by_interface, answer.get(names[1]), everywhere6)


class Egress(msgspec.Struct, frozen=True):
    """A running container's way out of one bridge network.

    reach: for a destination left open. sample: for `SOMEWHERE`, which shows what becomes of the source address. Each is the best
    of `SAMPLES`.
    """

    container: Container
    network: Network
    address: str
    uplink: Uplink
    reach: ConnectionVerdict
    sample: ConnectionVerdict

    @property
    def block(self) -> ConnectionVerdict | None:
        """What surely stops it: requests to whomever, or the answers of an ordinary peer. Requests that only some destinations
        do not get are a policy; nobody means to ask and to drop the answer.
        """
        if self.reach.is_blocked:
            return self.reach
        return self.sample if self.sample.is_blocked and self.sample.part == "reply" else None


class Ingress(msgspec.Struct, frozen=True):
    """One published port of a running container: what a client behind the uplink meets at it.

    port: as the engine writes it (`80/tcp`). reach: for a source left open. sample: for `SOMEWHERE`.
    refused: whether the host's own filter would surely refuse the
    port if it were not published.
    """

    container: Container
    network: Network
    addresses: frozenset[str]
    port: str
    host_address: str
    host_port: int
    everywhere: bool
    uplink: Uplink
    reach: ConnectionVerdict
    sample: ConnectionVerdict
    refused: ConnectionVerdict

    @property
    def container_port(self) -> int:
        return int(self.port.partition("/")[0])


class PacketPaths(msgspec.Struct, frozen=True, dict=True):
    """What the packet filter does to each running container on a bridge network.

    unwalked: containers whose published ports were too many for a filter of this size (`MAX_RULES_MET`). why_none: why
    there is nothing to judge, if there is nothing.
    """

    outlets: tuple[Egress, ...] = ()
    inlets: tuple[Ingress, ...] = ()
    unwalked: tuple[Subject, ...] = ()
    why_none: str = "no running container is on a bridge network that leads out"

    @property
    def ways(self) -> Iterator[Egress | Ingress]:
        """Both kinds, those that lead out first."""
        yield from self.outlets
        yield from self.inlets

    @functools.cached_property
    def networks(self) -> dict[str, Network]:
        """The networks with a running container, by name."""
        return {each.network.name: each.network for each in self.ways}

    def __len__(self) -> int:
        return len(self.outlets) + len(self.inlets)


@evidence
def crossings(
    firewall: Firewall,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    ways: RouteLookups | Unavailable,
    ping: Ping | Unavailable,
    info: Info | Unavailable,
) -> PacketPaths:
    """A walk per container and direction. What comes in does so by the default route's interface; what leaves goes where the kernel
    says that it sends this network's packets, which is a tunnel where a VPN has brought routes of its own.
    """
    if isinstance(ping, Ping) and ping.is_podman:
        return PacketPaths(why_none="Podman's bridges and rules have other names")
    if isinstance(info, Info) and info.is_rootless:
        return PacketPaths(why_none="a rootless engine keeps its rules in a network namespace of its own")
    if not len(uplinks):
        return PacketPaths(why_none="no interface of this host leads to others")
    uplink = uplinks.items[0]
    attached = [
        (container, networks.by_name[name], endpoint)
        for container in containers.running
        for name, endpoint in container.endpoints.items()
        if name in networks.by_name and endpoint.ip_address and _routes(networks.by_name[name])
    ]
    bridges = {
        str(subnet): network.bridge for network in networks.bridges for subnet in network.subnets if subnet.version == 4
    }
    outward = (
        {name: uplinks.by_index(way.oif) for name, way in ways.out.items()} if isinstance(ways, RouteLookups) else {}
    )
    walls = _TraceContext(firewall.ruleset, uplink, {name: each for name, each in outward.items() if each}, bridges)
    most = MAX_RULES_MET // max(1, firewall.ruleset.rules)
    inlets = list(_published(attached, uplink))
    return PacketPaths(
        tuple(_outlets(walls, attached)),
        tuple(_inlet(walls, each) for each in inlets[:most]),
        tuple(dict.fromkeys(each.container.subject for each in inlets[most:])),
    )


def _routes(network: Network) -> bool:
    """Whether its traffic is to cross the host: a bridge that is neither internal nor cut off by its own
    options.
    """
    mode = network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat")
    return network.is_bridge and not network.internal and mode != "isolated"


class _TraceContext(msgspec.Struct, frozen=True):
    """What all walks share. outward: by a network's name, where its packets leave the host; by the uplink where that is not known.
    bridges: which interface leads to each of the engine's IPv4 subnets.
    """

    ruleset: Ruleset
    uplink: Uplink
    outward: dict[str, Uplink]
    bridges: dict[str, str]


def _outlets(walls: _TraceContext, attached: list[_Attached]) -> Iterator[Egress]:
    """One walk for all containers of a network, and one for each where a rule tells some of them apart."""
    members: dict[str, list[str]] = {}
    for _, network, endpoint in attached:
        members.setdefault(network.name, []).append(endpoint.ip_address)
    shared: dict[str, tuple[ConnectionVerdict, ConnectionVerdict]] = {}
    for container, network, endpoint in attached:
        uplink = walls.outward.get(network.name, walls.uplink)
        if network.name not in shared:
            shared[network.name] = _out(walls, network, members[network.name], uplink)
        verdicts = shared[network.name]
        if len(members[network.name]) > 1 and not all(_is_decided(verdict) for verdict in verdicts):
            verdicts = _out(walls, network, endpoint.ip_address, uplink)
        yield Egress(container, network, endpoint.ip_address, uplink, *verdicts)


def _is_decided(verdict: ConnectionVerdict) -> bool:
    return verdict.outcome != "unknown" and not verdict.nat_unknown


def _out(
    walls: _TraceContext, network: Network, src: str | Sequence[str], uplink: Uplink
) -> tuple[ConnectionVerdict, ConnectionVerdict]:
    asked: dict[str, Any] = {
        "bridge": network.bridge,
        "src": src,
        "uplink": uplink.name,
        "inner": tuple(walls.bridges),
    }

    def best(dst: str | None) -> ConnectionVerdict:
        reaches = (reach_out(walls.ruleset, dst=dst, proto=proto, dport=port, **asked) for proto, port in SAMPLES)
        return min(reaches, key=lambda reach: 2 if reach.is_blocked else ("accept", "unknown").index(reach.outcome))

    return best(None), best(SOMEWHERE)


class _Published(msgspec.Struct, frozen=True):
    """One published port, and the networks of its container by its address there."""

    container: Container
    networks: dict[str, Network]
    port: str
    host_address: str
    host_port: int
    everywhere: bool


def _published(attached: list[_Attached], uplink: Uplink) -> Iterator[_Published]:
    places: dict[str, dict[str, Network]] = {}
    containers = {}
    for container, network, endpoint in attached:
        containers[container.id] = container
        places.setdefault(container.id, {})[endpoint.ip_address] = network
    for id, container in containers.items():
        for port, binding in container.published_ports:
            everywhere = binding.host_ip in EVERYWHERE
            address = (uplink.address or "") if everywhere else binding.host_ip
            if _is_outer_ipv4(address) and binding.host_port.isdigit() and port.endswith(("/tcp", "/udp")):
                yield _Published(container, places[id], port, address, int(binding.host_port), everywhere)


def _inlet(walls: _TraceContext, port: _Published) -> Ingress:
    asked: dict[str, Any] = {
        "uplink": walls.uplink.name,
        "host_address": port.host_address,
        "host_port": port.host_port,
        "proto": port.port.partition("/")[2],
        "inner": tuple(walls.bridges),
    }
    reach = reach_in(walls.ruleset, bridges=walls.bridges, src=None, **asked)
    target = reach.nat.address if reach.nat is not None else None
    return Ingress(
        port.container,
        port.networks.get(target or "", next(iter(port.networks.values()))),
        frozenset(port.networks),
        port.port,
        port.host_address,
        port.host_port,
        port.everywhere,
        walls.uplink,
        reach,
        reach_in(walls.ruleset, bridges=walls.bridges, src=SOMEWHERE, **asked),
        refused_by_host(walls.ruleset, src=None, **asked),
    )


def _is_outer_ipv4(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.version == 4 and not address.is_loopback
