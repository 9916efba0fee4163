"""One answer for many hosts.

Which causes there are, on how many hosts, since when, and what splits the sick from the well. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from diagnose.fleet.causes import causes
from diagnose.fleet.groups import group_of, odd_hosts
from diagnose.fleet.model import Blindness, Fleet, FleetAnswer, FleetRequest, SilentHost
from diagnose.fleet.packed import Unusable
from diagnose.fleet.reports import HostName, HostReport
from diagnose.judgement import exit_codes
from diagnose.mappings import first_of
from diagnose.model import Severity

AHEAD_S = 300.0
"""A report that is so much newer than the clock here was taken by a clock that is wrong."""


def fleet(read: Iterable[HostReport | Unusable], now: float) -> Fleet:
    """Reports by host. One that stands twice, and one from the future, is named and not counted."""
    by_host: dict[HostName, dict[float, HostReport]] = {}
    unusable: list[Unusable] = []
    for report in read:
        if isinstance(report, Unusable):
            unusable.append(report)
            continue
        answers_of_host = by_host.setdefault(report.host, {})
        if report.taken_at > now + AHEAD_S:
            why = "is from the future: the clock of its host is wrong"
            unusable.append(Unusable(report.place, why))
        elif report.taken_at in answers_of_host:
            why = f"is the same report as {answers_of_host[report.taken_at].place}"
            unusable.append(Unusable(report.place, why, may_be_a_host=False))
        else:
            answers_of_host[report.taken_at] = report
    reports = {host: _newest_first(of_host) for host, of_host in sorted(by_host.items()) if of_host}
    return Fleet(
        tuple(newest for newest, *_ in reports.values()),
        {host: tuple(older) for host, (_, *older) in reports.items()},
        tuple(unusable),
    )


def _newest_first(reports: Mapping[float, HostReport]) -> list[HostReport]:
    """The reports of a host by the moment at which each was taken."""
    return [reports[moment] for moment in sorted(reports, reverse=True)]


def answer(
    now: Fleet, earlier: Fleet | None, request: FleetRequest, severities: Mapping[str, Severity]
) -> FleetAnswer:
    """The causes on the hosts of a fleet, worst first.

    earlier: an older set to compare with. severities: of the checks that this version knows, by id.
    """
    present, stale = _reports_by_age(now.newest, request.since_s)
    sick = {report.host for report in present if report.roots}
    codes = {report.host: _code(report, request.fail_on, severities) for report in present}
    unexamined = [
        host.name for host, code in codes.items() if code == exit_codes.UNKNOWN and host not in sick
    ]
    silent = _silent_hosts(present, stale, earlier, request)
    is_incomplete = bool(silent) or not present or any(file.may_be_a_host for file in now.unusable)
    all_codes = {*codes.values(), exit_codes.UNKNOWN} if is_incomplete else {*codes.values()}
    return FleetAnswer(
        code=_worst_exit_code(all_codes, request.fail_on),
        hosts=len(present),
        well=len(present) - len(sick) - len(unexamined),
        sick=len(sick),
        unexamined=tuple(sorted(unexamined)),
        causes=causes(present, now, earlier, request),
        odd=odd_hosts(present, request.group_by),
        lost=_newly_blind(present, now, earlier),
        silent=silent,
        unusable=(*now.unusable, *(earlier.unusable if earlier is not None else ())),
        notes=tuple(_notes(present, request)),
        earlier=len(earlier.newest) if earlier is not None else 0,
    )


def _reports_by_age(
    reports: Sequence[HostReport], since_s: float
) -> tuple[list[HostReport], list[HostReport]]:
    """The reports of this round, and those that are too old to belong to it."""
    latest = max((report.taken_at for report in reports), default=0.0)
    present = [report for report in reports if report.taken_at >= latest - since_s]
    stale = [report for report in reports if report.taken_at < latest - since_s]
    return present, stale


def _code(report: HostReport, fail_on: str, severities: Mapping[str, Severity]) -> int:
    """The exit code, as for a run on this host. A check that this version does not know may have
    been critical."""
    worst = [root.severity for root in report.roots]
    return exit_codes.code(
        worst, (severities.get(id, Severity.critical) for id in report.blind), fail_on
    )


def _worst_exit_code(codes: Set[int], fail_on: str) -> int:
    """2 before 1 before 3 before 0, as for a host."""
    if fail_on == "never":
        return 0
    order = (exit_codes.CRITICAL, exit_codes.WARNING, exit_codes.UNKNOWN)
    return next((code for code in order if code in codes), exit_codes.OK)


def _newly_blind(
    present: Sequence[HostReport], now: Fleet, earlier: Fleet | None
) -> tuple[Blindness, ...]:
    """Checks that could look before, and could not now.

    By the report before, or by the earlier set.
    """
    then = {report.host: report for report in earlier.newest} if earlier is not None else {}
    lost: dict[str, list[str]] = {}
    for report in present:
        previous = first_of(now.before.get(report.host, ()), then.get(report.host))
        ids = report.blind & previous.seen if previous is not None else ()
        for id in ids:
            lost.setdefault(id, []).append(report.host.name)
    ordered = sorted(lost.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return tuple(Blindness(id, tuple(hosts)) for id, hosts in ordered)


def _silent_hosts(
    present: Sequence[HostReport],
    stale: Sequence[HostReport],
    earlier: Fleet | None,
    request: FleetRequest,
) -> tuple[SilentHost, ...]:
    """Hosts that should have reported.

    Expected by name, seen in the earlier set, or with nothing but an old report.
    """
    present_hosts = {report.host for report in present}
    names = {host.name for host in present_hosts}
    last: dict[str, float | None] = {name: None for name in request.expected if name not in names}
    for report in (*(earlier.newest if earlier is not None else ()), *stale):
        if report.host.name not in names:
            last[report.host.name] = max(report.taken_at, last.get(report.host.name) or 0.0)
    return tuple(SilentHost(name, last[name]) for name in sorted(last))


def _notes(present: Sequence[HostReport], request: FleetRequest) -> Iterator[str]:
    """The limits of the answer, as sentences."""
    bare = sum(1 for report in present if report.facts is None)
    if bare:
        yield (
            f"{bare} of {len(present)} reports have no facts (an older version, "
            "or a run of few checks): what splits is computed from the others"
        )
    cloned = sum(_shared_values(report.host.machine for report in present).values())
    if cloned:
        yield (
            f"{cloned} hosts share a machine id with another: they were cloned with /etc/machine-id"
        )
    doubled = sorted(_shared_values(report.host.name for report in present))
    if doubled:
        yield (
            f"{len(doubled)} names are those of several hosts ({', '.join(doubled[:3])}): "
            "[site] name tells them apart"
        )
    label = request.group_by
    if label and all(group_of(report, label) == "none" for report in present):
        yield f"no report has a label or a fact {label}"


def _shared_values(values: Iterable[str]) -> dict[str, int]:
    """The values that several hosts have, each with the number of hosts."""
    numbers = Counter(value for value in values if value)
    return {value: number for value, number in numbers.items() if number > 1}
