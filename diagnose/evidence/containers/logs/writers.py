"""What the first process of each container with a remote log driver is waiting for."""

from __future__ import annotations

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


class LogWriters(Items[tuple[Container, str]], frozen=True):
    """Running containers with a remote log driver.

    items: each with the kernel function that its first process has waited in all the time ("" if it
    went on meanwhile).
    """

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def log_writers(host: Host, containers: Containers) -> LogWriters:
    """/proc/PID/wchan, which root alone may read.

    Who waits for a pipe is looked at for a while, since a quick writer does too.
    """
    remote = [
        container
        for container in containers.running
        if container.host_config.log_config.type not in LOCAL_DRIVERS
    ]
    writers: list[tuple[Container, str]] = []
    unexamined: list[Unexamined] = []
    for container, process in host.ask_about(
        remote, lambda container: InspectProcess(container.state.pid)
    ):
        if not isinstance(process, Failed):
            writers.append((container, process.wchan or ""))
        elif process.reason != "gone":
            unexamined.append(Unexamined(container.subject, str(process)))
    waiting = {container.state.pid for container, wchan in writers if "pipe_write" in wchan}
    wakings = _wakings(host, waiting)
    items = []
    for container, wchan in sorted(writers, key=lambda writer: writer[0].name):
        if container.state.pid not in waiting:
            items.append((container, wchan))
        elif isinstance(wakings, Failed):
            unexamined.append(Unexamined(container.subject, str(wakings)))
        else:
            stands_still = wakings.get(str(container.state.pid)) == 0
            items.append((container, wchan if stands_still else ""))
    return LogWriters(tuple(items), tuple(unexamined))


def _wakings(host: Host, pids: set[int]) -> dict[str, int | None] | Failed:
    """How often each first process went on while it was watched, by its pid."""
    if not pids:
        return {}
    return host.ask(CountWakings(sorted(pids), WATCHED_S))
