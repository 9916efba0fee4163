"""A check as the engine knows it, and what became of it."""

import enum
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

import msgspec

from diagnose.model.answers import Unavailable
from diagnose.model.findings import Finding, Severity, Unexamined
from diagnose.model.subjects import Subject


class Need(msgspec.Struct, frozen=True):
    """One evidence kind that a check or an evidence function takes as a parameter."""

    parameter: str
    kind: type
    optional: bool
    """Whether the function can do without: annotated `X | None` or `X | Unavailable`."""
    reads_reason: bool = True
    """Whether missing evidence arrives as `Unavailable` with its reason; otherwise it arrives as
    None."""

    def is_unmet_by(self, value: Any) -> bool:
        """Whether the function cannot be called with this value of the evidence."""
        return isinstance(value, Unavailable) and not self.optional

    def argument(self, value: Any) -> Any:
        """The argument that the function gets for this value of the evidence."""
        return None if isinstance(value, Unavailable) and not self.reads_reason else value


class EvidenceGroup(msgspec.Struct, frozen=True):
    """Evidence that the functions of one check or collector take together, as one parameter.

    Each field is a need of its own, annotated like a parameter: `Clock`, or `Events | None`.
    """


class HasSubject(Protocol):
    """Anything that a finding can be about."""

    @property
    def subject(self) -> Subject: ...


Thing = TypeVar("Thing", bound=HasSubject)


class Focus(msgspec.Struct, frozen=True):
    """Evidence for a check that judges each of its subjects by itself: which are asked about.

    All of them in a run; one where a proof judges its finding again, which happens for each cause.
    """

    subject: Subject | None = None

    def of(self, things: Iterable[Thing]) -> Iterable[Thing]:
        """The things that are asked about."""
        if self.subject is None:
            return things
        return (candidate for candidate in things if candidate.subject == self.subject)


ON_ALL = Focus()


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
    aloud_of_engine: str = ""
    """The same about the engine, where it has other words than about a container."""
    observed: bool = False
    """Whether its findings repeat what a program, a probe or the engine met, in its own words."""
    pressure: bool = False
    """Whether its findings say that the whole host is busy: such a root comes behind its equals
    unless it explains one of them."""

    @property
    def family(self) -> str:
        return self.id.partition(".")[0]


class Verdict(enum.StrEnum):
    """The verdict of a check.

    Never folded into each other; PASSED needs that nothing was left unexamined.
    """

    FOUND = "found"
    PASSED = "passed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CRASHED = "crashed"


class Result(msgspec.Struct, frozen=True):
    """The verdict of one check with its reason, and how long the judging took in seconds."""

    check: Check
    verdict: Verdict
    why: str = ""
    findings: tuple[Finding, ...] = ()
    unexamined: tuple[Unexamined, ...] = ()
    examined: int = 0
    duration_s: float = 0.0
    missing: Unavailable | None = None

    @property
    def is_unjudged(self) -> bool:
        """Whether nothing is known of what the check looks for."""
        return self.verdict in (Verdict.UNKNOWN, Verdict.CRASHED)
