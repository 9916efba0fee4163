"""What the first process of each container with a remote log driver is waiting for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import CountWakings
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

LOCAL_DRIVERS = frozenset({"json-file", "local", "none", "journald", "db", ""})
"""Drivers that write to this machine; the others wait for something that may be far away."""

WATCHED_S = 0.3


class LogWriter(msgspec.Struct, frozen=True):
    """The first process of a running container with a remote log driver."""

    container: Container
    waits_in: str
    """The kernel function that it has waited in all the time; "" if it went on meanwhile."""

    @property
    def is_at_a_pipe(self) -> bool:
        """Whether it waits until somebody reads what it has written."""
        return "pipe_write" in self.waits_in


class LogWriters(Items[LogWriter], frozen=True):
    """By the name of the container."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def log_writers(host: Host, containers: Containers) -> LogWriters:
    """/proc/PID/wchan, which root alone may read.

    A process that waits at a pipe is watched for a moment, since a quick writer does so too.
    """
    writers, unexamined = _writers(host, containers)
    at_pipes = [writer for writer in writers if writer.is_at_a_pipe]
    wakings = _wakings(host, at_pipes)
    if isinstance(wakings, Failed):
        unread = [Unexamined(writer.container.subject, str(wakings)) for writer in at_pipes]
        others = tuple(writer for writer in writers if not writer.is_at_a_pipe)
        return LogWriters(others, (*unexamined, *unread))
    return LogWriters(tuple(_as_watched(writer, wakings) for writer in writers), tuple(unexamined))


def _writers(host: Host, containers: Containers) -> tuple[list[LogWriter], list[Unexamined]]:
    """What each first process waits in now, and those that could not be looked at."""
    remote = [
        container
        for container in containers.running
        if container.host_config.log_config.type not in LOCAL_DRIVERS
    ]
    writers: list[LogWriter] = []
    unexamined: list[Unexamined] = []
    for container, process in host.ask_about(
        remote, lambda container: InspectProcess(container.state.pid)
    ):
        if not isinstance(process, Failed):
            writers.append(LogWriter(container, process.wchan or ""))
        elif process.reason != "gone":
            unexamined.append(Unexamined(container.subject, str(process)))
    return sorted(writers, key=lambda writer: writer.container.name), unexamined


def _wakings(host: Host, writers: Sequence[LogWriter]) -> Mapping[str, int | None] | Failed:
    """How often each first process went on while it was watched, by its pid."""
    if not writers:
        return {}
    pids = sorted({writer.container.state.pid for writer in writers})
    return host.ask(CountWakings(pids, WATCHED_S))


def _as_watched(writer: LogWriter, wakings: Mapping[str, int | None]) -> LogWriter:
    """The writer, which waits in nothing if it went on at its pipe."""
    if not writer.is_at_a_pipe or wakings.get(str(writer.container.state.pid)) == 0:
        return writer
    return LogWriter(writer.container, "")
