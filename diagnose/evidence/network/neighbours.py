"""The kernel's table of neighbours.

How many entries it may hold, and which addresses did not answer.
"""

from collections.abc import Collection, Iterator

import msgspec

from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

_FAMILIES = ("ipv4", "ipv6")
_ARP_TABLE = "/proc/net/arp"
_UNANSWERED = 0
_PERMANENT = 0x04
"""ATF_PERM of include/uapi/linux/if_arp.h: an entry by hand that never grows old."""


class NeighbourLimits(msgspec.Struct, frozen=True):
    """The most neighbours that the kernel keeps (gc_thresh3); None where that is not visible."""

    thresholds: dict[str, int | None]
    """By family, the entries above which no new neighbour is taken."""

    def of(self, family: str) -> int | None:
        return self.thresholds.get(family)


@evidence
def neighbour_limits(host: Host) -> NeighbourLimits | Unavailable:
    """The limits of the kernel's neighbour table, in the first network namespace.

    Another namespace does not show them.
    """
    names = {family: f"net.{family}.neigh.default.gc_thresh3" for family in _FAMILIES}
    answer = host.require(ReadSysctls(list(names.values())))
    return NeighbourLimits({family: _number(answer.get(name)) for family, name in names.items()})


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


class Neighbour(msgspec.Struct, frozen=True):
    """An IPv4 address that the host tried to reach on an interface, and its hardware address.

    "" without an answer.
    """

    address: str
    interface: str
    mac: str
    is_permanent: bool = False
    """Whether the entry was added by hand, so that the address is not asked for."""

    @property
    def is_unanswered(self) -> bool:
        return not self.mac


class Neighbours(Items[Neighbour], frozen=True):
    """The host's ARP table."""

    def mistaken(self, address: str, mac: str) -> Neighbour | None:
        """The ARP entry of an address whose hardware address is not `mac`; None without one."""
        entries = (entry for entry in self if entry.address == address and entry.mac)
        return next((entry for entry in entries if entry.mac.lower() != mac.lower()), None)

    def are_permanent(self, addresses: Collection[str]) -> bool:
        """Whether the hardware address of each is entered by hand, so that none is asked for."""
        permanent = {entry.address for entry in self if entry.is_permanent}
        return bool(addresses) and permanent.issuperset(addresses)

    def has_unanswered_on(self, interface: str) -> bool:
        return any(entry.interface == interface and entry.is_unanswered for entry in self)

    def unanswered(self, address: str) -> Neighbour | None:
        """The entry of an address that the host asked for without an answer."""
        return next(
            (entry for entry in self if entry.address == address and entry.is_unanswered), None
        )


@evidence
def neighbours(host: Host) -> Neighbours | Unavailable:
    """The host's ARP table, which everyone may read."""
    table = host.require(ReadFile(_ARP_TABLE))
    return Neighbours(tuple(parse_arp(table.text)))


def parse_arp(text: str) -> Iterator[Neighbour]:
    """Rows of the kernel's table (`arp_format_neigh_entry`).

    Address, type, flags, hardware address, mask, device.
    """
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 6:
            flags = int(fields[2], 16)
            mac = fields[3] if flags != _UNANSWERED else ""
            yield Neighbour(fields[0], fields[5], mac, is_permanent=bool(flags & _PERMANENT))
