"""Groups of hosts, and the hosts that differ from their group. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from diagnose.fleet.model import OddHost
from diagnose.fleet.reports import Fact, HostReport
from diagnose.mappings import by_key

ODD_BELOW = 0.02
"""A host differs from its group where at most this share of the group has its value,"""
USUAL_FROM = 0.9
"""and at least this share has one other value."""
SMALLEST_GROUP = 8
"""In a group of fewer hosts, none is called different."""
VARIED = ("network", "gateway", "uplink", "memory", "processors", "clock", "clock offset")
"""Facts in which hosts of one group may differ without anybody's wonder."""


def group_of(report: HostReport, label: str) -> str:
    """The host's value of a label, or of a fact of this name; "none" where it has neither."""
    if label in report.labels:
        return report.labels[label]
    return next((fact.value for fact in report.facts or () if fact.name == label), "none")


def odd_hosts(present: Sequence[HostReport], label: str) -> tuple[OddHost, ...]:
    """Hosts that differ from their group in what nearly all others share."""
    groups = by_key(
        (group_of(report, label) if label else "", report)
        for report in present
        if report.facts is not None
    )
    hosts = [
        odd
        for reports in groups.values()
        if len(reports) >= SMALLEST_GROUP
        for odd in _odd_in(reports)
    ]
    return tuple(sorted(hosts, key=lambda odd: (-len(odd.differences), odd.host)))


def _odd_in(reports: Sequence[HostReport]) -> Iterator[OddHost]:
    """The hosts of one group with a value of a fact that few others have."""
    values: dict[str, Counter[str]] = {}
    for report in reports:
        for fact in report.facts or ():
            values.setdefault(fact.name, Counter())[fact.value] += 1
    usual = _usual_values(values, len(reports))
    rare = max(1, int(ODD_BELOW * len(reports)))

    def is_odd(fact: Fact) -> bool:
        differs = usual.get(fact.name, fact.value) != fact.value
        return differs and values[fact.name][fact.value] <= rare

    for report in reports:
        differing = [fact for fact in report.facts or () if is_odd(fact)]
        if differing:
            differences = tuple((fact.name, fact.value, usual[fact.name]) for fact in differing)
            yield OddHost(report.host.name, differences)


def _usual_values(values: Mapping[str, Counter[str]], size: int) -> dict[str, str]:
    """The value that nearly all hosts of a group have, by fact. values: how many have which."""
    usual: dict[str, str] = {}
    for name, counted in values.items():
        value, number = counted.most_common(1)[0]
        if number >= USUAL_FROM * size and name not in VARIED:
            usual[name] = value
    return usual
