"""Where the kernel sends what comes from networks and what is for them, by all its rules and tables."""

from __future__ import annotations

from typing import Any

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

SOMEWHERE = "44.192.0.1"
"""A peer of no particular kind, to whom nothing is sent: an ordinary public address, since filters against spoofing drop those
that are reserved. Where the open question has no answer and this one has, the filter has a policy about addresses, and nothing
is unclear."""


class RouteLookup(msgspec.Struct, frozen=True):
    """One decision: the interface's index, the next hop and the table, or the kernel's refusal (an errno's name)."""

    oif: int | None = None
    gateway: str | None = None
    table: int | None = None
    error: str | None = None


class RouteLookups(msgspec.Struct, frozen=True):
    """own: of the host's own packets to somewhere. out, back: of those of one container of each network that lead out, and of those
    for it, by the network's name. rules: the routing rules that are not the kernel's own, as text.
    """

    own: RouteLookup
    out: dict[str, RouteLookup]
    back: dict[str, RouteLookup]
    rules: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.out)


class _Rule(msgspec.Struct):
    priority: int = 0
    src: str | None = None
    dst: str | None = None
    iif: str | None = None
    table: int = 0
    action: str = ""

    def __str__(self) -> str:
        words = [f"{self.priority}: from {self.src or 'all'}"]
        words += [f"{word} {value}" for word, value in (("to", self.dst), ("iif", self.iif)) if value]
        return " ".join([*words, f"lookup {self.table}" if self.action == "lookup" else self.action])


_OWN_RULES = (0, 32766, 32767)
"""Priorities of the three rules of a host without a routing policy: local, main, default."""


@evidence
def ways(host: Host, containers: Containers, networks: Networks, links: Interfaces) -> RouteLookups | Unavailable:
    """The kernel itself is asked, about one running container of each network that has its bridge."""
    asked: list[dict[str, Any]] = [{"dst": SOMEWHERE, "src": None, "iif": None}]
    names = []
    for network in networks.bridges:
        bridge = links.by_name.get(network.bridge)
        addresses = (
            each.endpoints[network.name].ip_address for each in containers.running if network.name in each.endpoints
        )
        address = next(filter(None, addresses), None)
        if bridge is None or not bridge.up or address is None or network.internal or not network.bridge_has_address:
            continue
        names.append(network.name)
        asked += [{"dst": SOMEWHERE, "src": address, "iif": bridge.index}, {"dst": address, "src": None, "iif": None}]
    answer = host.ask(question("net.ways", asked=asked))
    rules = host.ask(question("net.rules"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    own, *rest = msgspec.convert(answer, list[RouteLookup])
    listed = [] if isinstance(rules, Failed) else msgspec.convert(rules, list[_Rule])
    policy = tuple(str(each) for each in listed if each.priority not in _OWN_RULES)
    return RouteLookups(
        own, dict(zip(names, rest[::2], strict=True)), dict(zip(names, rest[1::2], strict=True)), policy
    )
