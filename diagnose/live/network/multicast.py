"""Packets to groups, by the kernel's counters of network namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.live.kernel.proc_files import counters_of
from diagnose.model import Json

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.sockets import CountMulticast


def count(_live: Live, question: CountMulticast) -> Json:
    """InMcastPkts, OutMcastPkts and OutBcastPkts of /proc/PID/net/netstat; a process that is gone
    is left out.

    Shape: `MulticastCounters` by pid. All are of IPv4 (net/ipv4/proc.c); a packet that the kernel
    returns to a member of the group in the sender's own namespace counts as received.
    """
    answer: dict[str, Json] = {}
    for pid in question.pids:
        try:
            counters = counters_of(pid, "netstat")
        except OSError:
            continue
        received, sent, broadcasts = (
            counters.get(f"IpExt:{kind}", 0)
            for kind in ("InMcastPkts", "OutMcastPkts", "OutBcastPkts")
        )
        answer[str(pid)] = {"received": received, "sent": sent, "broadcasts": broadcasts}
    return answer
