"""Contrast: the fact that splits the hosts with a cause from those without it. Pure.

For each fact a table of two by two is judged by Fisher's exact test. Many facts are tried, so that
some would split by chance: the level is corrected for all tests of a run by Tarone's method
(Biometrics 46, 1990, 515), which is Bonferroni's over those tests that could reach the level at
all. Facts that divide the hosts in the same way are one test.
"""

import bisect
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.fleet.reports import Fact, HostReport
from diagnose.mappings import by_key

LEVEL = 0.01
"""The probability that a run without any real split names one."""
SPLITS_FROM = 0.5
"""So much larger must the share of the hosts with the fact be among those with the cause: less is a
tendency, and splits nothing."""
RECENT_S = 86400.0
"""A file that changed in the day before the report counts as changed."""

OPEN_ENDED = ("daemon.json ", "dockerd --", "image ", "label ")
"""Facts that a host may lack: there are as many of them as somebody configures."""

THERE = "is there"
RECENTLY = "changed within a day"

_TELLING = (
    "changed",
    "file",
    "daemon.json",
    "dockerd",
    "image",
    "engine",
    "kernel",
    "distribution",
    "label",
)
"""If several facts hold on the same hosts, those that somebody caused come first."""


class Predicate(msgspec.Struct, frozen=True):
    """A fact as a yes or no for each host; each number has a bit for each host."""

    name: str
    value: str
    holds: int
    known: int
    """The hosts of which it is known."""

    @property
    def words(self) -> str:
        """The predicate in words, for a sentence about hosts.

        `kernel is 6.1.0`, `file /etc/sysctl.conf changed within a day`.
        """
        if self.value == THERE:
            return self.name
        if self.value == RECENTLY:
            return f"{self.name} {self.value}"
        return f"{self.name} is {self.value}"


class Split(msgspec.Struct, frozen=True):
    """The fact that splits, and on how many hosts it holds."""

    facts: tuple[str, ...]
    """All facts that hold on exactly these hosts, the most telling first."""
    lacks: bool
    """Whether the hosts with the cause are those without the fact."""
    sick_with: int
    sick: int
    other_with: int
    other: int
    p: float
    """The probability of so clear a table by chance, not corrected."""
    tests: int
    """How many tests it was corrected for."""


class _Partition(msgspec.Struct):
    """The facts that divide the same hosts in the same way, by the part on which they hold."""

    first: list[Predicate] = []
    second: list[Predicate] = []


class Sides(msgspec.Struct, frozen=True):
    """The hosts with a cause and those without it, a bit for each.

    A host whose check could not look is in neither.
    """

    sick: int
    other: int


def bits(numbers: Iterable[int], size: int) -> int:
    """A number with these bits set."""
    buffer = bytearray(size // 8 + 1)
    for number in numbers:
        buffer[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(buffer, "little")


@functools.lru_cache(maxsize=200_000)
def _log_factorial(number: int) -> float:
    return math.lgamma(number + 1)


def _log_choose(total: int, chosen: int) -> float:
    return _log_factorial(total) - _log_factorial(chosen) - _log_factorial(total - chosen)


def at_least(with_both: int, sick: int, other: int, with_fact: int) -> float:
    """Fisher's exact test, one-sided.

    The probability of this many sick hosts with the fact, or more, if the fact had no bearing.

    The terms of the hypergeometric distribution from here on; they fall quickly, and the sum ends
    where they no longer count.
    """
    most = min(sick, with_fact)
    count = max(with_both, with_fact - other, 0)
    if count > most:
        return 0.0
    term = math.exp(
        _log_choose(sick, count)
        + _log_choose(other, with_fact - count)
        - _log_choose(sick + other, with_fact)
    )
    total = term
    while count < most:
        term *= (
            (sick - count) * (with_fact - count) / ((count + 1) * (other - with_fact + count + 1))
        )
        count += 1
        total += term
        if term < total * 1e-15 and count > sick * with_fact / (sick + other):
            break
    return min(total, 1.0)


class _Test(msgspec.Struct, frozen=True):
    """One test of one cause.

    The margins of its table, and the smallest probability that they allow.
    """

    cause: str
    predicates: tuple[Predicate, ...]
    lacks: bool
    with_both: int
    with_fact: int
    sick: int
    other: int
    smallest: float

    @property
    def difference(self) -> float:
        return self.with_both / self.sick - (self.with_fact - self.with_both) / self.other


def predicates(reports: Sequence[HostReport]) -> tuple[Predicate, ...]:
    """All facts of these hosts as predicates.

    A fact that all or only one of them has can split nothing.
    """
    size = len(reports)
    with_facts = bits((at for at, report in enumerate(reports) if report.facts is not None), size)
    candidates = (*_fact_predicates(reports, with_facts), *_file_predicates(reports, with_facts))
    return tuple(
        predicate
        for predicate in candidates
        if 1 < predicate.holds.bit_count() < predicate.known.bit_count()
    )


def _fact_predicates(reports: Sequence[HostReport], with_facts: int) -> Iterator[Predicate]:
    """For each fact and label whether a host has this value; for what it may lack, any value."""
    holders = by_key(
        (fact, at) for at, report in enumerate(reports) for fact in _facts_and_labels(report)
    )
    by_fact = {fact: bits(numbers, len(reports)) for fact, numbers in holders.items()}
    by_name: dict[str, int] = {}
    for fact, mask in by_fact.items():
        by_name[fact.name] = by_name.get(fact.name, 0) | mask
    for fact, mask in by_fact.items():
        yield Predicate(fact.name, fact.value, mask, _number_known(fact.name, by_name, with_facts))
    for name, mask in by_name.items():
        if _may_lack(name):
            yield Predicate(name, THERE, mask, _number_known(name, by_name, with_facts))


def _facts_and_labels(report: HostReport) -> Iterator[Fact]:
    yield from report.facts or ()
    for name, value in report.labels.items():
        yield Fact(f"label {name}", value)


def _file_predicates(reports: Sequence[HostReport], with_facts: int) -> Iterator[Predicate]:
    """For each file whether it changed shortly before the report."""
    changed = by_key(
        (path, at)
        for at, report in enumerate(reports)
        for path, moment in report.changed.items()
        if 0 <= report.taken_at - moment <= RECENT_S
    )
    for path, numbers in changed.items():
        yield Predicate(f"file {path}", RECENTLY, bits(numbers, len(reports)), with_facts)


def _may_lack(name: str) -> bool:
    return name.startswith((*OPEN_ENDED, "file "))


def _number_known(name: str, by_name: Mapping[str, int], with_facts: int) -> int:
    """The hosts of which it is known whether they have the fact."""
    if name.startswith("daemon.json "):
        return by_name.get("daemon.json", 0)
    if name.startswith("file "):
        folder = by_name.get(_folder_of(name))
        return by_name[name] if folder is None else folder
    return with_facts if _may_lack(name) else by_name[name]


def _folder_of(file: str) -> str:
    """The fact that counts the files of the folder in which a file lies."""
    return f"folder {file.removeprefix('file ').rpartition('/')[0]}"


def splits(causes: Mapping[str, Sides], candidates: Sequence[Predicate]) -> dict[str, Split]:
    """By cause, the fact that splits its hosts from the others best, where one does."""
    tests = [test for cause, sides in causes.items() for test in _tests(cause, sides, candidates)]
    corrected = _corrected_level(sorted(test.smallest for test in tests))
    best: dict[str, Split] = {}
    for test in tests:
        if test.smallest > corrected.level or test.difference < SPLITS_FROM:
            continue
        p = at_least(test.with_both, test.sick, test.other, test.with_fact)
        split = best.get(test.cause)
        if p <= corrected.level and (split is None or _rank(test, p) < _rank_of(split)):
            best[test.cause] = _split_of_test(test, p, corrected.tests)
    return best


def _rank(test: _Test, p: float) -> tuple[float, float]:
    return p, -test.difference


def _rank_of(split: Split) -> tuple[float, float]:
    share = split.sick_with / split.sick - split.other_with / split.other
    return split.p, -abs(share)


class _Corrected(msgspec.Struct, frozen=True):
    level: float
    tests: int


def _corrected_level(smallest: Sequence[float]) -> _Corrected:
    """Tarone's correction of the level.

    The smallest number of tests at which no more tests than that can reach LEVEL divided by it.

    smallest: of each test the smallest probability that its margins allow, in order.
    """
    for number in range(1, len(smallest) + 1):
        level = LEVEL / number
        if bisect.bisect_right(smallest, level) <= number:
            return _Corrected(level, number)
    return _Corrected(LEVEL, 1)


def _tests(cause: str, sides: Sides, candidates: Sequence[Predicate]) -> Iterable[_Test]:
    """The tests of one cause, in both directions.

    Facts that hold on the same of its hosts are one test, and so are those that hold on exactly the
    others: "3 files" of five hosts and "2 files" of the rest ask the same question.
    """
    partitions: dict[tuple[int, int], _Partition] = {}
    for predicate in candidates:
        everybody = (sides.sick | sides.other) & predicate.known
        holds = predicate.holds & everybody
        hosts_without = everybody & ~holds
        partition = partitions.setdefault((min(holds, hosts_without), everybody), _Partition())
        (partition.first if holds < hosts_without else partition.second).append(predicate)
    for (first, everybody), partition in partitions.items():
        sick = (sides.sick & everybody).bit_count()
        other = (sides.other & everybody).bit_count()
        if sick < 2 or other < 2 or not first:
            continue
        for holders, with_it, without in (
            (first, partition.first, partition.second),
            (everybody & ~first, partition.second, partition.first),
        ):
            with_fact = holders.bit_count()
            yield _Test(
                cause,
                tuple(sorted(with_it or without, key=_order_of_telling)),
                lacks=not with_it,
                with_both=(holders & sides.sick).bit_count(),
                with_fact=with_fact,
                sick=sick,
                other=other,
                smallest=at_least(min(sick, with_fact), sick, other, with_fact),
            )


def _order_of_telling(predicate: Predicate) -> tuple[int, str, bool]:
    if predicate.value == RECENTLY:
        return 0, predicate.name, False
    first = predicate.name.partition(" ")[0]
    place = _TELLING.index(first) if first in _TELLING else len(_TELLING)
    return place, predicate.name, predicate.value != THERE


def _facts_in_words(alike: Sequence[Predicate]) -> tuple[str, ...]:
    """The common facts of these hosts in words: `file /etc/x`, `daemon.json mtu is 1400`.

    For a file or an image it is enough that it is there; a setting says more by its value. A file
    that changed needs no second mention, and a folder none beside its file.
    """
    recent = {predicate.name for predicate in alike if predicate.value == RECENTLY}
    folders = {_folder_of(predicate.name) for predicate in alike}
    present_facts = {predicate.name for predicate in alike if predicate.value == THERE}
    valued = {predicate.name for predicate in alike if predicate.value not in (THERE, RECENTLY)}

    def is_telling(predicate: Predicate) -> bool:
        if predicate.value == RECENTLY:
            return True
        if predicate.name in recent | folders:
            return False
        if predicate.name not in present_facts & valued:
            return True
        if predicate.name.startswith(("file ", "image ")):
            return predicate.value == THERE
        return predicate.value != THERE

    return tuple(predicate.words for predicate in alike if is_telling(predicate))


def _split_of_test(test: _Test, p: float, tests: int) -> Split:
    """The outcome of a test, as the report shows it."""
    other_with = test.with_fact - test.with_both
    return Split(
        facts=_facts_in_words(test.predicates),
        lacks=test.lacks,
        sick_with=test.with_both,
        sick=test.sick,
        other_with=other_with,
        other=test.other,
        p=p,
        tests=tests,
    )
