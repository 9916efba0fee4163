"""What the first process of each container with a remote log driver is waiting for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers import Container, Containers
from diagnose.host import Host, question
from diagnose.model import Failed, Unexamined
from diagnose.registry import evidence

LOCAL_DRIVERS = frozenset({"json-file", "local", "none", "journald", "db", ""})
"""Drivers that write to this machine; the others wait for something that may be far away."""


class _Process(msgspec.Struct):
    state: str = ""
    wchan: str | None = None


class LogWriters(msgspec.Struct, frozen=True):
    """Running containers with a remote log driver, each with the kernel function that its first process waits
    in ("" if it runs)."""

    items: tuple[tuple[Container, str], ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[tuple[Container, str]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def log_writers(host: Host, containers: Containers) -> LogWriters:
    """/proc/PID/wchan, which root alone may read."""
    asked = {
        question("process", pid=each.state.pid): each
        for each in containers.running
        if each.host_config.log_config.type not in LOCAL_DRIVERS
    }
    found, missing = [], []
    for each, answer in host.ask_many(asked):
        container = asked[each]
        if isinstance(answer, Failed):
            if answer.reason != "gone":
                missing.append(Unexamined(container.subject, str(answer)))
            continue
        found.append((container, msgspec.convert(answer, _Process).wchan or ""))
    found.sort(key=lambda pair: pair[0].short)
    return LogWriters(tuple(found), tuple(missing))
