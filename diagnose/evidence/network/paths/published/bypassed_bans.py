"""Clients that a ban list refuses at the host, and that reach a published port all the same."""

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.published.banned_neighbours import bans_anybody, is_ban
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath, refused_by_host
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.rules import Chain
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.network import ConnectionTable, ListConnections
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
    is_list_alone: bool = False
    """Whether its chain stops nothing but addresses of lists, so that it may be asked elsewhere."""


class BypassedBans(Items[BypassedBan], frozen=True):
    """The bypassed bans, in the order of the ports."""

    walked: int = 0
    """Clients of published ports that were walked."""
    unread: tuple[Unexamined, ...] = ()


@evidence
def bypassed_bans(host: Host, host_stack: HostStack, packet_paths: PacketPaths) -> BypassedBans:
    """The published ports that banned clients reach all the same.

    The collector asks nothing where no rule belongs to a ban list.
    """
    stack = host_stack.stack
    ports = [inbound for inbound in packet_paths.inbound_paths if inbound.family == "ip"][
        :_MOST_PORTS
    ]
    if not bans_anybody(stack):
        return BypassedBans(())
    bypassed: dict[tuple[int, str], list[BypassedBan]] = {}
    unread = []
    walked = 0
    for inbound, table in host.ask_about(ports, _connections):
        if isinstance(table, Failed):
            unread.append(Unexamined(inbound.container.subject, f"clients of its port: {table}"))
            continue
        clients = sorted(_clients(stack, inbound, table))[:_MOST_CLIENTS]
        walked += len(clients)
        at_port = list(_bypassed_at_port(stack, inbound, clients))
        bypassed[inbound.host_port, inbound.port] = [
            ban for ban in at_port if isinstance(ban, BypassedBan)
        ]
        unread += [ban for ban in at_port if isinstance(ban, Unexamined)]
    order = [(inbound.host_port, inbound.port) for inbound in ports]
    items = tuple(ban for key in dict.fromkeys(order) for ban in bypassed.get(key, ()))
    return BypassedBans(
        items, walked, tuple(sorted(unread, key=lambda unexamined: unexamined.subject))
    )


def _connections(inbound: InboundPath) -> ListConnections:
    return ListConnections(
        protocol="udp" if inbound.protocol == "udp" else "tcp", dport=inbound.host_port
    )


def _clients(stack: NetworkStack, inbound: InboundPath, table: ConnectionTable) -> set[str]:
    """The addresses outside this host that the container answered at the port.

    The table has calls of other machines at this port, too, such as those of containers.
    """
    endpoints = inbound.container.endpoints.values()
    host_addresses = {address for endpoint in endpoints for address in endpoint.addresses}
    answered = {
        flow.src
        for flow in table.entries
        if "seen_reply" in flow.status and flow.reply_src in host_addresses
    }
    return {client for client in answered if not _is_of_this_host(stack, client)}


def _is_of_this_host(stack: NetworkStack, client: str) -> bool:
    """Whether a client is the host itself or is behind it, and comes in by no uplink."""
    address = ip_address(client)
    return bool(stack.is_local(client)) or any(address in ip_network(net) for net in stack.inner)


def _bypassed_at_port(
    stack: NetworkStack, inbound: InboundPath, clients: list[str]
) -> Iterator[BypassedBan | Unexamined]:
    """The clients that are banned, and the rules of ban lists that are not understood."""
    uplink = inbound.uplink.name
    address = inbound.host_address
    port = inbound.host_port
    for client in clients:
        flow = Flow(Origin(uplink, client), address, inbound.protocol, port, inbound.family)
        refused = refused_by_host(stack, flow)
        step = refused.by
        if step is None or not is_ban(step.table, step.chain, step.rule):
            continue
        if refused.outcome == "unknown":
            yield Unexamined(
                inbound.container.subject, f"clients of its port: {step} is not understood"
            )
            return
        if trace(stack, flow).rule_in_the_way is None:
            chain = _chain_of(stack, step)
            yield BypassedBan(
                client,
                inbound.container,
                port,
                inbound.protocol,
                step,
                is_hooked=chain is not None and chain.hook is not None,
                is_list_alone=chain is not None and _drops_listed_senders_only(chain),
            )


def _chain_of(stack: NetworkStack, step: Step) -> Chain | None:
    chains = (chain for chain in stack.ruleset.chains if chain.name == step.chain)
    return next((chain for chain in chains if chain.label == step.table), None)


def _drops_listed_senders_only(chain: Chain) -> bool:
    """Whether all rules of a chain of nftables name senders, and others are let through."""
    texts = [rule.text for rule in chain.rules]
    return (
        chain.policy == "accept"
        and all(" saddr " in text for text in texts)
        and not any(" saddr != " in text for text in texts)
    )
