"""The number of tracked connections on the host, and its limit."""

from collections.abc import Mapping

import msgspec

from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

IDLE = "net.netfilter.nf_conntrack_tcp_timeout_established"
COUNT = "net.netfilter.nf_conntrack_count"
LIMIT = "net.netfilter.nf_conntrack_max"


class Conntrack(msgspec.Struct, frozen=True):
    """The tracked connections and their limit; None where nothing is tracked."""

    count: int | None
    """Entries of the host's namespace."""
    limit: int | None
    """The kernel's limit for all."""


@evidence
def conntrack(host: Host) -> Conntrack | Unavailable:
    """The tracked connections and their limit, by two settings that everyone may read.

    They are absent while the module is not loaded.
    """
    answer = host.require(ReadSysctls([COUNT, LIMIT]))
    return Conntrack(_number(answer, COUNT), _number(answer, LIMIT))


def _number(settings: Mapping[str, str | None], name: str) -> int | None:
    text = settings.get(name) or ""
    return int(text) if text.isdigit() else None


class IdleTimeout(msgspec.Struct, frozen=True):
    """The idle seconds after which the host forgets a TCP connection.

    None where nothing is tracked.
    """

    seconds: int | None


@evidence
def idle_timeout(host: Host) -> IdleTimeout | Unavailable:
    """The idle timeout of tracked TCP connections; the kernel's default is five days.

    Everyone may read the setting.
    """
    answer = host.require(ReadSysctls([IDLE]))
    return IdleTimeout(_number(answer, IDLE))
