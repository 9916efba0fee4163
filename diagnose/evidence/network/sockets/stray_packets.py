"""Packets that belong to no connection in the kernel's account, and what this host does with them.

conntrack takes a packet outside the window of its connection for invalid, and undoes no translation
for it: a packet for a container reaches the host itself. No program of the host has that
connection, so the kernel answers with a reset, and the other side ends it.
"""

import msgspec

from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.protocol_counters import PROTOCOLS, counter
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.packet import Packet
from diagnose.firewall.walk import walk
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

COUNTERS = "/proc/net/stat/nf_conntrack"
_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
_WEB_PORT = 443
_FREE_PORT = 40_404
"""A port from which connections are opened, at which nobody listens."""


class StrayPackets(msgspec.Struct, frozen=True):
    """Packets outside the window of their connection, since the host has booted."""

    invalid: int = 0
    """Those that conntrack took for invalid."""
    resets: int = 0
    """The resets that this host has sent, to whatever packet."""
    are_answered: bool = False
    """Whether such a packet reaches the kernel's TCP, which answers it."""


@evidence
def stray_packets(
    host: Host, host_stack: HostStack, uplinks: Uplinks
) -> StrayPackets | Unavailable:
    """The kernel's counters, and the rules that such a packet meets.

    Two files and a setting, which everyone may read. With the setting nf_conntrack_tcp_be_liberal
    no packet is outside a window.
    """
    uplink = uplinks.preferred
    settings = host.ask(ReadSysctls([_LIBERAL]))
    is_liberal = not isinstance(settings, Failed) and settings.get(_LIBERAL) == "1"
    counters = host.ask(ReadFile(COUNTERS))
    if is_liberal or isinstance(counters, Failed):
        return StrayPackets()
    if uplink is None or uplink.address is None:
        return StrayPackets()
    protocols = host.require(ReadFile(PROTOCOLS))
    packet = Packet(
        iif=uplink.name,
        oif="",
        src=SOMEWHERE,
        dst=uplink.address,
        sport=_WEB_PORT,
        dport=_FREE_PORT,
        state="invalid",
        dst_local=True,
    )
    rules = host_stack.stack.ruleset
    ways = (walk(rules, "prerouting", packet), walk(rules, "input", packet))
    return StrayPackets(
        invalid_packets(counters.text),
        counter(protocols.text, "Tcp", "OutRsts"),
        are_answered=all(way.outcome == "accept" for way in ways),
    )


def invalid_packets(text: str) -> int:
    """The sum over all processors of the column `invalid`, in hexadecimal numbers."""
    names, *rows = [line.split() for line in text.splitlines() if line.strip()] or [[]]
    if "invalid" not in names:
        return 0
    column = names.index("invalid")
    return sum(int(row[column], 16) for row in rows if len(row) > column)
