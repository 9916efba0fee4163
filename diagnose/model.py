"""The nouns of a diagnosis: what a check takes, what it gives, and what a report is made of.

Everything here is a plain frozen value. Nothing here asks, judges or prints.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NewType

import msgspec

Json = Any
"""A JSON value. Static types end at the seam: evidence decodes it into types of its own."""

Percent = NewType("Percent", float)
Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
Count = NewType("Count", int)
UNITS: Mapping[str, str] = {"Percent": "%", "Seconds": "s", "Bytes": "bytes", "Count": ""}
"""The unit that `diagnose list` prints behind a threshold, by the name of its type."""

Reason = Literal[
    "refused",
    "forbidden",
    "missing",
    "timed out",
    "budget",
    "gone",
    "remote",
    "malformed",
    "too large",
    "not recorded",
    "not allowed",
    "shed",
]


class Failed(msgspec.Struct, frozen=True):
    """An answer that could not be had: a reason from the closed list and one sentence of detail, redacted like any
    answer."""

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class Unavailable(msgspec.Struct, frozen=True):
    """Evidence that could not be had, and why. Never equal to empty evidence; falsy values are not unavailable."""

    reason: Reason
    detail: str = ""

    @classmethod
    def of(cls, failed: Failed) -> Unavailable:
        return cls(failed.reason, failed.detail)

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class Severity(enum.IntEnum):
    """How bad a finding is; a greater value is worse.

    critical: something is down or data is at risk now. warning: it will be, or it is degraded. advice: good practice,
    which never fails a run.
    """

    advice = 1
    warning = 2
    critical = 3

    def __str__(self) -> str:
        return self.name


SubjectKind = Literal["host", "daemon", "container", "image", "volume", "network", "filesystem", "interface"]


class Subject(msgspec.Struct, frozen=True, order=True):
    """What a finding is about: a kind and the user's own name for it. A filesystem's name is its mount point."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


HOST = Subject("host", "host")
DAEMON = Subject("daemon", "docker")


def container(name: str) -> Subject:
    """The subject of a container by its name, with or without the engine's leading slash."""
    return Subject("container", name.removeprefix("/"))


class ContainerRun(msgspec.Struct, frozen=True):
    """One life of a container: a finding that compares two sources holds only while this is unchanged."""

    id: str
    pid: int
    started_at: str


class Finding(msgspec.Struct, frozen=True):
    """One problem with one subject, as its check saw it.

    summary: one line with the user's own names and numbers, no remedy. evidence: source path -> value that proves it.
    variables: what the runbook page is filled with. discriminator: tells two findings of one check and subject apart
    (two ports of one container). severity: None takes the check's. touches: other things it reaches or depends on,
    for linking causes. calls: containers that it called in vain: what keeps one of them down may be its cause, while
    it is none of theirs. signs: classes of error text (see `diagnose.error_signatures`) that it shows or, in a cause, that it
    brings forth; a cause with signs explains only effects that show one of them, or that have none (None) because
    nothing is printed where they are seen. onset: Unix time at which it began, if known. stable: the lives of
    containers it compared; asked again before it is reported. settled: lives that the engine may not have noticed to be over;
    asked again after a while. service: compose or swarm service of the subject, for
    grouping replicas.
    """

    subject: Subject
    summary: str
    evidence: Mapping[str, Json]
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    discriminator: str = ""
    severity: Severity | None = None
    touches: tuple[Subject, ...] = ()
    calls: tuple[Subject, ...] = ()
    signs: frozenset[str] | None = None
    onset: float | None = None
    stable: tuple[ContainerRun, ...] = ()
    settled: tuple[ContainerRun, ...] = ()
    service: str = ""

    @property
    def lives(self) -> tuple[ContainerRun, ...]:
        """The lives of containers that it holds for, and for no other."""
        return (*self.stable, *self.settled)


class Unexamined(msgspec.Struct, frozen=True):
    """One subject that a check could not look at, and why: it keeps the check from passing."""

    subject: Subject
    why: str


class Skipped(msgspec.Struct, frozen=True):
    """A check's answer that it does not apply on this host, and why."""

    why: str


Yield = Finding | Unexamined
Judgement = Iterable[Yield] | Skipped | Unavailable


class Need(msgspec.Struct, frozen=True):
    """One evidence kind that a check or an evidence function takes as a parameter."""

    parameter: str
    kind: type
    optional: bool


class Threshold(msgspec.Struct, frozen=True):
    """A keyword-only parameter of a check: its default, and its unit as it is printed."""

    name: str
    default: float
    unit: str


class Check(msgspec.Struct, frozen=True):
    """One kind of problem that can be looked for: a pure function and what code owns of it."""

    id: str
    title: str
    severity: Severity
    function: Callable[..., Any]
    needs: tuple[Need, ...]
    thresholds: tuple[Threshold, ...]
    caused_by: tuple[str, ...]
    causes: tuple[str, ...]
    posture: bool

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]


class Verdict(enum.StrEnum):
    """What became of a check. Never folded into each other; PASSED needs that nothing was left unexamined."""

    FOUND = "found"
    PASSED = "passed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CRASHED = "crashed"


class Result(msgspec.Struct, frozen=True):
    """What became of one check: its verdict, why, and how long the judging took in seconds."""

    check: Check
    verdict: Verdict
    why: str = ""
    findings: tuple[Finding, ...] = ()
    unexamined: tuple[Unexamined, ...] = ()
    examined: int = 0
    duration_s: float = 0.0
    missing: Unavailable | None = None


class CauseLink(msgspec.Struct, frozen=True):
    """One effect folded under one cause, by their keys, and the evidence that made the link in words."""

    cause: str
    effect: str
    because: str


class Reported(msgspec.Struct, frozen=True):
    """A finding in its report: with its check, final severity, key, and place in the causes.

    made_by: where it is written how the container that it is about is made.
    """

    key: str
    check: Check
    severity: Severity
    finding: Finding
    causes: tuple[CauseLink, ...] = ()
    selected: bool = True
    silenced: str = ""
    made_by: str = ""

    @property
    def root(self) -> bool:
        return not self.causes

    @property
    def is_outage(self) -> bool:
        """Whether the engine itself does not work, on which all containers stand."""
        return self.subject == DAEMON and self.severity is Severity.critical

    @property
    def id(self) -> str:
        return self.check.id

    @property
    def subject(self) -> Subject:
        return self.finding.subject


class HostFacts(msgspec.Struct, frozen=True):
    """The host as the head of a report names it. engine is None when no engine answered."""

    name: str
    kernel: str
    engine: Mapping[str, Json] | None
    containers: int | None = None
    running: int | None = None
    data_root: str = ""


class Report(msgspec.Struct, frozen=True):
    """All that one run learned; what every renderer takes.

    taken_at: Unix time on the examined host. duration_s: the run's own. notes: what the reader must know about the
    run itself (answered by Podman, cut by the budget, thresholds changed). container_names: by id, None if they are not known.
    """

    version: str
    host: HostFacts
    taken_at: float
    duration_s: float
    source: Literal["live", "bundle"]
    findings: tuple[Reported, ...]
    results: tuple[Result, ...]
    docker: str = "docker"
    notes: tuple[str, ...] = ()
    container_names: Mapping[str, str] | None = None
    uncollected: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
