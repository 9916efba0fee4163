"""Questions about the network namespaces of containers."""

from typing import Literal

import msgspec

from diagnose.model import Json
from diagnose.questions.network import Address, Interface, PolicyRule, Route
from diagnose.questions.question import Policy, Question
from diagnose.questions.sockets import Socket


class NetnsView(msgspec.Struct, frozen=True):
    """The interfaces, addresses, routes and listeners of one network namespace."""

    inode: int
    """The inode number of the namespace."""
    links: list[Interface]
    addresses: list[Address]
    routes: list[Route]
    listeners: list[Socket]


class VisitNetns(Question[NetnsView], frozen=True, omit_defaults=False):
    """A network namespace as a process sees it.

    Interfaces, addresses, routes and listeners. round `later`: a second look, after a moment.
    """

    POLICY = Policy(
        "netns",
        what="the network namespace of a container",
        collector="network.process:ask",
        lane="netns",
        deadline=2,
        priority=4,
    )
    ROUNDS = {  # noqa: RUF012 - never changed
        "later": Policy(
            "netns.later",
            what=POLICY.what,
            collector="network.process:visit_later",
            lane="probe",
            scope="host",
            deadline=4,
            priority=4,
        )
    }
    pid: int
    start: float | None = None
    nft: bool = False
    round: Literal["", "later"] = ""


class NetnsFilter(msgspec.Struct, frozen=True):
    """The rules, routes and settings that decide about packets in one network namespace."""

    nftables: Json
    """As in the answer to `ListNftables`."""
    routes: list[Route]
    """Those to the namespace's own addresses too."""
    rules: list[PolicyRule]
    reverse_path: dict[str, int] = {}
    """rp_filter by interface, "all" among them."""
    legacy: list[str] = []
    """The names of the tables of iptables-legacy."""


class ReadNetnsFilter(Question[NetnsFilter], frozen=True):
    """The packet filter, the routes and the routing rules of a process's network namespace."""

    POLICY = Policy(
        "netns.filter",
        what="the packet filter inside a container's network namespace",
        collector="network.process:ask",
        lane="netns",
        deadline=3,
        priority=4,
    )
    pid: int


class NamedNetns(msgspec.Struct, frozen=True):
    """The forwarding setting of one named network namespace."""

    forwards: bool
    """net.ipv4.ip_forward."""


class ReadNamedNetns(Question[NamedNetns], frozen=True):
    """A network namespace that has no process of its own, and that a file names."""

    POLICY = Policy(
        "netns.named",
        what="a network namespace of the engine's own",
        collector="network.process:ask",
        lane="netns",
        deadline=2,
    )
    path: str
