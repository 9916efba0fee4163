"""Questions about containers, answered by the engine's API or by the kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question

InspectRound = Literal["", "again", "recheck", "settled"]
"""again: asked once more while the collectors still work. recheck: when everything has been judged. settled: after the time that a
busy engine needs to notice that a process has ended."""


class ListContainers(Question[Json], frozen=True, omit_defaults=False):
    """/containers/json."""

    POLICY = Policy("api.containers", "the list of containers", "engine.api:get", "api", "engine", 4, 1)
    all: bool = True


class InspectContainer(Question[Json], frozen=True):
    """/containers/ID/json. `id` is an id or a name."""

    POLICY = Policy("api.container", "docker inspect of a container", "engine.api:get", "api", "engine", 2, 3)
    ROUNDS = {  # noqa: RUF012 - never changed
        "again": Policy("api.again", POLICY.what, "engine.api:get", "api", "engine", 2, 3),
        "recheck": Policy("api.recheck", POLICY.what, "engine.api:get", "api", "engine", 2, 3),
        "settled": Policy("api.settled", POLICY.what, "engine.api:settled", "probe", "engine", 4, 3),
    }
    id: str
    round: InspectRound = ""


class ListContainerProcesses(Question[Json], frozen=True):
    """/containers/ID/top."""

    POLICY = Policy("api.top", "the processes of a container (docker top)", "engine.api:get", "probe", "engine", 3, 5)
    id: str


class ReadContainerStats(Question[Json], frozen=True):
    """/containers/ID/stats, one sample."""

    POLICY = Policy("api.stats", "the figures of a container (docker stats)", "engine.api:get", "probe", "engine", 3, 6)
    id: str


class ContainerLog(msgspec.Struct, frozen=True):
    """The last lines of a container, each behind its RFC 3339 time, in the order of the engine."""

    text: str = ""
    """Both streams."""
    stdout: str = ""
    stderr: str = ""
    error: str = ""
    """What went wrong in the engine while it read."""
    truncated: bool = False
    """There was more, and the oldest is missing."""


class ReadLogs(Question[ContainerLog], frozen=True):
    """/containers/ID/logs: its last lines."""

    POLICY = Policy("api.logs", "the log of a container", "engine.api:get", "api", "engine", 2, 4, longest=2**20)
    id: str
    tail: int = 50
    bytes: int = 262144


class ReadContainerFile(Question[Json], frozen=True):
    """/containers/ID/archive: one path in a container, no link followed, and the first bytes of a file."""

    POLICY = Policy("api.archive", "a file of a container", "engine.api:get", "api", "engine", 2, 6)
    id: str
    path: str
    bytes: int = 4096


class ReadCgroups(Question[Json], frozen=True):
    """The counters and limits of containers, given as {id: pid or null}."""

    POLICY = Policy("cgroups", "the control groups of containers", "kernel.cgroups:cgroups", "local", "host", 2, 3)
    containers: Mapping[str, int | None]


class SampleCgroups(Question[Json], frozen=True):
    """How the counters of containers grow: two samples."""

    POLICY = Policy(
        "cgroup_rates", "how the counters of containers grow", "kernel.cgroups:rates", "probe", "host", 3, 4
    )
    containers: Mapping[str, int | None]
    seconds: float = 1.0


class CountWakings(Question[Json], frozen=True):
    """How often processes were woken within some seconds."""

    POLICY = Policy("wakings", "how often processes wake up", "kernel.proc:wakings", "probe", "host", 2, 4)
    pids: Sequence[int]
    seconds: float
