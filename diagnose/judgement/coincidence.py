"""Common properties of containers that began to fail together although no cause was found.

Pure; knows no check.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.judgement.causes import Topology, depends_on
from diagnose.mappings import by_key, distinct
from diagnose.model import Reported, Severity, Subject
from diagnose.phrases import duration
from diagnose.programs.telling_line import telling_line

TOGETHER_S = 60.0
"""Failures that begin within so many seconds of each other are one event to a person."""
FEWEST = 3
MOST_GROUPS = 10
"""Nobody reads about more groups than these, and each costs a walk over all failures."""
_KINDS = {"network": "network", "image": "image", "filesystem": "disk", "volume": "volume"}
"""The kinds of subjects that failures may have in common, and their words in a sentence."""
_NAMED = 5
_NUMBERS = ("three", "four", "five", "six", "seven", "eight", "nine", "ten")


class _Failure(msgspec.Struct, frozen=True):
    """A container that began to fail at this moment, Unix time."""

    container: Subject
    began: float


class _Group(msgspec.Struct, frozen=True):
    """Containers that began to fail together."""

    failures: Sequence[_Failure]
    shared: frozenset[Subject]
    """What all of them stand on."""


def notes(findings: Sequence[Reported], topology: Topology) -> tuple[str, ...]:
    """A sentence for each group of containers that fail together.

    They want the same callee, or began to fail at the same time.

    The first are two or more that call another one that does not answer, of which nothing was
    found: it was stopped by hand, usually. The others are three or more that began within a minute,
    with problems of one check that others may cause; what every container of the host stands on is
    not a thing in common, and a log that says what is wrong needs no such guess. Only problems
    above advice without a cause count.
    """
    loud = [
        finding
        for finding in findings
        if finding.check.caused_by and finding.severity > Severity.advice and finding.root
    ]
    callers_of = _callers(loud)
    explained = frozenset().union(*callers_of.values())
    unexplained = [
        finding for finding in loud if finding.subject not in explained and not says_why(finding)
    ]
    called = [_callee_clause(callee, callers) for callee, callers in callers_of.items()]
    return distinct(called, _joint_failures(unexplained, topology))


def _joint_failures(findings: Iterable[Reported], topology: Topology) -> Iterator[str]:
    """A sentence for each group that began to fail within a minute, with problems of one check."""
    by_id = by_key((finding.id, finding) for finding in findings)
    onsets = [began for alike in by_id.values() if len(began := _began(alike)) >= FEWEST]
    if not onsets:
        return
    everywhere = _disks_of_all(topology)
    for began in onsets:
        below = {subject: _things_below(subject, topology) - everywhere for subject in began}
        for group in _groups_of_failures(began, below):
            yield _sentence(group)


def says_why(finding: Reported) -> bool:
    """Whether the container's own log says what is wrong."""
    line = finding.finding.evidence.get("log")
    telling = telling_line([line]) if isinstance(line, str) else None
    return telling is not None and telling.explains


def _callers(findings: Iterable[Reported]) -> dict[Subject, list[Subject]]:
    """Callee -> those that it does not answer, if they are several."""
    callers_of: dict[Subject, dict[Subject, None]] = {}
    for finding in findings:
        for callee in finding.finding.calls:
            callers_of.setdefault(callee, {})[finding.subject] = None
    return {
        callee: list(callers) for callee, callers in sorted(callers_of.items()) if len(callers) > 1
    }


def _callee_clause(callee: Subject, callers: Sequence[Subject]) -> str:
    return (
        f'{len(callers)} containers ({_some_names(callers)}) cannot reach container "{callee.name}"; '
        "no cause was found"
    )


def _some_names(subjects: Sequence[Subject]) -> str:
    more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    return ", ".join(subject.name for subject in subjects[:_NAMED]) + more


def _began(findings: Iterable[Reported]) -> dict[Subject, float]:
    """When each container began to fail, Unix time."""
    began: dict[Subject, float] = {}
    for finding in findings:
        begun = finding.finding.onset
        if finding.subject.kind == "container" and not finding.check.posture and begun is not None:
            began[finding.subject] = min(begun, began.get(finding.subject, begun))
    return began


def _things_below(container: Subject, topology: Topology) -> frozenset[Subject]:
    return frozenset(
        subject for subject in depends_on([container], topology) if subject.kind in _KINDS
    )


def _disks_of_all(topology: Topology) -> frozenset[Subject]:
    """Disks that all containers of the host stand on.

    A network or an image that all have may still be to blame.
    """
    containers = [subject for subject in topology if subject.kind == "container"]
    shared = [_things_below(container, topology) for container in containers]
    shared_by_all = frozenset.intersection(*shared) if shared else frozenset()
    return frozenset(subject for subject in shared_by_all if subject.kind == "filesystem")


def _groups_of_failures(
    began: dict[Subject, float], below: dict[Subject, frozenset[Subject]]
) -> Iterator[_Group]:
    """The largest group first; no container is in two."""
    remaining = [_Failure(container, at) for container, at in began.items()]
    remaining.sort(key=lambda failure: (failure.began, failure.container))
    for _ in range(MOST_GROUPS):
        standing_on = by_key(
            (subject, failure) for failure in remaining for subject in below[failure.container]
        )
        best: Sequence[_Failure] = []
        for _subject, failures in sorted(standing_on.items()):
            best = max(best, _longest_window(failures), key=len)
        if len(best) < FEWEST:
            return
        grouped = {failure.container for failure in best}
        shared = frozenset.intersection(*(below[container] for container in grouped))
        yield _Group(best, shared)
        remaining = [failure for failure in remaining if failure.container not in grouped]


def _longest_window(failures: Sequence[_Failure]) -> Sequence[_Failure]:
    """The most failures that began within TOGETHER_S of the first of them.

    `failures` is in the order of time.
    """
    best = (0, 0)
    first = 0
    for last, failure in enumerate(failures):
        while failure.began - failures[first].began > TOGETHER_S:
            first += 1
        if last + 1 - first > best[1] - best[0]:
            best = first, last + 1
    return failures[slice(*best)]


def _sentence(group: _Group) -> str:
    failures = group.failures
    shared = group.shared
    count = len(failures)
    number = _NUMBERS[count - FEWEST] if count - FEWEST < len(_NUMBERS) else str(count)
    span = duration(failures[-1].began - failures[0].began)
    shared_clause = ", ".join(
        f"same {_KINDS[subject.kind]} {subject.name}" for subject in sorted(shared)
    )
    names = _some_names([failure.container for failure in failures])
    return f"{number} containers began to fail within {span}, and no cause was found: {shared_clause} ({names})"
