"""The causes of a fleet: each kind of root over all hosts that have it. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from diagnose.fleet import contrast
from diagnose.fleet.contrast import Sides, Split
from diagnose.fleet.groups import group_of
from diagnose.fleet.model import FirstCommand, Fleet, FleetCause, FleetRequest, GroupShare, Span
from diagnose.fleet.reports import HostName, HostReport, Root

Sick = Mapping[HostName, Sequence[Root]]
"""The hosts that have one kind of root, each with its roots of that kind."""


def causes(
    present: Sequence[HostReport], now: Fleet, earlier: Fleet | None, request: FleetRequest
) -> tuple[FleetCause, ...]:
    """All causes, the most severe first, then those of most hosts.

    present: the reports that count. now: those with the older reports of the same hosts. earlier:
    an older set to compare with.
    """
    sick_by_id: dict[str, dict[HostName, list[Root]]] = {}
    for report in present:
        for root in report.roots:
            sick_by_id.setdefault(root.id, {}).setdefault(report.host, []).append(root)
    sides = {id: _hosts_with_and_without(id, sick, present) for id, sick in sick_by_id.items()}
    splits = contrast.splits(sides, contrast.predicates(present))
    causes_of_hosts = [
        _cause(
            id,
            sick,
            split=splits.get(id),
            began=_onsets(id, sick, present, now),
            change=_change(id, sick, present, earlier),
            groups=_groups(sick, present, request.group_by),
        )
        for id, sick in sick_by_id.items()
    ]
    return tuple(
        sorted(causes_of_hosts, key=lambda cause: (-cause.severity, -len(cause.hosts), cause.id))
    )


def _hosts_with_and_without(
    id: str, sick: Mapping[HostName, object], present: Sequence[HostReport]
) -> Sides:
    """The hosts with and without the cause, as bits by their place among those present.

    A host that has the finding as an effect, or whose check could not look, is on neither side.
    """
    numbered = list(enumerate(present))
    ill = (at for at, report in numbered if report.host in sick)
    well = (at for at, report in numbered if _is_without(report, id))
    return Sides(contrast.bits(ill, len(present)), contrast.bits(well, len(present)))


def _cause(
    id: str,
    sick: Sick,
    *,
    split: Split | None,
    began: Mapping[HostName, float | None],
    change: _Change,
    groups: tuple[GroupShare, ...],
) -> FleetCause:
    """One cause on all hosts that have it.

    began: Unix time of the onset on each host, None where it is not known.
    """
    ordered = sorted(sick, key=lambda host: (began[host] is None, began[host] or 0.0, host))
    signatures = _roots_by_hosts(sick, lambda root: (root.signature,))
    return FleetCause(
        id=id,
        severity=max(root.severity for roots in sick.values() for root in roots),
        hosts=tuple(host.name for host in ordered),
        new=change.new,
        gone=change.gone,
        span=_span([moment for moment in began.values() if moment is not None]),
        summary=sick[ordered[0]][0].summary,
        signatures=signatures if len(signatures) > 1 else (),
        effects=_roots_by_hosts(sick, lambda root: root.effects),
        split=split,
        command=_command(sick),
        groups=groups,
    )


class _Change(msgspec.Struct, frozen=True):
    """How many hosts gained and lost a cause since the earlier set; None where there is none."""

    new: int | None = None
    gone: int | None = None


def _change(id: str, sick: Sick, present: Sequence[HostReport], earlier: Fleet | None) -> _Change:
    if earlier is None:
        return _Change()
    had = {report.host for report in earlier.newest if _has_finding(report, id)}
    without = {report.host for report in present if _is_without(report, id)}
    return _Change(new=len(sick.keys() - had), gone=len(had & without))


def _onsets(
    id: str, sick: Sick, present: Sequence[HostReport], now: Fleet
) -> dict[HostName, float | None]:
    """Unix time of the onset on each sick host, None where it is not known."""
    reports = {report.host: report for report in present if report.host in sick}
    return {
        host: _onset(id, reports[host], now.before.get(host, ()), roots)
        for host, roots in sick.items()
    }


def _roots_by_hosts(
    sick: Sick, words: Callable[[Root], Iterable[str]]
) -> tuple[tuple[str, int], ...]:
    """The words of the roots with their number of hosts, the most frequent first."""
    hosts: Counter[str] = Counter()
    for roots in sick.values():
        hosts.update({word for root in roots for word in words(root)})
    return tuple(sorted(hosts.items(), key=lambda entry: (-entry[1], entry[0])))


def _has_finding(report: HostReport, id: str) -> bool:
    return any(root.id == id for root in report.roots)


def _is_without(report: HostReport, id: str) -> bool:
    """Whether the check could look at the host, and found nothing."""
    return id in report.seen and id not in report.found


def _onset(
    id: str, report: HostReport, before: Sequence[HostReport], roots: Sequence[Root]
) -> float | None:
    """When it began on a host.

    By the finding itself, or by the oldest report that has it after one that does not.
    """
    onsets = [root.onset for root in roots if root.onset is not None]
    if onsets:
        return min(onsets)
    oldest = report
    for earlier in before:
        if not _has_finding(earlier, id):
            return oldest.taken_at if id in earlier.seen else None
        oldest = earlier
    return None


def _span(moments: Sequence[float]) -> Span | None:
    if not moments:
        return None
    return Span(min(moments), statistics.median_low(moments), max(moments), len(moments))


def _command(sick: Sick) -> FirstCommand | None:
    """The first fix that most hosts have.

    It is shown only where the page of the check knows it (see `render.fleet_words`).
    """
    counted: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for host in sorted(sick):
        for command in dict.fromkeys((root.fix, root.risk) for root in sick[host] if root.fix):
            counted[command] += 1
            example.setdefault(command, host.name)
    if not counted:
        return None
    (text, risk), hosts = min(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return FirstCommand(text, risk, example[text, risk], hosts)


def _groups(
    sick: Mapping[HostName, object], present: Sequence[HostReport], label: str
) -> tuple[GroupShare, ...]:
    """How many hosts of each group have the cause, the most affected group first."""
    if not label:
        return ()
    sizes = Counter(group_of(report, label) for report in present)
    ill = Counter(group_of(report, label) for report in present if report.host in sick)
    shares = [GroupShare(name, ill[name], sizes[name]) for name in ill]
    return tuple(
        sorted(shares, key=lambda share: (-share.sick / share.hosts, -share.sick, share.name))
    )
