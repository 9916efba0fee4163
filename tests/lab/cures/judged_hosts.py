"""Whether what the tool calls a cause is one: judged by the recordings before and after a cure."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from diagnose import registry
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CauseLink, Report, Reported, Severity, Strength
from diagnose.questions.run import Options
from diagnose.session import collect, diagnose
from tests.lab.faults import Expectation, matches

STEADY_S = 8
"""What loops in the lab ends within a second: a container that has run for so long is well."""


EFFECTS: dict[str, str] = {
    "container.shim_killed_while_containerd_was_down": "daemon.containerd-down",
    "dns.answers_dropped_by_the_host": "firewall.output-dropped",
    "dns.resolver_ended_with_the_engine": "daemon.not-running",
    "storage.read_only": "kernel.filesystem-errors",
    "storage.disk_of_one_mount_read_only": "kernel.filesystem-errors",
    "dns.forwarding_of_dns_dropped": "firewall.forward-dropped",
    "running_programs.redis_that_cannot_save": "container.mount-forbidden",
}
"""Scenarios whose own finding is an effect of what they break, and the id of the cause."""


REMEMBERED = ("image.registry-unreachable",)
"""Checks that read the engine's log of the last day: a cure does not unsay what is written there.
"""


LOOPS = ("container.restart-loop", "container.restarts-exhausted")


@dataclass(frozen=True)
class Fault:
    """What is broken, as the report must tell it: the finding of the cause, and what may follow
    from it."""

    name: str
    cause: Expectation
    follows: tuple[Expectation, ...]

    def is_cause(self, finding: Reported) -> bool:
        """Whether this is the finding of the fault itself."""
        return matches(self.cause, finding.id, str(finding.subject))

    def owns(self, finding: Reported) -> bool:
        """Whether the finding is the fault's own or may follow from it."""
        return any(
            matches(known, finding.id, str(finding.subject))
            for known in (self.cause, *self.follows)
        )


@dataclass
class Figures:
    """What was counted over all hosts; the lists name each case, for the reader."""

    hosts: int = 0
    cured: int = 0
    causes: int = 0
    effects: int = 0
    links: Counter[str] = field(default_factory=Counter)
    confirmed: int = 0
    tested: int = 0
    folded_wrongly: list[str] = field(default_factory=list)
    shown_as_roots: list[str] = field(default_factory=list)
    refuted_by_cure: list[str] = field(default_factory=list)
    gone_as_well: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The figures in words."""
        proven, all_links = self.links["proven"], self.links.total()
        yield f"hosts {self.hosts}, of which one cause was cured on {self.cured}; {self.causes} injected faults found"
        yield f"wrong folds: {len(self.folded_wrongly)}"
        yield f"true effects shown as roots: {len(self.shown_as_roots)} of {self.effects}"
        yield f"proven links confirmed by the cure: {self.confirmed} of {self.tested}"
        strengths = ", ".join(f"{count} {name}" for name, count in self.links.most_common())
        yield f"links that are proven: {proven} of {all_links} ({strengths})"
        yield f"gone with a cure that does not explain them: {len(self.gone_as_well)}"
        for title in ("folded_wrongly", "shown_as_roots", "refuted_by_cure", "gone_as_well"):
            for case in getattr(self, title):
                yield f"  {title.replace('_', ' ')}: {case}"


def is_known(finding: Reported, faults: Sequence[Fault]) -> bool:
    return any(fault.owns(finding) for fault in faults)


def judged(folder: Path) -> Report:
    known = registry.load()
    return diagnose(
        lambda: known, None, Options(source=folder, budget_s=120), began=time.monotonic()
    )


def _fault(name: str, own: Expectation, follows: list[Expectation]) -> Fault:
    """A scenario's fault. Where its own finding is declared an effect, the cause is what it
    names."""
    cause = EFFECTS.get(name)
    if cause is None:
        return Fault(name, own, tuple(follows))
    return Fault(name, (cause, "*"), (own, *follows))


class _Recorded(NamedTuple):
    """A recorded host before the cure: its faults, and what was found above advice."""

    where: str
    faults: Sequence[Fault]
    loud: Sequence[Reported]
    by_key: Mapping[str, Reported]
    """All findings, advice too."""
    steps: Sequence[str]
    """Those of the page that the cure took."""


def judge(folder: Path, figures: Figures) -> None:
    """Count one recorded host."""
    state = json.loads((folder / "truth.json").read_text())
    before = judged(folder / "before")
    recorded = _Recorded(
        folder.name,
        [
            _fault(name, tuple(own), [tuple(follow) for follow in follows])
            for name, own, follows in state["faults"]
        ],
        [finding for finding in before.findings if finding.severity > Severity.advice],
        {finding.key: finding for finding in before.findings},
        state["steps"],
    )
    figures.hosts += 1
    for finding in recorded.loud:
        _count_links(finding, recorded, figures)
    if state["healed"] and (folder / "after").is_dir():
        figures.cured += 1
        _count_cure(folder / "after", recorded, figures)


def _count_links(finding: Reported, recorded: _Recorded, figures: Figures) -> None:
    """The links of one finding, and those that lead to the cause of another fault."""
    faults, by_key = recorded.faults, recorded.by_key
    figures.links.update(link.strength.name for link in (*finding.causes, *finding.possible))
    own = [fault for fault in faults if fault.is_cause(finding)]
    figures.causes += len(own)
    for link in finding.causes:
        cause = by_key[link.cause]
        is_foreign = not any(fault.owns(finding) and fault.owns(cause) for fault in faults)
        if own or (is_foreign and not _names_both(finding, link, faults, by_key)):
            figures.folded_wrongly.append(
                f"{recorded.where}: {finding.key} <- {cause.key} ({link.strength.name})"
            )


def _count_cure(after: Path, recorded: _Recorded, figures: Figures) -> None:
    """What the cure of the first fault has ended, and what it should have ended."""
    severities = {finding.key: finding.severity for finding in judged(after).findings}
    steady = _steady(after)
    for finding in recorded.loud:
        if recorded.faults[0].is_cause(finding):
            continue
        # what loops with success after the cure, since it is a job that is started again, is milder
        is_milder = finding.id in LOOPS and finding.subject.name in steady
        is_gone = severities.get(finding.key, Severity.advice) < finding.severity or is_milder
        _count_effect(finding, recorded, figures, is_gone=is_gone)


def _count_effect(
    finding: Reported, recorded: _Recorded, figures: Figures, *, is_gone: bool
) -> None:
    """Whether a finding that ended, or did not, was linked to the fault that was cured."""
    cured, *others = recorded.faults
    leads = [
        strength
        for key, strength in _leads(finding, recorded.by_key).items()
        if cured.is_cause(recorded.by_key[key])
    ]
    steps = ", ".join(recorded.steps)
    if Strength.proven in leads and finding.id not in REMEMBERED:
        figures.tested += 1
        figures.confirmed += is_gone
        if not is_gone:
            figures.refuted_by_cure.append(f"{recorded.where}: {finding.key} stays after {steps}")
    if not is_gone:
        return
    if not any(fault.is_cause(finding) for fault in others):
        figures.effects += 1
        if finding.root:
            figures.shown_as_roots.append(f"{recorded.where}: {finding.key}, gone after {steps}")
    is_destroyed = any(step.partition(", ")[2].startswith("d") for step in recorded.steps)
    if not leads and not is_destroyed:
        figures.gone_as_well.append(f"{recorded.where}: {finding.key} after {steps}")


def _names_both(
    finding: Reported, link: CauseLink, faults: Sequence[Fault], by_key: Mapping[str, Reported]
) -> bool:
    """Whether the report says that this cause and one of the effect's own fault must both be
    cured."""
    return link.jointly and any(
        fault.owns(finding) and fault.owns(by_key[other.cause])
        for other in finding.causes
        if other.jointly
        for fault in faults
    )


def _steady(folder: Path) -> frozenset[str]:
    """The containers that have run for STEADY_S: a loop counts as one for an hour after it has
    ended."""
    containers, clock = collect(
        [Containers, Clock], Options(source=folder, budget_s=60), began=time.monotonic()
    )
    if not isinstance(containers, Containers) or not isinstance(clock, Clock):
        return frozenset()
    running = [container for container in containers if container.state.status == "running"]
    return frozenset(
        container.name
        for container in running
        if (clock.age(container.started_at) or 0.0) >= STEADY_S
    )


def _leads(finding: Reported, by_key: Mapping[str, Reported]) -> dict[str, Strength]:
    """The causes above a finding, each with the weakest link on the way; without those that are not
    a cause alone."""
    found: dict[str, Strength] = {}
    open_ends = [(finding, Strength.proven)]
    while open_ends:
        effect, strength = open_ends.pop()
        for link in effect.causes:
            weakest = min(strength, link.strength)
            if (
                not link.jointly
                and found.get(link.cause, Strength.possible) <= weakest
                and link.cause not in found
            ):
                found[link.cause] = weakest
                open_ends.append((by_key[link.cause], weakest))
    return found
