"""Rules that translate a tunnel's clients on their way out by an interface that they do not take.

A VPN server hides its clients behind its own address, and its rule names the interface: `-o eth0`.
A container in two networks has its default route on either, and a host's interface may be called
otherwise. Where the server has no such rule at all, its clients may be routed on purpose: then
somebody answers them.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Interface, IPv4Network, ip_address, ip_interface

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import with_port
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.inner_stacks import changed_namespaces, inner_stacks
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.wiring.tunnels import Tunnels
from diagnose.firewall.actions import Translate
from diagnose.firewall.conditions import Match
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import Device, NetworkStack
from diagnose.firewall.rules import Rule
from diagnose.firewall.trace import trace
from diagnose.firewall.values import Name
from diagnose.firewall.verdict import Step
from diagnose.firewall.walk import walk
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ListConnections, UdpFlow
from diagnose.registry import evidence

_MOST_FLOWS = 2000
"""Connections of the kernel that are looked through."""
_BROADCAST = "255.255.255.255"
_SMALLEST = 30
"""A prefix that leaves no room for clients beside the server."""


class MisnamedExit(msgspec.Struct, frozen=True):
    """A tunnel whose clients leave with their own addresses, and the rule that should hide them."""

    container: Container | None
    """The container of the network; None for the host's."""
    tunnel: str
    subnet: str
    """The subnet of the clients: 10.8.0.0/24."""
    rule: Step | None
    """None where no rule is for the clients, and nobody answers them."""
    named: str
    """The interface that the rule names, such as eth0 or eth+."""
    leaves_by: str
    """The interface by which the clients' packets leave."""
    is_absent: bool
    """Whether there is no interface of that name."""
    server: str = ""
    """The address of the tunnel itself."""
    unanswered: tuple[str, ...] = ()
    """Calls of clients that nobody answers, as `10.8.0.2 to 192.0.2.80:443`."""

    @property
    def is_about_clients(self) -> bool:
        """Whether the rule names their network."""
        return self.rule is not None and self.subnet.partition("/")[0] in self.rule.rule


class MisnamedExits(Items[MisnamedExit], frozen=True):
    """The misnamed exits, those of the host first."""

    traced: int = 0
    """Tunnels whose clients were walked out."""
    unread: tuple[Unexamined, ...] = ()
    """Containers with a tunnel whose rules could not be read."""


@evidence
def misnamed_exits(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    host_stack: HostStack | None,
    tunnels: Tunnels | None,
) -> MisnamedExits:
    """The rules that translate a tunnel's clients at an interface that they do not take.

    The collector asks nothing about a namespace without a tunnel. A rule of the host has to name
    the clients' addresses, or an interface that does not exist: a router may hide some others on
    purpose.
    """
    exits: list[MisnamedExit] = []
    traced = 0
    if host_stack is not None and tunnels is not None:
        tunnel_devices = [
            device for device in host_stack.stack.devices if device.name in tunnels.names
        ]
        walked = (
            misnamed
            for device in tunnel_devices
            for misnamed in _exits(host_stack.stack, device, None)
        )
        exits += [
            misnamed
            for misnamed in walked
            if misnamed.rule is None or misnamed.is_absent or misnamed.is_about_clients
        ]
        traced += len(tunnel_devices)
    served = [netns for netns in changed_namespaces(namespaces, containers) if netns.tunnels]
    inner = inner_stacks(host, served)
    for netns in served:
        stack = inner.by_owner.get(netns.container.id)
        if stack is None:
            continue
        for tunnel in netns.tunnels:
            exits += _exits(stack, stack.by_name[tunnel.name], netns.container)
            traced += 1
    return MisnamedExits(tuple(_with_calls(host, exits)), traced, inner.unread)


def _with_calls(host: Host, exits: Iterable[MisnamedExit]) -> Iterator[MisnamedExit]:
    """The exits; one without a rule only where nobody answers the clients' calls.

    The kernel is asked for its connections only where there is one without a rule.
    """
    flows: list[UdpFlow] | None = None
    for leaving in exits:
        if leaving.rule is not None:
            yield leaving
            continue
        if flows is None:
            table = host.ask(ListConnections(limit=_MOST_FLOWS))
            flows = [] if isinstance(table, Failed) else table.entries
        calls = _unanswered_calls(flows, leaving)
        if calls:
            yield replace(leaving, unanswered=calls)


def _unanswered_calls(flows: Iterable[UdpFlow], leaving: MisnamedExit) -> tuple[str, ...]:
    """The calls of a tunnel's clients without an answer; () where any call of theirs has one.

    A router on the way may translate them: then the addresses are not the reason. The calls of the
    server itself, and those to all machines of a link, say nothing of its clients.
    """
    subnet = IPv4Network(leaving.subnet)
    calls = [
        (flow, ip_address(flow.dst))
        for flow in flows
        if flow.src != leaving.server and ip_address(flow.src) in subnet
    ]
    flows_of_container = [
        flow
        for flow, called in calls
        if called not in subnet and not called.is_multicast and not called.is_link_local
    ]
    if any("seen_reply" in flow.status or "src_nat" in flow.status for flow in flows_of_container):
        return ()
    called_places = (
        f"{flow.src} to {_called_place(flow)}"
        for flow in flows_of_container
        if flow.dst != _BROADCAST
    )
    return tuple(dict.fromkeys(called_places))


def _called_place(flow: UdpFlow) -> str:
    """The address that a client calls, with the port if the protocol has one."""
    return with_port(flow.dst, flow.dport) if flow.dport else flow.dst


def _exits(
    stack: NetworkStack, tunnel: Device, container: Container | None
) -> Iterator[MisnamedExit]:
    """The rules that miss the clients of one tunnel, at most one for each of its subnets."""
    for text in tunnel.addresses:
        own_interface = ip_interface(text)
        if (
            not isinstance(own_interface, IPv4Interface)
            or own_interface.network.prefixlen > _SMALLEST
        ):
            continue
        client = next(
            str(address) for address in own_interface.network.hosts() if address != own_interface.ip
        )
        traced = trace(stack, Flow(Origin(tunnel.name, client), SOMEWHERE, "tcp", 443))
        if traced.packet is None or not traced.to or traced.to == tunnel.name:
            continue
        if traced.snat is not None or traced.nat_unknown:
            continue
        leaving = MisnamedExit(
            container,
            tunnel=tunnel.name,
            subnet=str(own_interface.network),
            rule=None,
            named="",
            leaves_by=traced.to,
            is_absent=False,
            server=str(own_interface.ip),
        )
        yield _with_rule(leaving, stack, traced)


def _with_rule(leaving: MisnamedExit, stack: NetworkStack, traced: Trace) -> MisnamedExit:
    """The exit with the rule that would hide the clients on another interface, if there is one."""
    for name in _interfaces_named(stack, {leaving.tunnel, leaving.leaves_by}):
        rule = _rule_by(stack, traced, name.replace("+", "0"))
        if rule is not None:
            begin = name.removesuffix("+")
            is_there = any(
                named_device.startswith(begin) if name.endswith("+") else named_device == name
                for named_device in stack.by_name
            )
            return replace(leaving, rule=rule, named=name, is_absent=not is_there)
    return leaving


def _interfaces_named(stack: NetworkStack, excluded: Collection[str]) -> list[str]:
    """The interfaces that rules about a packet's source name, but for some."""
    rules = itertools.chain.from_iterable(chain.rules for chain in stack.ruleset.chains)
    names = itertools.chain.from_iterable(map(_exits_of, filter(_hides_sources, rules)))
    return [name for name in dict.fromkeys(names) if name not in excluded]


def _hides_sources(rule: Rule) -> bool:
    return isinstance(rule.action, Translate) and rule.action.kind in ("snat", "masquerade")


def _exits_of(rule: Rule) -> Iterator[str]:
    """The interfaces by which a packet has to leave for a rule to match: eth0, or eth+ for all that
    begin so."""
    for condition in rule.conditions:
        if isinstance(condition, Match) and condition.fields == ("oif",) and not condition.negate:
            for (value,) in condition.among:
                if isinstance(value, Name):
                    yield f"{value.text}+" if value.prefix else value.text


def _rule_by(stack: NetworkStack, traced: Trace, interface: str) -> Step | None:
    """The rule that would translate the packet if it left by another interface."""
    assert traced.packet is not None
    packet = replace(traced.packet, oif=interface)
    verdict = walk(stack.ruleset, "postrouting", packet)
    return verdict.nat_by if verdict.nat is not None else None
