"""What containers print, as the engine keeps it."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import unix
from diagnose.questions.question import Lane, Policy, Question, engine_get

_ENTRY_BEGINS = LazyPattern(r"(?<=[^\s=\[(])(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z )")
"""Loki and Promtail write a time of the same form behind `ts=`."""
_STAMP_LENGTH = len("2026-01-02T03:04:05.000000000Z")


class TimedLine(NamedTuple):
    """One line of a log."""

    at: float | None
    """Unix time by the engine, None where it gives none."""
    text: str


class ContainerLog(msgspec.Struct, frozen=True):
    """The last lines of a container, each behind its RFC 3339 time, in the order of the engine."""

    text: str = ""
    """Both streams."""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    """What went wrong in the engine while it read."""

    @property
    def lines(self) -> Iterator[TimedLine]:
        """The lines that hold something.

        They end at newlines alone: the name in a `#!` line with DOS line ends contains a carriage
        return. Where a program ends without a newline, the next entry of the log follows at once.
        """
        for row in self.text.split("\n"):
            may_be_several = row.find("Z ", _STAMP_LENGTH) >= 0
            for entry in _ENTRY_BEGINS.split(row) if may_be_several else (row,):
                stamp, _, text = entry.partition(" ")
                if text.strip():
                    yield TimedLine(unix(stamp), text)


LogRound = Literal["", "answered"]
"""answered: once more, when the container's web server has answered a request of ours."""
_BOTH_STREAMS = MappingProxyType({"stdout": True, "stderr": True, "timestamps": True})


def _log_policy(
    kind: str, what: str, *, lane: Lane = "api", collector: str = "engine.api:get"
) -> Policy:
    """The policy of a question for lines of a container's log."""
    return engine_get(
        kind,
        what,
        "/containers/{id}/logs",
        deadline=2,
        priority=4,
        longest=2**20,
        lane=lane,
        collector=collector,
        parameters=_BOTH_STREAMS,
    )


class ReadLogs(Question[ContainerLog], frozen=True):
    """/containers/ID/logs: its last lines."""

    POLICY = _log_policy("api.logs", "the log of a container")
    ROUNDS = {  # noqa: RUF012 - never changed
        "answered": _log_policy(
            "api.logs.answered", POLICY.what, lane="probe", collector="engine.api:written"
        )
    }
    id: str
    tail: int = 50
    bytes: int = 262144
    round: LogRound = ""


class ReadLogsSince(Question[ContainerLog], frozen=True):
    """/containers/ID/logs: its lines of the last seconds.

    The engine reads them from the beginning of the file: the way to the lines of a file whose end
    it does not find.
    """

    POLICY = _log_policy("api.logs.since", "the recent log of a container")
    id: str
    since_s: float
    lines: int = 50
    """How many of the newest lines are kept."""
    bytes: int = 262144
