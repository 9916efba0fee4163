"""The nouns of a diagnosis: what a check takes, what it gives, and what a report is made of.

Everything here is a plain frozen value. Nothing here asks, judges or prints.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Mapping
from typing import Any, Literal, NewType, Protocol, Self

import msgspec
from msgspec.structs import replace

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


REASONS: Mapping[Reason, str] = {
    "refused": "refused",
    "forbidden": "forbidden",
    "missing": "missing",
    "timed out": "timed out",
    "budget": "not enough time",
    "gone": "gone",
    "remote": "not on this host",
    "malformed": "unreadable answer",
    "too large": "too large",
    "not recorded": "not in this bundle",
    "not allowed": "not looked at",
    "shed": "left out of this bundle",
}
"""Each reason in words for people; a detail follows behind a colon."""


NOT_IN_BUNDLE: tuple[Reason, ...] = ("not recorded", "shed")
"""The reasons that say that a bundle is incomplete."""


class Failed(msgspec.Struct, frozen=True):
    """An answer that could not be had.

    A reason from the closed list and one sentence of detail, redacted like any answer.
    """

    reason: Reason
    detail: str = ""

    def __str__(self) -> str:
        """The words for people; a recording holds the reason itself."""
        return f"{REASONS[self.reason]}: {self.detail}" if self.detail else REASONS[self.reason]


class Unavailable(msgspec.Struct, frozen=True):
    """Evidence that could not be had, and why.

    Never equal to empty evidence; falsy values are not unavailable.
    """

    reason: Reason
    detail: str = ""

    @classmethod
    def of(cls, failed: Failed) -> Unavailable:
        return cls(failed.reason, failed.detail)

    def __str__(self) -> str:
        return f"{REASONS[self.reason]}: {self.detail}" if self.detail else REASONS[self.reason]


class Severity(enum.IntEnum):
    """How bad a finding is; a greater value is worse.

    critical: something is down or data is at risk now. warning: it will be, or it is degraded.
    advice: good practice, which never fails a run.
    """

    advice = 1
    warning = 2
    critical = 3

    def __str__(self) -> str:
        return self.name


SubjectKind = Literal[
    "host", "daemon", "container", "image", "volume", "network", "filesystem", "interface"
]


class Subject(msgspec.Struct, frozen=True, order=True):
    """What a finding is about: a kind and the user's own name for it.

    A filesystem's name is its mount point.
    """

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
    """One life of a container.

    A finding that compares two sources holds only while this is unchanged.
    """

    id: str
    pid: int
    started_at: str


class FindingOwner(Protocol):
    """What a finding can be about.

    A container, or anything else with a subject, a name and a service.
    """

    @property
    def subject(self) -> Subject: ...

    @property
    def name(self) -> str: ...

    @property
    def service(self) -> str: ...


class Finding(msgspec.Struct, frozen=True):
    """One problem with one subject, as its check saw it."""

    subject: Subject
    summary: str
    """One sentence with the user's own names and numbers; no remedy."""
    evidence: Mapping[str, Json]
    """The values that prove the problem, by the path of their source."""
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    """What the placeholders of the runbook page are filled with."""
    discriminator: str = ""
    """Distinguishes two findings of one check about one subject: two ports of one container."""
    severity: Severity | None = None
    """None takes the severity of the check."""
    touches: tuple[Subject, ...] = ()
    """Other things that the problem reaches or depends on; used to link causes."""
    calls: tuple[Subject, ...] = ()
    """Containers that did not answer this subject. What keeps such a container down may be this
    finding's cause; this finding is never the cause of theirs.
    """
    signs: frozenset[str] | None = None
    """Classes of error text (`diagnose.error_signatures`) that an effect shows or that a cause
    produces. A cause with signatures explains only effects that show one of them, and effects whose
    source prints no error text (None).
    """
    onset: float | None = None
    """Unix time at which the problem began, if known."""
    stable: tuple[ContainerRun, ...] = ()
    """Container runs that the check compared between two sources; asked for again before the
    finding is reported."""
    settled: tuple[ContainerRun, ...] = ()
    """Container runs whose end the engine may not have noticed yet; asked for again after a delay.
    """
    service: str = ""
    """Compose or swarm service of the subject; replicas are grouped by it."""

    def with_variables(self, variables: Mapping[str, str]) -> Finding:
        """The finding with further variables for its page."""
        return replace(self, variables={**self.variables, **variables})

    @classmethod
    def about(
        cls,
        container: FindingOwner,
        summary: str,
        evidence: Mapping[str, Json],
        *,
        discriminator: str = "",
        severity: Severity | None = None,
        touches: tuple[Subject, ...] = (),
        calls: tuple[Subject, ...] = (),
        signs: frozenset[str] | None = None,
        onset: float | None = None,
        stable: tuple[ContainerRun, ...] = (),
        settled: tuple[ContainerRun, ...] = (),
        **variables: str,
    ) -> Self:
        """A finding about a container.

        Its subject, its service and the variable `container` are filled in.
        """
        return cls(
            subject=container.subject,
            summary=summary,
            evidence=evidence,
            variables={"container": container.name, **variables},
            discriminator=discriminator,
            severity=severity,
            touches=touches,
            calls=calls,
            signs=signs,
            onset=onset,
            stable=stable,
            settled=settled,
            service=container.service,
        )

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


CheckItem = Finding | Unexamined
CheckResult = Generator[CheckItem, None, Skipped | Unavailable | None]
"""What a check is: a generator of findings and of subjects that it could not examine. It may end
early by returning `Skipped` (it does not apply here) or `Unavailable` (it cannot tell).
"""


class Need(msgspec.Struct, frozen=True):
    """One evidence kind that a check or an evidence function takes as a parameter."""

    parameter: str
    kind: type
    optional: bool
    """Whether the function can do without: annotated `X | None` or `X | Unavailable`."""
    reads_reason: bool = True
    """Whether missing evidence arrives as `Unavailable` with its reason; otherwise it arrives as
    None."""

    def argument(self, value: Any) -> Any:
        """What the function is handed for this value of the evidence."""
        return None if isinstance(value, Unavailable) and not self.reads_reason else value


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
    aloud: tuple[str, str] | None = None
    """What the first line of a calm report says of one subject, and of several; None for most.

    Such advice is shown as a block of its own where nothing worse is about its subject.
    """

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]


class Verdict(enum.StrEnum):
    """What became of a check.

    Never folded into each other; PASSED needs that nothing was left unexamined.
    """

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


class Strength(enum.IntEnum):
    """How sure it is that a cause explains an effect; a greater value is surer."""

    possible = 1
    """Only something wide is shared, as a network or an image. The effect is shown as a root of its
    own."""
    likely = 2
    """The effect's own text tells of the cause, or both are about the very same thing."""
    proven = 3
    """Without the cause the effect vanishes: judged again on the edited evidence."""

    def __str__(self) -> str:
        return self.name


Edit = Mapping[type, Any]
"""Evidence by kind, as it would be without a cause."""


class Outcome(msgspec.Struct, frozen=True):
    """What would become of an effect on a host without a cause."""

    vanishes: bool | None
    """None where it is not known."""
    fact: str = ""
    """Why it stays, in one clause: the fact that clears the suspect."""


class CauseLink(msgspec.Struct, frozen=True):
    """One effect folded under one cause, by their keys."""

    cause: str
    effect: str
    because: str
    """The evidence that made the link, in words."""
    is_specific: bool = False
    """Whether the effect's own text tells of the cause, or both are about one container, disk,
    volume, interface or engine."""
    strength: Strength = Strength.likely
    jointly: bool = False
    """Whether the effect vanishes only if other causes are cured too."""


class RuledOut(msgspec.Struct, frozen=True):
    """A suspect that does not explain an effect: its key, and the fact that clears it."""

    cause: str
    fact: str


class Reported(msgspec.Struct, frozen=True):
    """A finding in its report: with its check, final severity, key, and place in the causes.

    made_by: where it is written how the container that it is about is made.
    """

    key: str
    check: Check
    severity: Severity
    finding: Finding
    causes: tuple[CauseLink, ...] = ()
    possible: tuple[CauseLink, ...] = ()
    """Links that nothing confirms: the finding is a root, and shown beside what may explain it."""
    ruled_out: tuple[RuledOut, ...] = ()
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


Trait = Literal["systemd", "podman", "rootless", "nftables", "rpm"]
"""What a host has or is, as far as it decides which commands work there.

nftables: the engine writes nftables rules instead of iptables rules. rpm: a distribution of the
RHEL family, whose packages `dnf` installs.
"""


class EngineRestart(msgspec.Struct, frozen=True):
    """What a restart of the engine does to the containers that run on this host."""

    keeps_them: bool
    """Whether they go on meanwhile: live-restore is on."""
    running: int
    stay_down: tuple[str, ...]
    """The names of those that no restart policy starts again."""


class ReportBasis(msgspec.Struct, frozen=True):
    """What every report needs of a host, whatever checks were run.

    The defaults stand for a host that says nothing.
    """

    head: HostFacts = HostFacts("unknown", "", None)
    now: float = 0.0
    """Unix time on the host."""
    docker: str = "docker"
    """The command that reaches the examined engine."""
    traits: frozenset[Trait] = frozenset({"systemd"})
    notes: tuple[str, ...] = ()
    """What a reader must know about the run itself."""
    hint: str = ""
    """What a reader may do where there is no engine at all."""
    stands_on: Mapping[Subject, frozenset[Subject]] = msgspec.field(default_factory=dict)
    """What each subject directly stands on: a container on networks, filesystems and its image, a
    network on its bridge."""
    names: Mapping[str, str] | None = None
    """The names of all containers by id; None where they could not be listed."""
    labels: Mapping[str, Mapping[str, str]] = msgspec.field(default_factory=dict)
    """The labels of all containers by name."""
    made_by: Mapping[Subject, str] = msgspec.field(default_factory=dict)
    """Where it is written how a container is made, by its subject."""
    engine_restart: EngineRestart | None = None
    """None where the containers or the engine's settings are not known."""


class HostProfile(msgspec.Struct, frozen=True):
    """What distinguishes this host from others.

    Compared over many reports, it tells what the sick ones have in common.
    """

    machine: str = ""
    """The machine id, hashed with the salt of the site; empty where there is none."""
    name: str = ""
    """The name that the configuration gives the host; empty for its own."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """By name: versions, backends, settings. A long value is the first digits of its hash."""
    changed: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Unix time of the last change of files that steer the host, by path."""


class Coverage(msgspec.Struct, frozen=True):
    """Which connections were traced through the host, as far as one kind of evidence goes."""

    traced: Mapping[str, int]
    """The number of connections by direction: "out", "in", "to the host", "between containers"."""
    families: frozenset[str] = frozenset()
    """IPv4, IPv6, or both."""
    gap: str = ""
    """What was not traced, and why; empty where nothing was left out."""


class Report(msgspec.Struct, frozen=True):
    """All that one run learned; what every renderer takes."""

    version: str
    host: HostFacts
    taken_at: float
    """Unix time on the examined host."""
    duration_s: float
    """The run's own."""
    source: Literal["live", "bundle"]
    findings: tuple[Reported, ...]
    results: tuple[Result, ...]
    docker: str = "docker"
    """The command that reaches the examined engine."""
    traits: frozenset[Trait] = frozenset({"systemd"})
    notes: tuple[str, ...] = ()
    """What the reader must know about the run itself (answered by Podman, cut by the budget,
    thresholds changed)."""
    container_names: Mapping[str, str] | None = None
    """By id, None if they are not known."""
    engine_restart: EngineRestart | None = None
    coverage: tuple[Coverage, ...] = ()
    profile: HostProfile | None = None
    """What distinguishes the host from others; None where only some checks were run."""
    uncollected: tuple[str, ...] = ()
    timings: tuple[tuple[str, float], ...] = ()
    evidence: Mapping[type, Any] = msgspec.field(default_factory=dict)
    """What a picture is drawn from, by kind; empty unless the run was asked for it."""
