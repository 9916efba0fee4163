"""The failure of systemd to create the engine's socket, without which the engine does not start."""

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.service import ReadJournal
from diagnose.registry import evidence

UNIT = "docker.socket"
LINES = 30
_CAUSE = LazyPattern(
    r"(?:docker\.socket: )?(Failed to (?!listen on).+|.{0,300}Address already in use.*)"
)
_GROUP = LazyPattern(r"Failed to resolve group (?P<group>[\w.-]+)")


class SocketFailure(msgspec.Struct, frozen=True):
    """The failure of systemd to create the engine's socket."""

    has_failed: bool = False
    """The unit of the socket."""
    words: str = ""
    """systemd's on the cause, "" where it has none."""
    group: str = ""
    """The one that does not exist, if that is the cause."""


@evidence
def socket_failure(host: Host, daemon: Daemon) -> SocketFailure:
    """The journal is read only where the unit of the socket has failed."""
    unit = daemon.installation.socket_unit
    if unit is None or unit.active_state != "failed":
        return SocketFailure()
    answer = host.ask(ReadJournal(UNIT, LINES))
    if isinstance(answer, Failed):
        return SocketFailure(has_failed=True)
    for entry in reversed(answer.entries):
        if cause := _CAUSE.search(entry.message):
            group = _GROUP.search(entry.message)
            return SocketFailure(
                has_failed=True, words=cause[1].strip(), group=group["group"] if group else ""
            )
    return SocketFailure(has_failed=True)
