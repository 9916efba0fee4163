"""One answer for many hosts.

Which causes there are, on how many hosts, since when, and what splits the sick from the well. Pure.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose.fleet import contrast
from diagnose.fleet.contrast import Sides, Split
from diagnose.fleet.reports import Fact, HostName, HostReport, Root
from diagnose.fleet.sources import Unusable
from diagnose.judgement import exit_codes
from diagnose.model import Severity

AHEAD_S = 300.0
"""A report that is so much newer than the clock here was taken by a clock that is wrong."""
ODD_BELOW = 0.02
"""A host differs from its group where at most this share of the group has its value,"""
USUAL_FROM = 0.9
"""and at least this share has one other value."""
SMALLEST_GROUP = 8
"""Of fewer hosts none is called different."""
VARIED = ("network", "gateway", "uplink", "memory", "processors", "clock", "clock offset")
"""Facts in which hosts of one group may differ without anybody's wonder."""


class FleetRequest(msgspec.Struct, frozen=True):
    """What the user asked of the comparison.

    now: Unix time. expected: names of hosts that ought to have reported.
    """

    now: float
    since_s: float
    group_by: str = ""
    fail_on: str = "warning"
    expected: tuple[str, ...] = ()


class Span(msgspec.Struct, frozen=True):
    """When a cause began on its hosts, in Unix time. known: of how many hosts it is known."""

    first: float
    half: float
    last: float
    known: int


class FirstCommand(msgspec.Struct, frozen=True):
    """The fix that most reports of a cause name first, and a host for which it is written."""

    text: str
    risk: str
    host: str
    hosts: int


class GroupShare(msgspec.Struct, frozen=True):
    """How many hosts of one group have a cause."""

    name: str
    sick: int
    hosts: int


class FleetCause(msgspec.Struct, frozen=True):
    """One kind of root over all hosts."""

    id: str
    severity: Severity
    hosts: tuple[str, ...]
    """In the order in which it began, as far as that is known."""
    new: int | None
    """How many of them did not have it in the earlier set; None where there is none."""
    gone: int | None
    """How many had it in the earlier set and are without it now."""
    span: Span | None
    summary: str
    """In the words of the first host."""
    signatures: tuple[tuple[str, int], ...]
    """What exactly it is about, with the number of hosts, where that is not the same for all."""
    effects: tuple[tuple[str, int], ...]
    """The ids that it explains, with the number of hosts."""
    split: Split | None
    command: FirstCommand | None
    groups: tuple[GroupShare, ...]


class OddHost(msgspec.Struct, frozen=True):
    """A host that differs from its group: fact, its value, and the value of nearly all others."""

    host: str
    differences: tuple[tuple[str, str, str], ...]


class Blindness(msgspec.Struct, frozen=True):
    """A check that could look at some hosts earlier and cannot now."""

    id: str
    hosts: tuple[str, ...]


class SilentHost(msgspec.Struct, frozen=True):
    """A host that did not report. last: Unix time of its last report, None where there is none."""

    host: str
    last: float | None


class FleetAnswer(msgspec.Struct, frozen=True):
    """All that is said of a fleet."""

    code: int
    hosts: int
    well: int
    sick: int
    unexamined: tuple[str, ...]
    """Hosts on which nothing was found, and a check that may find something could not look."""
    causes: tuple[FleetCause, ...]
    odd: tuple[OddHost, ...]
    lost: tuple[Blindness, ...]
    silent: tuple[SilentHost, ...]
    unusable: tuple[Unusable, ...]
    notes: tuple[str, ...]
    earlier: int
    """Hosts of the earlier set."""


class Fleet(msgspec.Struct, frozen=True):
    """A set of reports by host: the newest of each, and the earlier ones, newest first."""

    newest: tuple[HostReport, ...]
    before: Mapping[HostName, tuple[HostReport, ...]]
    unusable: tuple[Unusable, ...]


def fleet(read: Iterable[HostReport | Unusable], now: float) -> Fleet:
    """Reports by host. One that stands twice, and one from the future, is named and not counted."""
    by_host: dict[HostName, dict[float, HostReport]] = {}
    unusable: list[Unusable] = []
    for report in read:
        if isinstance(report, Unusable):
            unusable.append(report)
            continue
        taken = by_host.setdefault(report.host, {})
        if report.taken_at > now + AHEAD_S:
            unusable.append(
                Unusable(report.place, "is from the future: the clock of its host is wrong")
            )
        elif report.taken_at in taken:
            unusable.append(
                Unusable(report.place, f"is the same report as {taken[report.taken_at].place}")
            )
        else:
            taken[report.taken_at] = report
    newest, before = [], {}
    for host, taken in sorted(by_host.items()):
        ordered = [taken[moment] for moment in sorted(taken, reverse=True)]
        if ordered:
            newest.append(ordered[0])
            before[host] = tuple(ordered[1:])
    return Fleet(tuple(newest), before, tuple(unusable))


def answer(
    now: Fleet, earlier: Fleet | None, request: FleetRequest, severities: Mapping[str, Severity]
) -> FleetAnswer:
    """The answer.

    earlier: an older set to compare with. severities: of the checks that this version knows, by
    id.
    """
    latest = max((report.taken_at for report in now.newest), default=0.0)
    present = [report for report in now.newest if report.taken_at >= latest - request.since_s]
    stale = [report for report in now.newest if report.taken_at < latest - request.since_s]
    causes = _causes(present, now, earlier, request)
    sick = {report.host for report in present if report.roots}
    codes = {report.host: _code(report, request.fail_on, severities) for report in present}
    unexamined = [
        host.name for host, code in codes.items() if code == exit_codes.UNKNOWN and host not in sick
    ]
    silent = _silent(present, stale, earlier, request)
    return FleetAnswer(
        code=_worst(
            [*codes.values(), *([exit_codes.UNKNOWN] if silent or not present else [])],
            request.fail_on,
        ),
        hosts=len(present),
        well=len(present) - len(sick) - len(unexamined),
        sick=len(sick),
        unexamined=tuple(sorted(unexamined)),
        causes=causes,
        odd=_odd(present, request.group_by),
        lost=_lost(present, now, earlier),
        silent=silent,
        unusable=(*now.unusable, *(earlier.unusable if earlier is not None else ())),
        notes=_notes(present, request),
        earlier=len(earlier.newest) if earlier is not None else 0,
    )


def _code(report: HostReport, fail_on: str, severities: Mapping[str, Severity]) -> int:
    """As for a run on this host: a check that this version does not know may have been critical."""
    found = [root.severity for root in report.roots]
    return exit_codes.code(
        found, (severities.get(id, Severity.critical) for id in report.blind), fail_on
    )


def _worst(codes: Iterable[int], fail_on: str) -> int:
    """2 before 1 before 3 before 0, as for a host."""
    order = (exit_codes.CRITICAL, exit_codes.WARNING, exit_codes.UNKNOWN)
    present = set(codes)
    return (
        0
        if fail_on == "never"
        else next((code for code in order if code in present), exit_codes.OK)
    )


def _causes(
    present: Sequence[HostReport], now: Fleet, earlier: Fleet | None, request: FleetRequest
) -> tuple[FleetCause, ...]:
    sick: dict[str, dict[HostName, list[Root]]] = {}
    for report in present:
        for root in report.roots:
            sick.setdefault(root.id, {}).setdefault(report.host, []).append(root)
    sides = {id: _sides(id, hosts, present) for id, hosts in sick.items()}
    splits = contrast.splits(sides, contrast.predicates(present))
    made = [
        _cause(id, hosts, splits.get(id), present, now, earlier, request)
        for id, hosts in sick.items()
    ]
    return tuple(sorted(made, key=lambda cause: (-cause.severity, -len(cause.hosts), cause.id)))


def _sides(id: str, sick: Mapping[HostName, object], present: Sequence[HostReport]) -> Sides:
    """The hosts with and without the cause.

    A host that has the finding as an effect, or whose check could not look, is on neither side.
    """
    numbered = list(enumerate(present))
    return Sides(
        contrast.bits((at for at, report in numbered if report.host in sick), len(present)),
        contrast.bits(
            (at for at, report in numbered if id not in report.found and id in report.seen),
            len(present),
        ),
    )


def _cause(
    id: str,
    sick: Mapping[HostName, Sequence[Root]],
    split: Split | None,
    present: Sequence[HostReport],
    now: Fleet,
    earlier: Fleet | None,
    request: FleetRequest,
) -> FleetCause:
    reports = {report.host: report for report in present if report.host in sick}
    began = {
        host: _onset(id, reports[host], now.before.get(host, ()), roots)
        for host, roots in sick.items()
    }
    ordered = sorted(sick, key=lambda host: (began[host] is None, began[host] or 0.0, host))
    first = sick[ordered[0]][0]
    signatures = Counter(
        signature for roots in sick.values() for signature in {root.signature for root in roots}
    )
    effects = Counter(
        effect
        for roots in sick.values()
        for effect in frozenset[str]().union(*(root.effects for root in roots))
    )
    had = None if earlier is None else {each.host for each in earlier.newest if _has(each, id)}
    without = {report.host for report in present if id in report.seen and id not in report.found}
    return FleetCause(
        id=id,
        severity=max(root.severity for roots in sick.values() for root in roots),
        hosts=tuple(host.name for host in ordered),
        new=None if had is None else len(sick.keys() - had),
        gone=None if had is None else len(had & without),
        span=_span([moment for moment in began.values() if moment is not None]),
        summary=first.summary,
        signatures=tuple(_ranked(signatures)) if len(signatures) > 1 else (),
        effects=tuple(_ranked(effects)),
        split=split,
        command=_command(sick),
        groups=_groups(sick, present, request.group_by),
    )


def _ranked(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _has(report: HostReport, id: str) -> bool:
    return any(root.id == id for root in report.roots)


def _onset(
    id: str, report: HostReport, before: Sequence[HostReport], roots: Sequence[Root]
) -> float | None:
    """When it began on a host.

    By the finding itself, or by the oldest report that has it after one that does not.
    """
    known = [root.onset for root in roots if root.onset is not None]
    if known:
        return min(known)
    oldest = report
    for earlier in before:
        if not _has(earlier, id):
            return oldest.taken_at if id in earlier.seen else None
        oldest = earlier
    return None


def _span(moments: Sequence[float]) -> Span | None:
    if not moments:
        return None
    return Span(min(moments), statistics.median_low(moments), max(moments), len(moments))


def _command(sick: Mapping[HostName, Sequence[Root]]) -> FirstCommand | None:
    """The first fix that most hosts have.

    It is shown only where the page of the check knows it (see `render.fleet`).
    """
    counted: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for host in sorted(sick):
        for command in dict.fromkeys((root.fix, root.risk) for root in sick[host] if root.fix):
            counted[command] += 1
            example.setdefault(command, host.name)
    if not counted:
        return None
    (text, risk), hosts = min(counted.items(), key=lambda item: (-item[1], item[0]))
    return FirstCommand(text, risk, example[text, risk], hosts)


def _groups(
    sick: Mapping[HostName, object], present: Sequence[HostReport], label: str
) -> tuple[GroupShare, ...]:
    if not label:
        return ()
    sizes = Counter(group_of(report, label) for report in present)
    ill = Counter(group_of(report, label) for report in present if report.host in sick)
    shares = [GroupShare(name, ill[name], sizes[name]) for name in ill]
    return tuple(
        sorted(shares, key=lambda share: (-share.sick / share.hosts, -share.sick, share.name))
    )


def group_of(report: HostReport, label: str) -> str:
    """The host's value of a label, or of a fact of this name; "none" where it has neither."""
    if label in report.labels:
        return report.labels[label]
    return next((fact.value for fact in report.facts or () if fact.name == label), "none")


def _odd(present: Sequence[HostReport], label: str) -> tuple[OddHost, ...]:
    """Hosts that differ from their group in what nearly all others share."""
    groups: dict[str, list[HostReport]] = {}
    for report in present:
        if report.facts is not None:
            groups.setdefault(group_of(report, label) if label else "", []).append(report)
    found: list[OddHost] = []
    for reports in groups.values():
        if len(reports) >= SMALLEST_GROUP:
            found += _odd_in(reports)
    return tuple(sorted(found, key=lambda odd: (-len(odd.differences), odd.host)))


def _odd_in(reports: Sequence[HostReport]) -> list[OddHost]:
    values: dict[str, Counter[str]] = {}
    for report in reports:
        for fact in report.facts or ():
            values.setdefault(fact.name, Counter())[fact.value] += 1
    usual: dict[str, str] = {}
    for name, counted in values.items():
        value, number = counted.most_common(1)[0]
        if number >= USUAL_FROM * len(reports) and name not in VARIED:
            usual[name] = value
    rare = max(1, int(ODD_BELOW * len(reports)))

    def is_odd(fact: Fact) -> bool:
        return (
            usual.get(fact.name, fact.value) != fact.value and values[fact.name][fact.value] <= rare
        )

    odd = []
    for report in reports:
        differing = [fact for fact in report.facts or () if is_odd(fact)]
        if differing:
            differences = tuple((fact.name, fact.value, usual[fact.name]) for fact in differing)
            odd.append(OddHost(report.host.name, differences))
    return odd


def _lost(
    present: Sequence[HostReport], now: Fleet, earlier: Fleet | None
) -> tuple[Blindness, ...]:
    """Checks that could look before, and could not now.

    By the report before, or by the earlier set.
    """
    then = {report.host: report for report in earlier.newest} if earlier is not None else {}
    lost: dict[str, list[str]] = {}
    for report in present:
        previous = next(iter(now.before.get(report.host, ())), then.get(report.host))
        for id in report.blind & previous.seen if previous is not None else ():
            lost.setdefault(id, []).append(report.host.name)
    ordered = sorted(lost.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Blindness(id, tuple(hosts)) for id, hosts in ordered)


def _silent(
    present: Sequence[HostReport],
    stale: Sequence[HostReport],
    earlier: Fleet | None,
    request: FleetRequest,
) -> tuple[SilentHost, ...]:
    """Hosts that ought to have reported.

    Expected by name, seen in the earlier set, or with nothing but an old report.
    """
    here = {report.host for report in present}
    names = {host.name for host in here}
    last: dict[str, float | None] = {name: None for name in request.expected if name not in names}
    for report in (*(earlier.newest if earlier is not None else ()), *stale):
        if report.host.name not in names:
            last[report.host.name] = max(report.taken_at, last.get(report.host.name) or 0.0)
    return tuple(SilentHost(name, last[name]) for name in sorted(last))


def _notes(present: Sequence[HostReport], request: FleetRequest) -> tuple[str, ...]:
    notes = []
    bare = sum(1 for report in present if report.facts is None)
    if bare:
        notes.append(
            f"{bare} of {len(present)} reports have no facts (an older version, or a run of few "
            "checks): what splits is "
            "computed from the others"
        )
    machines = Counter(report.host.machine for report in present if report.host.machine)
    cloned = sum(number for number in machines.values() if number > 1)
    if cloned:
        notes.append(
            f"{cloned} hosts share a machine id with another: they were cloned with /etc/machine-id"
        )
    names = Counter(report.host.name for report in present)
    doubled = sorted(name for name, number in names.items() if number > 1)
    if doubled:
        notes.append(
            f"{len(doubled)} names are those of several hosts ({', '.join(doubled[:3])}): [site] "
            "name tells them apart"
        )
    if request.group_by and all(group_of(report, request.group_by) == "none" for report in present):
        notes.append(f"no report has a label or a fact {request.group_by}")
    return tuple(notes)
