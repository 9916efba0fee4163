"""The interfaces by which the host reaches the rest of the world."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

_MAIN_TABLE = 254
_OF_DOCKER = re.compile(r"docker0|br-[0-9a-f]{12}|veth[0-9a-f]{7}")
"""The names that the engine gives its bridges and the host's ends of veth pairs: nothing beyond them is reached by a route."""


class Uplink(msgspec.Struct, frozen=True):
    """One interface that leads to others, and the host's first global IPv4 address on it, if it has one."""

    name: str
    address: str | None

    @property
    def is_public(self) -> bool:
        """Whether the address can be reached from anywhere on the internet."""
        return self.address is not None and ip_address(self.address).is_global


class Uplinks(msgspec.Struct, frozen=True):
    """Interfaces with an IPv4 default route in the main table, the preferred one first; on a host without one, those to the nets
    that it is on itself. An interface of the engine never counts, whatever routes another program gave it.

    interfaces: index -> name of every interface. addresses: index -> its first global IPv4 address.
    """

    items: tuple[Uplink, ...]
    interfaces: dict[int, str]
    addresses: dict[int, str | None]

    def by_index(self, index: int | None) -> Uplink | None:
        """The interface of this index as one that leads to others; None where there is none, or it is one of the engine's."""
        if index not in self.interfaces or _OF_DOCKER.fullmatch(self.interfaces[index]):
            return None
        return Uplink(self.interfaces[index], self.addresses.get(index))

    def __iter__(self) -> Iterator[Uplink]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class _Link(msgspec.Struct):
    index: int
    name: str | None = None
    kind: str | None = None
    link_netnsid: int | None = None

    @property
    def leads_to_others(self) -> bool:
        """Whether it is not the loopback, no bridge, and no end of a pair whose other end is in a container."""
        is_of_docker = bool(_OF_DOCKER.fullmatch(self.name or ""))
        return self.name != "lo" and self.kind != "bridge" and self.link_netnsid is None and not is_of_docker


class _Address(msgspec.Struct):
    index: int
    address: str | None = None
    family: str = ""
    scope: str = ""


class _Route(msgspec.Struct):
    table: int
    dst: str
    prefix: int
    oif: int | None = None
    type: str | None = None
    metric: int = 0
    family: str = ""


@evidence
def uplinks(host: Host) -> Uplinks | Unavailable:
    """Three netlink dumps, which need no privilege."""
    asked = [question("net.links"), question("net.addresses"), question("net.routes")]
    answers = dict(host.ask_many(asked))
    for answer in answers.values():
        if isinstance(answer, Failed):
            return Unavailable.of(answer)
    links = msgspec.convert(answers[asked[0]], list[_Link])
    addresses = msgspec.convert(answers[asked[1]], list[_Address])
    routes = msgspec.convert(answers[asked[2]], list[_Route])
    names = {each.index: each.name or "" for each in links}
    first = {
        each.index: each.address for each in reversed(addresses) if each.family == "inet" and each.scope == "global"
    }
    defaults = [
        each
        for each in routes
        if each.family == "inet" and each.table == _MAIN_TABLE and each.prefix == 0 and each.type == "unicast"
        if not _OF_DOCKER.fullmatch(names.get(each.oif or 0, ""))
    ]
    found = dict.fromkeys(each.oif for each in sorted(defaults, key=lambda route: route.metric) if each.oif in names)
    found = found or dict.fromkeys(each.index for each in links if each.leads_to_others and each.index in first)
    return Uplinks(tuple(Uplink(names[index], first.get(index)) for index in found if index is not None), names, first)
