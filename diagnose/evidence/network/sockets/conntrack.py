"""How many connections the host remembers, and how many it can."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

COUNT, LIMIT = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"


class Conntrack(msgspec.Struct, frozen=True):
    """count: entries of the host's namespace; limit: what the kernel allows in all.

    None where nothing is tracked.
    """

    count: int | None
    limit: int | None


@evidence
def conntrack(host: Host) -> Conntrack | Unavailable:
    """Two settings that everyone may read; they are absent while the module is not loaded."""
    answer = host.ask(ReadSysctls([COUNT, LIMIT]))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    values = [
        int(text) if (text := answer.get(name) or "").isdigit() else None for name in (COUNT, LIMIT)
    ]
    return Conntrack(*values)
