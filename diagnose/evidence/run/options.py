"""What the user asked of the run, as far as evidence depends on it."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class Options(msgspec.Struct, frozen=True):
    """since_s: how far back events and logs are looked at. resolve: names that must resolve.

    wanted: the selected check ids; empty for all.
    """

    since_s: float = 86400.0
    resolve: tuple[str, ...] = ()
    wanted: frozenset[str] = frozenset()
    budget_s: float = 10.0


class _Said(msgspec.Struct):
    since_s: float = 86400.0
    resolve: list[str] = []
    wanted: list[str] = []
    budget_s: float = 10.0


@evidence
def options(host: Host) -> Options:
    """The defaults where a tape of another tool version holds none."""
    answer = host.ask(question("options"))
    if isinstance(answer, Failed):
        return Options()
    said = msgspec.convert(answer, _Said)
    return Options(said.since_s, tuple(said.resolve), frozenset(said.wanted), said.budget_s)
