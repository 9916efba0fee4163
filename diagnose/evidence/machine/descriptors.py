"""Processes of containers that have nearly as many files open as they may."""

from __future__ import annotations

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

WORTH_PCT = 80.0
"""From this share of its limit on a process is told of; what it means is for the check to say."""


class Crowded(msgspec.Struct, frozen=True):
    """One process. open, limit: descriptors, and the soft limit of them."""

    pid: int
    open: int
    limit: int
    comm: str | None = None
    container: str | None = None


class _Answer(msgspec.Struct):
    processes: list[Crowded]
    unseen: int = 0


class OpenFiles(msgspec.Struct, frozen=True):
    """By container id the process that is nearest to its limit."""

    by_container: dict[str, Crowded]


@evidence
def open_files(host: Host) -> OpenFiles | Unavailable:
    """One count of every process's descriptors, which root alone may see."""
    answer = host.ask(question("descriptors", share=WORTH_PCT))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    said = msgspec.convert(answer, _Answer)
    if said.unseen and not said.processes:
        return Unavailable("forbidden", f"the open files of {said.unseen} processes may be counted by root only")
    return OpenFiles({each.container: each for each in reversed(said.processes) if each.container})
