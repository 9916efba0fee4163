"""A finding's page as steps, filled for its host; pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from diagnose import runbooks
from diagnose.model import Report, Reported, Severity, Subject
from diagnose.phrases import and_more, count
from diagnose.render.outlines.outline_block import words_by_hand

_ENGINE_STOPS = re.compile(
    r"\b(?:systemctl|service)\b.*\b(?:restart|stop|start|docker)\b.*\bdocker\b|\bservice docker\b"
    rf"|{runbooks.OWN_RESTARTS}"
)
"""A command that stops the engine, or starts it again."""
_NEEDS_A_TERMINAL = re.compile(r" -(?:it|ti) ")
"""Commands that wait for what is typed into them: what is run here has no terminal of its own."""
_NAMES_SHOWN = 3
Agreement = Literal["yes", "name", "by hand"]
"""What a step needs before it is run: a yes, the subject's name, or the reader's own hands."""


class PageStep(msgspec.Struct, frozen=True):
    """One block of a page."""

    command: runbooks.Command
    touches: str = ""
    """What it changes, in words; empty where it only looks."""

    @property
    def agreement(self) -> Agreement:
        if self.command.example or _NEEDS_A_TERMINAL.search(self.command.text):
            return "by hand"
        return "name" if self.command.risk == "destructive" else "yes"


class CurePlan(msgspec.Struct, frozen=True):
    """The way from a finding to its cure."""

    id: str
    key: str
    severity: Severity
    subject: Subject
    summary: str
    causes: tuple[str, ...]
    """Keys of the findings that explain this one."""
    confirm: tuple[PageStep, ...]
    fixes: tuple[PageStep, ...]
    verify: tuple[PageStep, ...]
    watched: frozenset[str]
    """The keys that must be gone afterwards, its own and those of its effects."""
    known: frozenset[str]
    """The keys of all findings above advice before anything is done."""
    by_hand: str = ""
    """What a person does, in words, where no command of the page heals."""


def find(report: Report, target: str) -> list[Reported]:
    """The findings that a key or a check id names, in the order of the report."""
    exact = [finding for finding in report.findings if finding.key == target]
    return exact or [finding for finding in report.findings if finding.id == target]


def plan(report: Report, finding: Reported) -> CurePlan:
    """The page's blocks that suit this finding and its host.

    Confirm, then fixes by their risk, then verify.
    """
    place = runbooks.Place.of(report)
    variables = finding.finding.variables
    touched = _touched_things(report, finding)

    def steps(commands: Sequence[runbooks.Command]) -> tuple[PageStep, ...]:
        return tuple(PageStep(command, _touches(command, touched, report)) for command in commands)

    loud = [other for other in report.findings if other.severity > Severity.advice]
    effects = {other.key for other in loud if other.is_effect_of(finding.key)}
    fixes = steps(list(runbooks.commands(finding.id, variables, place, examples=True)))
    has_own_fix = any(not fix.command.example for fix in fixes)
    return CurePlan(
        finding.id,
        key=finding.key,
        severity=finding.severity,
        subject=finding.subject,
        summary=finding.finding.summary,
        causes=tuple(link.cause for link in finding.causes),
        confirm=steps(runbooks.looks(finding.id, "confirm", variables, place)),
        fixes=fixes,
        verify=steps(runbooks.looks(finding.id, "verify", variables, place)),
        watched=frozenset({finding.key, *effects}),
        known=frozenset(other.key for other in loud),
        by_hand="" if has_own_fix else words_by_hand(finding),
    )


def _touched_things(report: Report, finding: Reported) -> dict[str, str]:
    """The things that a command may name, each with its words, by name.

    The subject, and containers of the host.
    """
    containers = set((report.container_names or {}).values())
    names = {
        value: f'container "{value}"'
        for value in finding.finding.variables.values()
        if value in containers
    }
    subject = finding.subject
    return {subject.name: subject.in_words, **names}


def _touches(command: runbooks.Command, touched: Mapping[str, str], report: Report) -> str:
    """The containers and services that a fix interrupts, in words; "" for a look."""
    if command.purpose != "fix":
        return ""
    if _ENGINE_STOPS.search(command.text):
        running = report.host.running
        on_it = ""
        if running:
            on_it = f", and {count(running, 'running container')} unless live-restore is on"
        return f"the engine{on_it}"
    words_of_things = [words for name, words in touched.items() if name in command.text]
    return and_more(words_of_things or list(touched.values())[:1], _NAMES_SHOWN)
