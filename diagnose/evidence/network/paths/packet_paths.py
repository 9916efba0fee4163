"""What the host does to the traffic of containers.

The way out of each network, and the way in to each published port.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from ipaddress import ip_address
from typing import Literal

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.addresses import EVERYWHERE, EVERYWHERE6
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.docker import USER_CHAIN, is_docker_chain
from diagnose.firewall.flow import EPHEMERAL, Flow, Origin, Part, Trace
from diagnose.firewall.packet import Family, Packet
from diagnose.firewall.reach import ConnectionVerdict
from diagnose.firewall.rules import Table
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.firewall.walk import walk
from diagnose.model import Coverage, Failed, Subject, Unavailable
from diagnose.phrases import count
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
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

SOMEWHERE6 = "2600:1f18::1"
"""The IPv6 peer of no particular kind."""

SAMPLES: tuple[tuple[Literal["tcp", "udp"], int], ...] = (("tcp", 443), ("udp", 53), ("tcp", 80))
"""What a container is taken to send: a filter that lets one of these pass is a policy, not an
outage."""

MOST_PORTS = 4_000
"""Published ports that are walked, at some 0.2 ms each."""

_Attached = tuple[Container, Network, NetworkEndpoint]
FORWARDING6 = "net.ipv6.conf.all.forwarding"


class Forwarding(msgspec.Struct, frozen=True):
    """Kernel settings, text as in /proc/sys; None where there is none (br_netfilter not loaded).

    by_interface: `forwarding` of the bridges and uplinks; a packet is forwarded if the interface it
    came in by says 1. everywhere6: of IPv6, where one setting decides (ip6_forward,
    net/ipv6/ip6_output.c); asked where a network has it.
    """

    everywhere: str | None
    by_interface: dict[str, str | None]
    bridge_filter: str | None
    everywhere6: str | None = None


@evidence
def forwarding(host: Host, networks: Networks, uplinks: Uplinks | None) -> Forwarding | Unavailable:
    """Readable by everyone."""
    interfaces = [network.bridge for network in networks.bridges]
    interfaces += [uplink.name for uplink in uplinks] if uplinks is not None else []
    named = {interface: f"net/ipv4/conf/{interface}/forwarding" for interface in interfaces}
    names = ["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", *named.values()]
    answer = host.ask(ReadSysctls(names=names))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    by_interface = {interface: answer.get(name) for interface, name in named.items()}
    everywhere6 = None
    if any(network.enable_ipv6 for network in networks.bridges):
        answer6 = host.ask(ReadSysctls(names=[FORWARDING6]))
        everywhere6 = None if isinstance(answer6, Failed) else answer6.get(FORWARDING6)
    return Forwarding(answer.get(names[0]), by_interface, answer.get(names[1]), everywhere6)


class Egress(msgspec.Struct, frozen=True):
    """A running container's way out of one bridge network."""

    container: Container
    network: Network
    address: str
    uplink: Uplink
    """Where the kernel sends this network's packets, which is a tunnel where a VPN has brought
    routes."""
    reach: ConnectionVerdict
    """For a destination left open."""
    sample: ConnectionVerdict
    """For an ordinary peer, which shows what becomes of the source address. Each is the best of
    `SAMPLES`."""
    family: Family = "ip"

    @property
    def is_guarded(self) -> bool:
        """Whether the engine's own rule against direct access drops the answers.

        Engines from 28 on let in what is sent to a container's address by its bridge alone. With
        the network's translation off, that rule meets the answers of others too.
        """
        by, part = self.sample.by, self.sample.part
        if not self.sample.is_blocked or part != "reply" or by is None:
            return False
        bridge = self.network.bridge
        if by.chain == "raw-PREROUTING":  # of engine 29's nftables backend
            return f'daddr {self.address} iifname != "{bridge}" drop' in by.rule
        rule = f"-d {self.address}/{32 if self.family == 'ip' else 128} ! -i {bridge} "
        return by.table.endswith(" raw") and by.rule.startswith(rule)

    @property
    def block(self) -> ConnectionVerdict | None:
        """What certainly stops it: requests to whomever, or the answers of an ordinary peer.

        Requests that only some destinations do not get are a policy; nobody means to ask
        and to drop the answer.
        """
        if self.reach.is_blocked:
            return self.reach
        return self.sample if self.sample.is_blocked and self.sample.part == "reply" else None


class Ingress(msgspec.Struct, frozen=True):
    """One published port of a running container: what a client behind the uplink meets at it."""

    container: Container
    network: Network
    addresses: frozenset[str]
    port: str
    """As the engine writes it (`80/tcp`)."""
    host_address: str
    host_port: int
    everywhere: bool
    uplink: Uplink
    reach: ConnectionVerdict
    """For a source left open."""
    sample: ConnectionVerdict
    """For an ordinary client."""
    refused: ConnectionVerdict
    """Whether the host's own filter would certainly refuse the port if it were not published."""
    family: Family = "ip"

    @property
    def led_by(self) -> Step | None:
        """The rule of another program that leads the port elsewhere, if one decides."""
        by = self.reach.nat_by
        return None if by is None or is_docker_chain(by.table, by.chain) else by

    @property
    def container_port(self) -> int:
        return int(self.port.partition("/")[0])


class PacketPaths(msgspec.Struct, frozen=True, dict=True):
    """What the host does to the packets of each running container on a bridge network.

    outlets6, inlets6: over IPv6, for networks that have it. unwalked: containers whose published
    ports were too many (`MOST_PORTS`). why_none: why there is nothing to judge, if there is
    nothing.
    """

    outlets: tuple[Egress, ...] = ()
    inlets: tuple[Ingress, ...] = ()
    unwalked: tuple[Subject, ...] = ()
    why_none: str = "no running container is on a bridge network that leads out"
    outlets6: tuple[Egress, ...] = ()
    inlets6: tuple[Ingress, ...] = ()

    @property
    def ways(self) -> Iterator[Egress | Ingress]:
        """Both kinds of IPv4, those that lead out first."""
        yield from self.outlets
        yield from self.inlets

    @property
    def all_ways(self) -> Iterator[Egress | Ingress]:
        """Those of both families."""
        yield from self.ways
        yield from self.outlets6
        yield from self.inlets6

    @functools.cached_property
    def networks(self) -> dict[str, Network]:
        """The networks with a running container, by name."""
        return {way.network.name: way.network for way in self.ways}

    @property
    def coverage(self) -> Coverage:
        """How many connections out and in were traced, for the report."""
        traced = {
            "out": len(self.outlets) + len(self.outlets6),
            "in": len(self.inlets) + len(self.inlets6),
        }
        families = frozenset(way.family for way in self.all_ways)
        gap = ""
        if self.unwalked:
            gap = f"published ports of {count(len(self.unwalked), 'container')}: too many"
        return Coverage(traced, families, gap or ("" if any(traced.values()) else self.why_none))

    def __len__(self) -> int:
        return len(list(self.all_ways))


@evidence
def packet_paths(
    host_stack: HostStack,
    containers: Containers,
    networks: Networks,
    uplinks: Uplinks,
    ping: Ping | None,
    info: Info | None,
) -> PacketPaths:
    """A walk for each network and each published port.

    What comes in does so by the default route's interface; what leaves goes where the kernel
    sends this network's packets.
    """
    why_none = not_walked(ping, info, uplinks)
    if why_none:
        return PacketPaths(why_none=why_none)
    # rules that drop stay when firewall.forwarding-off is cured, and have to be seen beside it
    walks = _Walks(host_stack.stack.forwarding, uplinks.items[0])
    attached = places(containers, networks, "ip")
    attached6 = places(containers, networks, "ip6") if walks.leads_out("ip6") else []
    published = list(_published(attached, uplinks.items[0], "ip", walks.stack))
    published6 = list(_published(attached6, uplinks.items[0], "ip6", walks.stack))
    return PacketPaths(
        tuple(_outlets(walks, attached, "ip")),
        tuple(_inlet(walks, port) for port in published[:MOST_PORTS]),
        tuple(dict.fromkeys(port.container.subject for port in published[MOST_PORTS:])),
        outlets6=tuple(_outlets(walks, attached6, "ip6")),
        inlets6=tuple(_inlet(walks, port) for port in published6[:MOST_PORTS]),
    )


def not_walked(ping: Ping | None, info: Info | None, uplinks: Uplinks) -> str:
    """Why no way of containers is walked on this host, or nothing."""
    if ping is not None and ping.is_podman:
        return "Podman's bridges and rules have other names"
    if info is not None and info.is_rootless:
        return "a rootless engine keeps its rules in a network namespace of its own"
    if not len(uplinks):
        return "no interface of this host leads to others"
    return ""


def leads_out(network: Network) -> bool:
    """Whether its traffic is to cross the host.

    A bridge that is neither internal nor cut off by its own options.
    """
    mode = network.option("com.docker.network.bridge.gateway_mode_ipv4", "nat")
    return network.is_bridge and not network.internal and mode != "isolated"


def places(containers: Containers, networks: Networks, family: Family) -> list[_Attached]:
    """The places of running containers on networks that lead out, with an address of the family.

    On a network where all containers are between two runs, a container has the address that it may
    get: what keeps them from the outside may be why they end.
    """
    attached = [
        (container, networks.by_name[name], endpoint)
        for container in containers.running
        for name, endpoint in container.endpoints.items()
        if name in networks.by_name
        and address_of(endpoint, family)
        and leads_out(networks.by_name[name])
    ]
    return attached + (_between_runs(containers, networks, attached) if family == "ip" else [])


def _between_runs(
    containers: Containers, networks: Networks, attached: Sequence[_Attached]
) -> list[_Attached]:
    """The places of containers that are about to be restarted, on networks without another one."""
    seen = {network.name for _, network, _ in attached}
    return [
        (container, network, replace(endpoint, ip_address=str(network.subnets[0][-2])))
        for container in containers
        if container.state.status == "restarting"
        for name, endpoint in container.endpoints.items()
        if name not in seen
        and (network := networks.by_name.get(name)) is not None
        and leads_out(network)
        and network.subnets
        and network.subnets[0].version == 4
        and network.subnets[0].num_addresses > _FEW
    ]


_FEW = 4
"""Addresses of a subnet that has room for a gateway and one container."""


def address_of(endpoint: NetworkEndpoint, family: Family) -> str:
    """A container's address on one network; empty where it has none of the family."""
    return endpoint.ip_address if family == "ip" else endpoint.global_ipv6_address


class _Walks:
    """What all walks share."""

    def __init__(self, stack: Stack, uplink: Uplink) -> None:
        self.stack = stack
        self.uplink = uplink

    def leads_out(self, family: Family) -> bool:
        """Whether the host itself has a way to an ordinary peer."""
        peer = SOMEWHERE if family == "ip" else SOMEWHERE6
        return self.stack.routing.look_up(peer).kind == "unicast"

    def outward(self, network: Network, address: str, family: Family) -> Uplink:
        """Where the kernel sends a network's packets to an ordinary peer.

        By the uplink where that is not known, or nowhere.
        """
        peer = SOMEWHERE if family == "ip" else SOMEWHERE6
        decision = self.stack.routing.look_up(peer, address, network.bridge)
        name = decision.oif if decision.kind == "unicast" else ""
        if not name or name == self.uplink.name:
            return self.uplink
        return Uplink(name, self.stack.address_on(name, family))


def _outlets(walks: _Walks, attached: list[_Attached], family: Family) -> Iterator[Egress]:
    """The ways out of each network.

    One walk for all containers of a network, and one for each where a rule tells some of them
    apart.
    """
    members: dict[str, list[str]] = {}
    for _, network, endpoint in attached:
        members.setdefault(network.name, []).append(address_of(endpoint, family))
    shared: dict[str, tuple[ConnectionVerdict, ConnectionVerdict]] = {}
    uplinks: dict[str, Uplink] = {}
    for container, network, endpoint in attached:
        address = address_of(endpoint, family)
        if network.name not in shared:
            uplinks[network.name] = walks.outward(network, address, family)
            shared[network.name] = _out(
                walks, network, tuple(members[network.name]), uplinks[network.name], family
            )
        verdicts = shared[network.name]
        if len(members[network.name]) > 1 and not all(_is_decided(verdict) for verdict in verdicts):
            verdicts = _out(walks, network, address, uplinks[network.name], family)
        yield Egress(container, network, address, uplinks[network.name], *verdicts, family)


def _is_decided(verdict: ConnectionVerdict) -> bool:
    return verdict.outcome != "unknown" and not verdict.nat_unknown


def _out(
    walks: _Walks, network: Network, src: str | tuple[str, ...], uplink: Uplink, family: Family
) -> tuple[ConnectionVerdict, ConnectionVerdict]:
    """The verdicts on a destination left open, and on an ordinary peer."""
    origin = Origin(network.bridge, src)

    def best(dst: str | None) -> ConnectionVerdict:
        verdicts = []
        for proto, port in SAMPLES:
            traced = trace(walks.stack, Flow(origin, dst, proto, port, family, assumed=uplink.name))
            if _ends_at_host(traced):
                continue
            verdict = _outgoing(traced, network.bridge, is_hidden=network.masquerades)
            if verdict.outcome == "accept":
                return verdict
            verdicts.append(verdict)
        if not verdicts:
            return ConnectionVerdict("accept", nat_unknown=True)
        return min(verdicts, key=lambda verdict: verdict.is_blocked)

    return best(None), best(SOMEWHERE if family == "ip" else SOMEWHERE6)


def _ends_at_host(traced: Trace) -> bool:
    """Whether a rule leads a container's packets to a program of the host.

    A transparent proxy takes them: they tell nothing about what leaves.
    """
    return traced.nat is not None and traced.to == ""


def _leaves_by_another_interface(traced: Trace, part: Part, bridges: Collection[str]) -> bool:
    """Whether a container's packets were stopped on another interface than its bridge.

    A route led them there.

    Docker's rules are about the bridge, so that the policy drops these packets; the route is to
    blame.
    """
    obstacle = traced.obstacle
    if obstacle is None or obstacle.part != part or obstacle.hook != "forward":
        return False
    interfaces = [
        stage.verdict.packet.oif
        for stage in traced.stages
        if stage.part == part and stage.hook == "forward"
    ]
    return bool(interfaces) and interfaces[-1] not in bridges


def _outgoing(traced: Trace, bridge: str, *, is_hidden: bool) -> ConnectionVerdict:
    """A trace as the packet filter's verdict: what routes do to it is judged elsewhere.

    is_hidden: whether the engine is to translate the source; no answer finds its way to one that is
    not.
    """
    obstacle = traced.obstacle
    if obstacle is None:
        return _verdict(traced, nat=True)
    if obstacle.reason != "rule" or _leaves_by_another_interface(traced, "reply", [bridge]):
        return ConnectionVerdict("accept", traced.snat, nat_unknown=traced.snat is None)
    if obstacle.part == "reply" and is_hidden and traced.snat is None and traced.is_blocked:
        return ConnectionVerdict("accept")
    return _verdict(traced, nat=True)


def _verdict(traced: Trace, *, nat: bool = False) -> ConnectionVerdict:
    """The verdict with the translation of the destination, or with `nat` that of the source."""
    translation = traced.snat if nat else traced.nat
    obstacle = traced.obstacle
    if obstacle is None:
        return ConnectionVerdict(
            traced.outcome, translation, traced.nat_unknown, nat_by=traced.nat_by
        )
    return ConnectionVerdict(
        traced.outcome,
        translation,
        traced.nat_unknown,
        obstacle.by,
        obstacle.hook,
        obstacle.part,
        obstacle.reason,
    )


class _Published(msgspec.Struct, frozen=True):
    """One published port, and the networks of its container by its address there."""

    container: Container
    networks: dict[str, Network]
    port: str
    host_address: str
    host_port: int
    everywhere: bool
    family: Family


def _published(
    attached: list[_Attached], uplink: Uplink, family: Family, stack: Stack
) -> Iterator[_Published]:
    """The published ports on outer addresses of one family.

    On all of them, by the uplink's address.
    """
    places: dict[str, dict[str, Network]] = {}
    containers = {}
    for container, network, endpoint in attached:
        containers[container.id] = container
        places.setdefault(container.id, {})[address_of(endpoint, family)] = network
    own = uplink.address if family == "ip" else stack.address_on(uplink.name, family)
    for id, container in containers.items():
        for port, binding in container.published_ports:
            everywhere = binding.host_ip in (EVERYWHERE if family == "ip" else EVERYWHERE6)
            address = (own or "") if everywhere else binding.host_ip
            if stack.is_local(address) is False:
                # network.bind-address-missing says so; no rule of Docker matches a packet that is
                # not for this host
                continue
            if (
                _is_outer(address, family)
                and binding.host_port.isdigit()
                and port.endswith(("/tcp", "/udp"))
            ):
                yield _Published(
                    container, places[id], port, address, int(binding.host_port), everywhere, family
                )


def _inlet(walks: _Walks, port: _Published) -> Ingress:
    uplink = walks.uplink
    proto = port.port.partition("/")[2]
    peer = SOMEWHERE if port.family == "ip" else SOMEWHERE6
    anyone, ordinary = Origin(uplink.name), Origin(uplink.name, peer)
    bridges = [network.bridge for network in port.networks.values()]
    reach = _incoming(trace(walks.stack, _to(port, anyone, proto, uplink)), bridges)
    # what any client meets, an ordinary one meets too
    if _is_decided(reach):
        sample = reach
    else:
        sample = _incoming(trace(walks.stack, _to(port, ordinary, proto, uplink)), bridges)
    target = reach.nat.address if reach.nat is not None else None
    return Ingress(
        port.container,
        port.networks.get(target or "", next(iter(port.networks.values()))),
        frozenset(port.networks),
        port.port,
        port.host_address,
        port.host_port,
        port.everywhere,
        uplink,
        reach,
        sample,
        refused_by_host(
            walks.stack, uplink.name, port.host_address, port.host_port, proto, port.family
        ),
        port.family,
    )


def _to(port: _Published, origin: Origin, proto: str, uplink: Uplink) -> Flow:
    return Flow(origin, port.host_address, proto, port.host_port, port.family, assumed=uplink.name)


def _incoming(traced: Trace, bridges: Collection[str]) -> ConnectionVerdict:
    """A trace as the packet filter's verdict: where routes lead is judged elsewhere.

    bridges: those of the container's networks.
    """
    obstacle = traced.obstacle
    is_routed_elsewhere = traced.nat is not None and _leaves_by_another_interface(
        traced, "request", bridges
    )
    if is_routed_elsewhere or (obstacle is not None and obstacle.reason != "rule"):
        return ConnectionVerdict("accept", traced.nat, traced.nat_unknown, nat_by=traced.nat_by)
    return _verdict(traced)


def refused_by_host(
    stack: Stack, uplink: str, address: str, port: int, proto: str, family: Family
) -> ConnectionVerdict:
    """What the host's own filter does to a connection to one of its processes.

    As if nothing translated the port.
    """
    sent = Packet(
        uplink,
        "",
        None,
        address,
        proto,
        EPHEMERAL,
        port,
        family,
        dst_local=True,
        src_local=False,
        inner=stack.inner_nets,
        uid=-1,
    )
    verdict = walk(stack.ruleset, "input", sent)
    return ConnectionVerdict(
        verdict.outcome, None, False, None if verdict.outcome == "accept" else verdict.by, "input"
    )


def _is_outer(text: str, family: Family) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return address.version == (4 if family == "ip" else 6) and not address.is_loopback
