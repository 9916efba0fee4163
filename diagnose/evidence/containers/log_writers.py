"""What the first process of each container with a remote log driver is waiting for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Failed, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

LOCAL_DRIVERS = frozenset({"json-file", "local", "none", "journald", "db", ""})
"""Drivers that write to this machine; the others wait for something that may be far away."""

WATCHED_S = 0.3


class _Process(msgspec.Struct):
    state: str = ""
    wchan: str | None = None


class LogWriters(msgspec.Struct, frozen=True):
    """Running containers with a remote log driver.

    items: each with the kernel function that its first process has waited in all the time ("" if it went on meanwhile).
    """

    items: tuple[tuple[Container, str], ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[tuple[Container, str]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def log_writers(host: Host, containers: Containers) -> LogWriters:
    """/proc/PID/wchan, which root alone may read; who waits for a pipe is looked at for a while, since a quick writer does too."""
    asked = {
        question("process", pid=each.state.pid): each
        for each in containers.running
        if each.host_config.log_config.type not in LOCAL_DRIVERS
    }
    places: dict[int, str] = {}
    found: list[Container] = []
    missing: list[Unexamined] = []
    for each, answer in host.ask_many(asked):
        container = asked[each]
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                missing.append(Unexamined(container.subject, str(answer)))
            continue
        places[container.state.pid] = convert(answer, _Process).wchan or ""
        found.append(container)
    suspects = sorted(pid for pid, place in places.items() if "pipe_write" in place)
    woken = host.ask(question("wakings", pids=suspects, seconds=WATCHED_S)) if suspects else {}
    items = []
    for container in sorted(found, key=lambda each: each.name):
        pid = container.state.pid
        if pid in suspects and isinstance(woken, Failed):
            missing.append(Unexamined(container.subject, str(woken)))
        else:
            stands = pid not in suspects or (isinstance(woken, dict) and woken.get(str(pid)) == 0)
            items.append((container, places[pid] if stands else ""))
    return LogWriters(tuple(items), tuple(missing))
