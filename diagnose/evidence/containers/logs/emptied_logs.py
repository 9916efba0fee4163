"""Log files that another program has emptied, and whose end the engine does not show any more."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 10
"""Logs that are looked at."""
_HEAD_BYTES = 8192
_EARLIEST_S = 30.0
"""Seconds after its container's start from which on a first line is late."""
_TIME = LazyPattern(r'"time":"(?P<time>\d{4}-[\dT:.+Z-]{10,40})"')


class EmptiedLog(msgspec.Struct, frozen=True):
    """A log file whose first line is much later than the container's start."""

    container: Container
    path: str
    begins_after_s: float
    """Seconds from the container's start to the first line that the file has."""


class EmptiedLogs(Items[EmptiedLog], frozen=True):
    """The emptied logs of running containers with the driver json-file."""


@evidence
def emptied_logs(host: Host, containers: Containers, recent_logs: RecentLogs) -> EmptiedLogs:
    """The emptied logs of running containers, by the beginning of each log without a readable end.

    The engine remembers the length of the file, and looks for its end there (moby/moby#45728; seen
    on 28.5.2, not on 20.10.24). A file that the engine has rotated itself begins late as well: it
    is left out. Where the engine does not give the end of a whole file either, it is slow, and a
    program that was quiet at its start has emptied nothing.
    """
    unanswered = [
        container
        for container in containers.running
        if container.id in recent_logs.endless
        and container.host_config.log_config.has_json_file
        and container.log_path
    ]
    read = host.first(unanswered, MOST, "logs that were not read in time")
    logs = [_emptied_log(host, container) for container in read]
    if None in logs:
        return EmptiedLogs()
    return EmptiedLogs(tuple(log for log in logs if log is not None))


def _emptied_log(host: Host, container: Container) -> EmptiedLog | None:
    """The log of a container if it begins much later than the run, and nothing rotated it."""
    began = container.started_at
    rotated = host.ask(ReadFile(f"{container.log_path}.1", max_bytes=1))
    head = host.ask(ReadFile(container.log_path, max_bytes=_HEAD_BYTES))
    if began is None or isinstance(head, Failed) or not isinstance(rotated, Failed):
        return None
    first = _TIME.search(head.text)
    at = unix(first["time"]) if first is not None else None
    if rotated.reason != "missing" or at is None or at - began < _EARLIEST_S:
        return None
    return EmptiedLog(container, container.log_path, at - began)
