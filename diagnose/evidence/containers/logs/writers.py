"""What the first process of each container with a remote log driver is waiting for."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import CountWakings
from diagnose.questions.machine import InspectProcess
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
    waits_in: dict[str, str] = {}
    missing: list[Unexamined] = []
    for container, process in host.ask_about(
        remote, lambda container: InspectProcess(container.state.pid)
    ):
        if not isinstance(process, Failed):
            waits_in[container.id] = process.wchan or ""
        elif process.reason != "gone":
            missing.append(Unexamined(container.subject, str(process)))
    writers = [container for container in remote if container.id in waits_in]
    suspects = sorted(writer.state.pid for writer in writers if "pipe_write" in waits_in[writer.id])
    wakings: dict[str, int | None] | Failed = {}
    if suspects:
        wakings = host.ask(CountWakings(suspects, WATCHED_S))
    items = []
    for container in sorted(writers, key=lambda container: container.name):
        pid = container.state.pid
        if pid not in suspects:
            items.append((container, waits_in[container.id]))
        elif isinstance(wakings, Failed):
            missing.append(Unexamined(container.subject, str(wakings)))
        else:
            stands_still = wakings.get(str(pid)) == 0
            items.append((container, waits_in[container.id] if stands_still else ""))
    return LogWriters(tuple(items), tuple(missing))
