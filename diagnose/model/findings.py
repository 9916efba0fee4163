"""The parts of a check's answer: a problem with one subject, or why it cannot tell."""

from __future__ import annotations

import enum
from collections.abc import Generator, Iterable, Mapping
from typing import Protocol, Self

import msgspec
from msgspec.structs import replace

from diagnose.model.answers import Json, Unavailable
from diagnose.model.subjects import Subject


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


class ContainerRun(msgspec.Struct, frozen=True):
    """A container from one start to its end.

    A finding that compares two sources holds only while the run is the same.
    """

    id: str
    pid: int
    started_at: str


PageVariables = dict[str, str]
"""Values for the placeholders of a runbook page, by name.

A page offers a block of commands only where each of its placeholders has a value: a check chooses
between the page's cures by the names that it gives.
"""


class FindingOwner(Protocol):
    """Anything that a finding can be about and that has variables for its page.

    A container, or anything else with a subject, a name and a service.
    """

    @property
    def subject(self) -> Subject: ...

    @property
    def name(self) -> str: ...

    @property
    def service(self) -> str: ...

    @property
    def page_variables(self) -> PageVariables: ...


class Finding(msgspec.Struct, frozen=True):
    """One problem with one subject, as its check saw it."""

    subject: Subject
    summary: str
    """One sentence with the user's own names and numbers; no remedy."""
    evidence: Mapping[str, Json]
    """The values that prove the problem, by the path of their source."""
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    """See `PageVariables`."""
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
    absent_at: float | None = None
    """Unix time at which the problem was not there yet, if known: what the engine does at its start
    undoes some problems. It brings about nothing that happened before."""
    recheck: tuple[ContainerRun, ...] = ()
    """Container runs that the check compared between two sources; asked for again before the
    finding is reported."""
    recheck_later: tuple[ContainerRun, ...] = ()
    """Container runs whose end the engine may not have noticed yet; asked for again after a delay.
    """
    service: str = ""
    """Compose or swarm service of the subject; replicas are grouped by it."""
    aside: tuple[str, str] | None = None
    """What is said of one subject, and of several, that work all the same. A report mentions such
    advice below all others, and stays calm; None where the words of the check hold."""
    is_quiet: bool = False
    """Advice that no report says aloud, although its check says others so: it is long ago."""
    does_nothing_else: bool = False
    """Advice about a program that does nothing but fail. It is a warning where the report has
    nothing above advice that may explain it."""
    is_own_fault: bool = False
    """Whether a known fault of its own settings, files, data or build is why: no name that is not
    found, no way that is closed explains that."""

    def with_variables(self, variables: Mapping[str, str]) -> Finding:
        """The finding with further variables for its page."""
        return replace(self, variables={**self.variables, **variables})

    def without_variable(self, name: str) -> Finding:
        """The finding without a variable, and so without the blocks of its page that need it."""
        others = {other: value for other, value in self.variables.items() if other != name}
        return replace(self, variables=others)

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
        recheck: tuple[ContainerRun, ...] = (),
        recheck_later: tuple[ContainerRun, ...] = (),
        aside: tuple[str, str] | None = None,
        is_quiet: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> Self:
        """A finding about a container.

        Its subject, its service and the variables that name it on a page are filled in.

        variables: the further ones of its page.
        """
        return cls(
            subject=container.subject,
            summary=summary,
            evidence=evidence,
            variables={**container.page_variables, **(variables or {})},
            discriminator=discriminator,
            severity=severity,
            touches=touches,
            calls=calls,
            signs=signs,
            onset=onset,
            recheck=recheck,
            recheck_later=recheck_later,
            service=container.service,
            aside=aside,
            is_quiet=is_quiet,
        )

    @property
    def runs(self) -> tuple[ContainerRun, ...]:
        """The container runs that it holds for, and for no other."""
        return (*self.recheck, *self.recheck_later)


class Unexamined(msgspec.Struct, frozen=True):
    """One subject that a check could not look at, and why: it keeps the check from passing."""

    subject: Subject
    why: str
    others: int = 0
    """How many more of its kind are left out for the same reason, and not named: a run that is too
    short for 100,000 containers would list them for each of 364 checks."""

    def may_be(self, subject: Subject) -> bool:
        """Whether this subject is the one that was left out, or may be one of the others."""
        return self.subject == subject or bool(self.others and self.subject.kind == subject.kind)


def number_of(unexamined: Iterable[Unexamined]) -> int:
    """How many subjects these are, with those that are not named."""
    return sum(1 + left_out.others for left_out in unexamined)


class Skipped(msgspec.Struct, frozen=True):
    """A check's answer that it does not apply on this host, and why."""

    why: str


CheckItem = Finding | Unexamined
CheckResult = Generator[CheckItem, None, Skipped | Unavailable | None]
"""What a check is: a generator of findings and of subjects that it could not examine. It may end
early by returning `Skipped` (it does not apply here) or `Unavailable` (it cannot tell).
"""
