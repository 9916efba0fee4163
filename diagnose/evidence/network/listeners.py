"""Sockets of the host that take what comes to a port, and who holds them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class Listener(msgspec.Struct, frozen=True):
    """One listening socket. pid, comm and container (64-digit id) are None where the holder may not be
    seen."""

    proto: str
    address: str
    port: int
    pid: int | None = None
    comm: str | None = None
    container: str | None = None

    def __post_init__(self) -> None:
        if self.address:
            ipaddress.ip_address(self.address.strip("[]"))

    @property
    def holder(self) -> str:
        """Who holds it, as people say it."""
        return f"{self.comm} (pid {self.pid})" if self.comm else "a process that only root can name"

    def clashes(self, proto: str, address: str, port: int) -> bool:
        """Whether it keeps this address and port (tcp or udp) from being bound; empty or unspecified means
        all addresses."""
        if self.port != port or self.proto.removesuffix("6") != proto:
            return False
        return overlap(self.address, address)


def overlap(one: str, other: str) -> bool:
    """Whether sockets bound to these two addresses would take the same packets: equal, or one takes all of
    the family."""
    first, second = (ipaddress.ip_address(each.strip("[]") or "0.0.0.0") for each in (one, other))  # noqa: S104
    for wide in (first, second):
        if wide.is_unspecified and (wide.version == 6 or first.version == second.version):
            return True  # a dual-stack socket on :: takes IPv4 too
    return first == second


class Listeners(msgspec.Struct, frozen=True):
    """All listening TCP and unconnected UDP sockets of the host's namespace."""

    items: tuple[Listener, ...]

    def __iter__(self) -> Iterator[Listener]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def on(self, proto: str, address: str, port: int) -> tuple[Listener, ...]:
        """Those that keep this address and port from being bound, the ones with a known holder first."""
        found = [each for each in self.items if each.clashes(proto, address, port)]
        return tuple(sorted(found, key=lambda each: (each.pid is None, each.proto)))


@evidence
def listeners(host: Host) -> Listeners | Unavailable:
    """One question; who holds a socket of another user is known to root only."""
    answer = host.ask(question("listeners"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return Listeners(tuple(msgspec.convert(answer, list[Listener])))
