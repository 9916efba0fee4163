"""The network stacks of containers whose namespace has more than the engine's own settings."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import addresses_with_prefix
from diagnose.firewall.network_stack import Device, NetworkStack, Settings
from diagnose.firewall.packet import Family
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.firewall import Flavour, SaveIptables
from diagnose.questions.netns import NetnsFilter, ReadNetnsFilter

MOST = 20
"""Namespaces whose rules are read."""
_NET_ADMIN = frozenset({"NET_ADMIN", "CAP_NET_ADMIN", "ALL"})


class InnerStacks(msgspec.Struct, frozen=True):
    """The stacks that could be read."""

    by_owner: dict[str, NetworkStack]
    """By the id of the container whose namespace it is."""
    unread: tuple[Unexamined, ...]
    """Containers whose namespace could not be read."""


def inner_stacks(host: Host, namespaces: Sequence[ContainerNetns]) -> InnerStacks:
    """Ask each of these namespaces for its rules, routes and interfaces."""
    stacks: dict[str, NetworkStack] = {}
    unread = []
    for netns, answer in host.ask_about(
        namespaces, lambda netns: ReadNetnsFilter(netns.container.state.pid)
    ):
        if not isinstance(answer, Failed):
            stacks[netns.container.id] = _stack(host, netns, answer)
        elif answer.reason != "gone":
            unread.append(Unexamined(netns.container.subject, f"its packet filter: {answer}"))
    return InnerStacks(stacks, tuple(unread))


def changed_namespaces(namespaces: Namespaces, containers: Containers) -> list[ContainerNetns]:
    """The namespaces that a container may change, or that have interfaces of another program."""
    members = _members(containers)
    return [
        netns
        for netns in namespaces
        if netns.container.endpoints and _is_own(netns, members.get(netns.container.id, ()))
    ][:MOST]


def _members(containers: Containers) -> dict[str, list[Container]]:
    """The running containers in one network namespace, by the id of its owner."""
    members: dict[str, list[Container]] = {}
    for container in containers.running:
        owner = containers.namespace_owners.get(container.id, container)
        members.setdefault(owner.id, []).append(container)
    return members


def _is_own(netns: ContainerNetns, members: Sequence[Container]) -> bool:
    """Whether a namespace may have rules or routes that the engine did not make."""
    if any(
        member.host_config.privileged or _NET_ADMIN & set(member.host_config.cap_add or ())
        for member in members
    ):
        return True
    given_addresses = {
        endpoint.mac_address.lower() for endpoint in netns.container.endpoints.values()
    }
    return any(
        link.up and link.mac not in given_addresses and link.name != "lo" for link in netns.links
    )


def _stack(host: Host, netns: ContainerNetns, answer: NetnsFilter) -> NetworkStack:
    """The network stack inside of a container: its interfaces, settings and rules."""
    names = {link.index: link.name for link in netns.links}
    devices = tuple(
        Device(link.name, addresses_with_prefix(link, netns.addresses), link.kind)
        for link in netns.links
    )
    everywhere = answer.reverse_path.get("all", 0)
    modes: dict[str, int | None] = {
        name: max(everywhere, answer.reverse_path.get(name, 0)) for name in names.values()
    }
    pid = netns.container.state.pid
    saved = _saved_rules(host, "nft", pid) if _has_ip_tables(answer) else ""
    legacy: dict[Family, str | None] = (
        {"ip": _saved_rules(host, "legacy", pid)} if answer.legacy else {}
    )
    nftables = answer.nftables if isinstance(answer.nftables, dict) else None
    ruleset = assemble(nftables, {"ip": saved or ""}, legacy, names)
    return NetworkStack(
        ruleset, Routing(answer.routes, answer.rules, names), devices, Settings(reverse_path=modes)
    )


def _has_ip_tables(answer: NetnsFilter) -> bool:
    """Whether nftables has a table for IPv4, in which iptables-nft may have rules."""
    tables = answer.nftables.get("tables") if isinstance(answer.nftables, dict) else None
    return any(
        isinstance(table, dict) and table.get("family") == "ip"
        for table in (tables if isinstance(tables, list) else ())
    )


def _saved_rules(host: Host, flavour: Flavour, pid: int) -> str | None:
    """The rules as iptables-save prints them in the namespace of this process."""
    answer = host.ask(SaveIptables(flavour, "ip", pid))
    return None if isinstance(answer, Failed) else answer.text
