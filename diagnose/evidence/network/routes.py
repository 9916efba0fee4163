"""The host's routes, of all tables."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator

import msgspec

from diagnose.evidence.network.networks import Subnet
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

MAIN_TABLE = 254


class Route(msgspec.Struct, frozen=True, dict=True):
    """One next hop of one route. oif: index of its interface. mtu: the route's own metric in bytes, None if
    it has none."""

    dst: str = ""
    prefix: int = 0
    family: str = "inet"
    table: int = MAIN_TABLE
    gateway: str | None = None
    oif: int | None = None
    type: str | None = "unicast"
    scope: str = "global"
    proto: str = ""
    metric: int = 0
    mtu: int | None = None
    src: str | None = None

    def __post_init__(self) -> None:
        ipaddress.ip_network(f"{self.dst}/{self.prefix}", strict=False)
        if self.gateway:
            ipaddress.ip_address(self.gateway)

    @functools.cached_property
    def net(self) -> Subnet:
        return ipaddress.ip_network(f"{self.dst}/{self.prefix}", strict=False)

    @property
    def leads_somewhere(self) -> bool:
        """Whether packets leave by it: not local, broadcast, multicast or blackhole."""
        return self.type == "unicast"

    def __str__(self) -> str:
        via = f" via {self.gateway}" if self.gateway else ""
        table = f" table {self.table}" if self.table != MAIN_TABLE else ""
        return ("default" if not self.prefix else str(self.net)) + via + table


class Routes(msgspec.Struct, frozen=True, dict=True):
    """All routes in the kernel's order."""

    items: tuple[Route, ...]

    def __iter__(self) -> Iterator[Route]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @functools.cached_property
    def lead_out(self) -> bool:
        """Whether some route, of either family and any table, leads to more than named nets: a default one, or half of one."""
        return any(each.prefix <= 1 and each.leads_somewhere for each in self.items)

    @functools.cached_property
    def default6(self) -> Route | None:
        """An IPv6 default route, of any table; None on a host without one."""
        return next((e for e in self.items if e.family == "inet6" and not e.prefix and e.leads_somewhere), None)

    @functools.cached_property
    def default(self) -> Route | None:
        """The IPv4 default route of the main table that wins, None on a host without one."""
        candidates = [
            each
            for each in self.items
            if each.family == "inet" and not each.prefix and each.table == MAIN_TABLE and each.leads_somewhere
        ]
        return min(candidates, key=lambda each: each.metric, default=None)


@evidence
def routes(host: Host) -> Routes | Unavailable:
    """One netlink dump, which needs no privilege."""
    answer = host.ask(question("net.routes"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return Routes(tuple(msgspec.convert(answer, list[Route])))
