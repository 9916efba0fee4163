"""Clients that a ban list refuses at the host, and that reach a published port all the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.banned_neighbours import bans_anybody, is_ban
from diagnose.evidence.network.paths.ingress import Ingress, refused_by_host
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.stack import Stack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

_MOST_PORTS = 10
"""Published ports that are asked about: each is a walk over the kernel's table."""
_MOST_CLIENTS = 100
"""Clients of one port that are walked."""


class BypassedBan(msgspec.Struct, frozen=True):
    """A banned address that was connected to a published port within the last minutes."""

    address: str
    container: Container
    host_port: int
    protocol: str
    by: Step
    """The rule that refuses the address where it calls the host itself."""
    is_hooked: bool = False
    """Whether its chain is asked by the kernel itself, and not by a rule of another chain."""


class BypassedBans(Items[BypassedBan], frozen=True):
    """In the order of the ports."""

    walked: int = 0
    """Clients of published ports that were walked."""
    unread: tuple[Unexamined, ...] = ()


@evidence
def bypassed_bans(host: Host, host_stack: HostStack, packet_paths: PacketPaths) -> BypassedBans:
    """Nothing is asked where no rule belongs to a ban list."""
    stack = host_stack.stack
    ports = [inlet for inlet in packet_paths.inlets if inlet.family == "ip"][:_MOST_PORTS]
    if not bans_anybody(stack):
        return BypassedBans(())
    bypassed: dict[tuple[int, str], list[BypassedBan]] = {}
    unread, walked = [], 0
    for inlet, table in host.ask_about(
        ports,
        lambda inlet: ListConnections(
            protocol="udp" if inlet.protocol == "udp" else "tcp", dport=inlet.host_port
        ),
    ):
        if isinstance(table, Failed):
            unread.append(Unexamined(inlet.container.subject, f"clients of its port: {table}"))
            continue
        answered = [flow.src for flow in table.entries if "seen_reply" in flow.status]
        clients = sorted(set(answered))[:_MOST_CLIENTS]
        walked += len(clients)
        bypassed[inlet.host_port, inlet.port] = list(_of_port(stack, inlet, clients))
    order = [(inlet.host_port, inlet.port) for inlet in ports]
    items = tuple(item for key in dict.fromkeys(order) for item in bypassed.get(key, ()))
    return BypassedBans(items, walked, tuple(sorted(unread, key=lambda item: item.subject)))


def _of_port(stack: Stack, inlet: Ingress, clients: list[str]) -> Iterator[BypassedBan]:
    uplink, address, port = inlet.uplink.name, inlet.host_address, inlet.host_port
    for client in clients:
        refused = refused_by_host(
            stack, uplink, address, port, inlet.protocol, inlet.family, client
        ).by
        if refused is None or not is_ban(refused.table, refused.chain, refused.rule):
            continue
        flow = Flow(Origin(uplink, client), address, inlet.protocol, port, inlet.family)
        if trace(stack, flow).rule_in_the_way is None:
            hooked = _is_hooked(stack, refused)
            yield BypassedBan(client, inlet.container, port, inlet.protocol, refused, hooked)


def _is_hooked(stack: Stack, by: Step) -> bool:
    """Whether the chain of a rule is one that the kernel asks itself."""
    chains = (chain for chain in stack.ruleset.chains if chain.hook is not None)
    return any((chain.label, chain.name) == (by.table, by.chain) for chain in chains)
