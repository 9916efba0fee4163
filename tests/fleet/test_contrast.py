"""Contrast: probabilities that are exact, a fact that splits is named, and chance is not."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from msgspec.structs import replace

from diagnose.fleet.contrast import Sides, at_least, bits, predicates, splits
from diagnose.fleet.reports import Fact, HostName, HostReport
from tests.fleet.made_fleet import SEEDS, Seed, reports, roots

PATH = "/etc/sysctl.d/99-hardening.conf"


def exact(with_both: int, sick: int, other: int, with_fact: int) -> Fraction:
    """Fisher's exact test by counting all tables."""
    total = math.comb(sick + other, with_fact)
    ways = sum(
        math.comb(sick, a) * math.comb(other, with_fact - a)
        for a in range(with_both, min(sick, with_fact) + 1)
    )
    return Fraction(ways, total)


def test_probabilities_are_those_of_counting_all_tables():
    compared = 0
    for sick in range(1, 9):
        for other in range(1, 9):
            for with_fact in range(1, sick + other):
                for both in range(max(0, with_fact - other), min(sick, with_fact) + 1):
                    found = at_least(both, sick, other, with_fact)
                    assert found == pytest.approx(
                        float(exact(both, sick, other, with_fact)), rel=1e-9
                    )
                    compared += 1
    assert compared > 1000


@pytest.mark.parametrize("table", [(143, 143, 857, 145), (70, 91, 909, 300), (3, 40, 9960, 700)])
def test_large_tables_are_exact_too(table: tuple[int, int, int, int]):
    assert at_least(*table) == pytest.approx(float(exact(*table)), rel=1e-6)


def host(
    number: int, *facts: tuple[str, str], changed: dict[str, float] | None = None
) -> HostReport:
    empty: frozenset[str] = frozenset()
    known = tuple(Fact(name, value) for name, value in facts)
    return HostReport(
        HostName(f"h{number}"), "", 1000.0, {}, known, changed or {}, (), empty, empty, empty
    )


def sides(reports: list[HostReport], sick: set[int]) -> Sides:
    everybody = range(len(reports))
    return Sides(
        bits(sick, len(reports)), bits((at for at in everybody if at not in sick), len(reports))
    )


def test_five_of_twelve_with_a_changed_file_are_enough():
    listed = ("folder /etc/sysctl.d", "1 file")
    fleet = [
        host(
            at,
            listed,
            (f"file {PATH}", "213 bytes"),
            ("gateway", f"10.0.{at}.1"),
            changed={PATH: 900.0},
        )
        if at < 5
        else host(
            at, listed, ("gateway", f"10.0.{at}.1"), ("engine", "28.5" if at < 11 else "20.10")
        )
        for at in range(12)
    ]
    found = splits({"a.b": sides(fleet, set(range(5)))}, predicates(fleet))["a.b"]
    assert found.facts == (f"file {PATH} changed within a day",)
    assert (found.sick_with, found.sick, found.other_with, found.other, found.lacks) == (
        5,
        5,
        0,
        7,
        False,
    )


def test_what_is_lacking_splits_too():
    fleet = [
        host(at, ("daemon.json", "x"), *([("daemon.json live-restore", "true")] if at > 9 else []))
        for at in range(40)
    ]
    found = splits({"a.b": sides(fleet, set(range(10)))}, predicates(fleet))["a.b"]
    assert found.lacks
    assert found.facts == ("daemon.json live-restore is true",)


def test_hosts_of_which_a_fact_is_not_known_are_on_neither_side():
    fleet = [
        host(at, ("kernel", "6.1" if at < 10 else "5.10")) if at % 2 else host(at)
        for at in range(40)
    ]
    found = splits({"a.b": sides(fleet, set(range(10)))}, predicates(fleet))["a.b"]
    assert (found.sick, found.other) == (5, 15)


def test_a_folder_that_was_not_read_says_nothing_of_a_file():
    listed = ("folder /etc/sysctl.d", "1 file")
    fleet = [host(at, listed, (f"file {PATH}", "1 bytes")) for at in range(8)] + [
        host(at) for at in range(8, 40)
    ]
    assert not splits({"a.b": sides(fleet, set(range(8)))}, predicates(fleet))


def test_two_facts_of_the_same_hosts_are_one_test():
    fleet = [host(at, *((f"f{number}", str(at < 6)) for number in range(50))) for at in range(14)]
    found = splits({"a.b": sides(fleet, set(range(6)))}, predicates(fleet))["a.b"]
    assert len(found.facts) == 50
    assert found.tests <= 2


def test_facts_of_the_others_are_the_same_test():
    """As five of ten real hosts were: a file more, and so another number of files."""
    fleet = [
        host(at, ("folder /etc/sysctl.d", "3 files"), (f"file {PATH}", "34 bytes"))
        if at < 5
        else host(at, ("folder /etc/sysctl.d", "2 files"))
        for at in range(10)
    ]
    found = splits({"a.b": sides(fleet, set(range(5)))}, predicates(fleet))["a.b"]
    assert (found.facts, found.lacks, found.tests) == ((f"file {PATH}",), False, 2)


def test_a_tendency_splits_nothing():
    """Three of ten against one of ten is not chance on 2,000 hosts, and explains little."""
    fleet = [
        host(at, ("kernel", "6.1" if (at < 300 or 1000 <= at < 1100) else "5.10"))
        for at in range(2000)
    ]
    assert not splits({"a.b": sides(fleet, set(range(1000)))}, predicates(fleet))


def seeded(seed: int, hosts: int) -> bool:
    """Whether the contrast names the seeded fact."""
    rng = random.Random(seed)
    wanted = Seed(rng.choice(list(roots())), rng.choice(SEEDS).fact, holders=rng.uniform(0.1, 0.4))
    fleet = reports(rng, hosts, [wanted])
    sick = {
        at for at, report in enumerate(fleet) if any(root.id == wanted.id for root in report.roots)
    }
    found = splits({wanted.id: sides(fleet, sick)}, predicates(fleet)).get(wanted.id)
    name, value = wanted.fact
    return found is not None and any(fact in (f"{name} is {value}", name) for fact in found.facts)


def null(seed: int, hosts: int) -> bool:
    """Whether a fleet whose causes are spread by chance is told a split."""
    rng = random.Random(seed)
    fleet = reports(rng, hosts, [], noise=0.0)
    causes = {
        id: sides(fleet, set(rng.sample(range(hosts), rng.randint(2, max(3, hosts // 3)))))
        for id in list(roots())[:8]
    }
    return bool(splits(causes, predicates(fleet)))


def test_a_sample_of_seeded_fleets():
    assert sum(seeded(seed, 120) for seed in range(6)) == 6


def test_a_sample_of_fleets_without_a_reason():
    assert sum(null(seed, 60) for seed in range(12)) == 0


def test_a_cause_that_is_seeded_is_no_cause_of_all():
    fleet = reports(random.Random(3), 60, [SEEDS[0]])
    everybody = replace(sides(fleet, set()), sick=bits(range(60), 60), other=0)
    assert not splits({SEEDS[0].id: everybody}, predicates(fleet))
