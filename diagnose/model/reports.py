"""The parts of a report: findings in their places, and the host that they are about."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from diagnose.model.answers import Json
from diagnose.model.causes import CauseLink, RuledOut
from diagnose.model.checks import Check, Result, Verdict
from diagnose.model.findings import Finding, Severity
from diagnose.model.subjects import DAEMON, HOST, Subject

T = TypeVar("T")


class RecentChange(msgspec.Struct, frozen=True, order=True):
    """Something that was changed on the host, as a person would ask: "what is new here?"."""

    at: float
    """Unix time."""
    text: str
    """What was changed, with kind and name, as a list has it."""
    source: Literal["packages", "file", "event", "created"]
    """Who says so: the log of the package manager, a file's time, an event of the engine, the time
    at which a container was created."""
    subject: Subject = HOST
    """Whose failure it may matter to; the host for that of anything."""
    family: str = ""
    """The family of checks that it may matter to, where it is one only."""


class RecentChanges(msgspec.Struct, frozen=True):
    """All that is known, oldest first."""

    items: tuple[RecentChange, ...] = ()


class Reported(msgspec.Struct, frozen=True):
    """A finding in its report: with its check, final severity, key, and place in the causes."""

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
    is_asked: bool = False
    """Whether a question is about it: it is shown then, even where it is advice."""
    made_by: str = ""
    """Where it is written how the container that it is about is made."""
    changes: tuple[RecentChange, ...] = ()
    """What was changed before the problem began, the latest first; nothing says that it is to
    blame."""

    @property
    def root(self) -> bool:
        return not self.causes

    def is_effect_of(self, key: str) -> bool:
        """Whether the finding with this key is a cause of it."""
        return any(link.cause == key for link in self.causes)

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
    """The host as the head of a report names it. engine is None when no engine answered.

    is_engine_late: whether the time was over before an engine was identified.
    """

    name: str
    kernel: str
    engine: Mapping[str, Json] | None
    containers: int | None = None
    running: int | None = None
    data_root: str = ""
    is_engine_late: bool = False


Trait = Literal[
    "systemd",
    "podman",
    "rootless",
    "nftables",
    "rpm",
    "openrc",
    "slackware",
    "snap",
    "synology",
    "qnap",
]
"""What a host has or is, as far as it decides which commands work there.

nftables: the engine writes nftables rules instead of iptables rules. rpm: a distribution of the
RHEL family, whose packages `dnf` installs.
"""


class EngineRestart(msgspec.Struct, frozen=True):
    """The effect of a restart of the engine on the containers that run on this host."""

    keeps_them: bool
    """Whether they go on meanwhile: live-restore is on."""
    running: int
    stay_down: tuple[str, ...]
    """The names of those that no restart policy starts again."""


class ReportBasis(msgspec.Struct, frozen=True):
    """The facts about a host that every report needs, whatever checks were run.

    The defaults stand for a host of which nothing was put together in time.
    """

    head: HostFacts = HostFacts("unknown", kernel="", engine=None, is_engine_late=True)
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
    leftovers: frozenset[Subject] = frozenset()
    """Containers that failed to start long ago, never ran, and belong to no service: what is said
    of these alone is advice."""
    restarting: frozenset[str] = frozenset()
    """The names of the containers that wait for their next restart by the engine."""
    engine_restart: EngineRestart | None = None
    """None where the containers or the engine's settings are not known."""
    changes: tuple[RecentChange, ...] = ()
    """What was changed recently; only runs of all checks ask for it."""


class HostProfile(msgspec.Struct, frozen=True):
    """The properties that distinguish this host from others.

    Compared over many reports, they show what the affected hosts have in common.
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
    """The reach of one kind of evidence: the connections traced through the host, and the web
    servers that were asked for a page."""

    traced: Mapping[str, int]
    """The number of connections by direction: "out", "in", "to the host", "between containers"."""
    families: frozenset[str] = frozenset()
    """IPv4, IPv6, or both."""
    gap: str = ""
    """What was not traced, and why; empty where nothing was left out."""
    pages: int = 0
    """Web servers that were asked for their first page."""
    pages_left_out: int = 0
    """Web servers that were not asked, since there are more than one run asks."""
    proxies: tuple[str, ...] = ()
    """The containers among those that pass requests on: no site behind them was asked by name."""
    here_alone: tuple[str, ...] = ()
    """Ports that are published for this host alone, each with its container: 8080 (web)."""


class PartLookedAt(msgspec.Struct, frozen=True):
    """Things of which one run looks at the first ones alone."""

    what: str
    """In the plural, such as "web servers"."""
    examined: int
    number: int
    """How many there are."""

    def __str__(self) -> str:
        return f"{self.examined} of {self.number} {self.what}"


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
    restarting: frozenset[str] = frozenset()
    """The names of the containers that wait for their next restart by the engine."""
    engine_restart: EngineRestart | None = None
    coverage: tuple[Coverage, ...] = ()
    parts_looked_at: tuple[PartLookedAt, ...] = ()
    """Of what there was more than one run looks at."""
    profile: HostProfile | None = None
    """What distinguishes the host from others; None where only some checks were run."""
    uncollected: tuple[str, ...] = ()
    """Kinds of evidence for which there was no time."""
    unjudged: tuple[str, ...] = ()
    """Ids of the checks for which there was no time."""
    changes: tuple[RecentChange, ...] = ()
    """What was changed recently, the latest first; only runs of all checks ask for it."""
    timings: tuple[tuple[str, float], ...] = ()
    evidence: Mapping[type, Any] = msgspec.field(default_factory=dict)
    """What a picture is drawn from, by kind; empty unless the run was asked for it."""

    def evidence_of(self, kind: type[T]) -> T | None:
        """The evidence of a kind; None where it could not be had, or the run was not asked for
        it."""
        evidence = self.evidence.get(kind)
        return evidence if isinstance(evidence, kind) else None

    @property
    def by_severity(self) -> Counter[Severity]:
        """How many selected findings there are of each severity; silenced ones do not count."""
        return Counter(
            finding.severity
            for finding in self.findings
            if finding.selected and not finding.silenced
        )

    @property
    def by_verdict(self) -> Counter[Verdict]:
        """How many selected checks came to each verdict."""
        return Counter(result.verdict for result in self.results)
