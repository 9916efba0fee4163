"""First processes of containers that wait for a reader of their output.

The reader is a remote log driver, or a client that is attached to the container.
"""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import CountWakings
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

WATCHED_S = 0.3


class LogWriter(msgspec.Struct, frozen=True):
    """The first process of a running container whose output has another reader too."""

    container: Container
    waits_in: str
    """The kernel function that it has waited in all the time; "" if it went on meanwhile."""

    @property
    def is_at_a_pipe(self) -> bool:
        """Whether it waits until another process reads its output."""
        return "pipe_write" in self.waits_in


class LogWriters(Items[LogWriter], frozen=True):
    """The processes that write into each log, sorted by container name."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def log_writers(host: Host, containers: Containers, events: Events | None) -> LogWriters:
    """The first processes that write to a remote driver or an attached client, by /proc/PID/wchan.

    Only root may read that file. `docker run` without -d shows an attached client itself, and the
    engine has an event of each `docker attach`. A process that waits at a pipe is watched for a
    moment, since a quick writer does so too.
    """
    attached = {event.id for event in events or () if event.action == "attach"}
    watched = [container for container in containers.running if _may_wait(container, attached)]
    writers = _writers(host, watched)
    at_pipes = [writer for writer in writers if writer.is_at_a_pipe]
    wakings = _wakings(host, at_pipes)
    if isinstance(wakings, Failed):
        unread = [Unexamined(writer.container.subject, str(wakings)) for writer in at_pipes]
        readable = tuple(writer for writer in writers if not writer.is_at_a_pipe)
        return LogWriters(readable, (*writers.unexamined, *unread))
    seen_twice = tuple(_with_wakings(writer, wakings) for writer in writers)
    return LogWriters(seen_twice, writers.unexamined)


def _may_wait(container: Container, attached: Collection[str]) -> bool:
    """Whether a reader besides the engine's own file takes its output."""
    is_remote = not container.host_config.log_config.is_local
    return is_remote or container.was_watched or container.id in attached


def _writers(host: Host, watched: Sequence[Container]) -> LogWriters:
    """The kernel function in which each first process waits now."""
    writers: list[LogWriter] = []
    unexamined: list[Unexamined] = []
    for container, process in host.ask_about(
        watched, lambda container: InspectProcess(container.state.pid)
    ):
        if not isinstance(process, Failed):
            writers.append(LogWriter(container, process.wchan or ""))
        elif process.reason != "gone":
            unexamined.append(Unexamined(container.subject, str(process)))
    writers.sort(key=lambda writer: writer.container.name)
    return LogWriters(tuple(writers), tuple(unexamined))


def _wakings(host: Host, writers: Sequence[LogWriter]) -> Mapping[str, int | None] | Failed:
    """The number of wake-ups of each first process while it was watched, by its pid."""
    if not writers:
        return {}
    pids = sorted({writer.container.state.pid for writer in writers})
    return host.ask(CountWakings(pids, WATCHED_S))


def _with_wakings(writer: LogWriter, wakings: Mapping[str, int | None]) -> LogWriter:
    """The writer, which waits in nothing if it went on at its pipe."""
    if not writer.is_at_a_pipe or wakings.get(str(writer.container.state.pid)) == 0:
        return writer
    return LogWriter(writer.container, "")
