"""Containers that began to fail together: what they share is said, and only where no cause was
found."""

from __future__ import annotations

import pytest

from diagnose.judgement import coincidence
from diagnose.model import CauseLink, Check, Finding, Reported, Severity, Subject, container

DISK, OTHER = Subject("filesystem", "/var/lib/docker"), Subject("filesystem", "/srv")
NET, LAB = Subject("network", "shop"), Subject("network", "lab")
SHOP, JOB = Subject("image", "shop:1.4"), Subject("image", "job:2")


def fails(
    name: str,
    onset: float | None,
    severity: Severity = Severity.critical,
    caused: bool = False,
    id: str = "container.restart-loop",
    calls: tuple[str, ...] = (),
    log: str = "",
) -> Reported:
    check = Check(
        id,
        "T.",
        severity,
        lambda: None,
        needs=(),
        thresholds=(),
        caused_by=("storage.disk-full",),
        causes=(),
        posture=False,
    )
    key = f"{id}@container:{name}"
    called = tuple(container(callee) for callee in calls)
    links = (CauseLink("storage.disk-full@filesystem:/", key, "same disk"),) if caused else ()
    return Reported(
        key,
        check,
        severity,
        Finding(container(name), "s", {"log": log} if log else {}, calls=called, onset=onset),
        causes=links,
    )


def on(**containers: tuple[Subject, ...]) -> dict[Subject, frozenset[Subject]]:
    return {container(name): frozenset({DISK, *below}) for name, below in containers.items()}


TRIO = on(a=(NET, SHOP), b=(NET, SHOP), c=(NET, JOB), idle=(LAB, JOB))
CASES: dict[str, tuple[list[Reported], dict[Subject, frozenset[Subject]], list[str]]] = {
    "three on one network": (
        [fails("a", 100), fails("b", 120), fails("c", 140)],
        TRIO,
        [
            "three containers began to fail within 40 s, and no cause was found: same network shop (a, b, c)"
        ],
    ),
    "one network and one image": (
        [fails("a", 100), fails("b", 120), fails("c", 110)],
        on(a=(NET, SHOP), b=(NET, SHOP), c=(NET, SHOP)),
        [
            "three containers began to fail within 20 s, and no cause was found: same image shop:1.4, same network shop (a, c, b)"
        ],
    ),
    "a disk that not all stand on": (
        [fails("a", 100), fails("b", 101), fails("c", 102)],
        on(a=(LAB, OTHER), b=(NET, OTHER), c=(OTHER,), idle=(NET,)),
        [
            "three containers began to fail within 2 s, and no cause was found: same disk /srv (a, b, c)"
        ],
    ),
    "only the disk of all": (
        [fails("a", 1), fails("b", 2), fails("c", 3)],
        on(a=(), b=(NET,), c=(LAB,)),
        [],
    ),
    "two call the same one in vain, in their own ways; a third that fails beside them does not": (
        [
            fails("a", 100, calls=("db",)),
            fails("b", None, id="container.unhealthy", calls=("db",)),
            fails("c", 101),
        ],
        TRIO,
        ['2 containers (a, b) cannot reach container "db"; no cause was found'],
    ),
    "their own logs say why": (
        [
            fails(name, 100, log="FATAL: password authentication failed for user x")
            for name in "abc"
        ],
        TRIO,
        [],
    ),
    "their logs say nothing": (
        [fails(name, 100, log="Starting server") for name in "abc"],
        TRIO,
        [
            "three containers began to fail within 0 s, and no cause was found: same network shop (a, b, c)"
        ],
    ),
    "they call one that fails for a cause": (
        [fails("a", 100, calls=("db",), caused=True), fails("b", 120, calls=("db",), caused=True)],
        TRIO,
        [],
    ),
    "two are chance": ([fails("a", 100), fails("b", 120)], TRIO, []),
    "a cause was found": (
        [fails("a", 100), fails("b", 120), fails("c", 140, caused=True)],
        TRIO,
        [],
    ),
    "hours apart": ([fails("a", 100), fails("b", 4000), fails("c", 9000)], TRIO, []),
    "nobody knows since when": ([fails("a", 100), fails("b", 120), fails("c", None)], TRIO, []),
    "advice": ([fails(name, 100, Severity.advice) for name in "abc"], TRIO, []),
    "each fails in its own way": (
        [
            fails("a", 100),
            fails("b", 120, id="container.oom-killed"),
            fails("c", 140, id="container.unhealthy"),
        ],
        TRIO,
        [],
    ),
    "the same container thrice": ([fails("a", 100), fails("a", 101), fails("a", 102)], TRIO, []),
    "nothing is known of what they stand on": ([fails(name, 100) for name in "abc"], {}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_failures_without_a_cause_have_in_common(name: str) -> None:
    findings, topology, said = CASES[name]
    assert list(coincidence.notes(findings, topology)) == said


def test_a_large_group_is_named_in_part() -> None:
    names = [f"n{number}" for number in range(12)]
    (said,) = coincidence.notes(
        [fails(name, 5) for name in names], on(**dict.fromkeys(names, (NET,)))
    )
    assert said.startswith("12 containers began to fail within 0 s")
    assert "and 7 more" in said
