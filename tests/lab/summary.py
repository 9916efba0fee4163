"""What a run of the lab proved, how, and at which cost, as lines for the end of the tests' output.

The hooks are in `tests/conftest.py`: where workers run the tests, that is the only one that the
main process loads.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.lab.cures import matrix
from tests.lab.places.hard_places import ELSEWHERE, PLACES, WAYS, WHY_NOT

from .conftest import chosen_engines, unfit
from .engines import discover

_REASON = 300
"""Characters of a reason that are shown."""


def header(config: pytest.Config) -> list[str]:
    """Which engines there are, and which are not, and why."""
    why = unfit()
    if why:
        return [f"lab: SKIPPED, {why}"]
    ready = ", ".join(map(str, chosen_engines(config))) or "none"
    left = [engine for engine in discover()[0] if engine not in chosen_engines(config)]
    night = [f"lab: engine {engine} is left out: --every-engine takes it" for engine in left]
    return [
        f"lab: engines {ready}",
        *night,
        *(f"lab: engine SKIPPED, {gap}" for gap in discover()[1]),
    ]


class _Figures(NamedTuple):
    """Of the runs on one host and engine: seconds, and bytes of memory."""

    walls: list[float]
    peaks: list[int]


def write(terminalreporter: Any, config: pytest.Config) -> None:
    """The matrix of ids and engines, the cures, and the figures of the runs."""
    _write_cures(terminalreporter)
    _write_reruns(terminalreporter)
    _write_places(terminalreporter)
    proven: dict[str, dict[str, str]] = {}
    measured: dict[tuple[str, str], _Figures] = {}
    for outcome, facts in _facts(terminalreporter):
        _add_proofs(proven, outcome, facts)
        _add_figures(measured, facts)
    if not proven:
        return
    terminalreporter.section("lab")
    for line in (*header(config), *_matrix(proven), *_times(measured)):
        terminalreporter.write_line(line)


def _facts(terminalreporter: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What each scenario noted of itself, with its outcome."""
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            facts = dict(getattr(report, "user_properties", [])).get("lab")
            if facts and report.when == "call":
                yield outcome, facts


def _add_proofs(proven: dict[str, dict[str, str]], outcome: str, facts: Mapping[str, Any]) -> None:
    checks = facts["checks"] or ["(healthy)"]
    # a host that failed as a whole may still prove most of its faults
    missed = facts.get("missed", checks)
    for check in checks:
        is_good = outcome == "passed" or check not in missed
        how = facts["how"] if is_good else outcome.upper()
        row = proven.setdefault(check, {})
        row[facts["engine"]] = _worse(row.get(facts["engine"]), how)


def _add_figures(measured: dict[tuple[str, str], _Figures], facts: Mapping[str, Any]) -> None:
    """To those of every host, and to its own where the tool was run several times."""
    walls = facts.get("walls", ())
    for host in ("every host", facts["name"]) if len(walls) > 1 else ("every host",):
        figures = measured.setdefault((host, facts["engine"]), _Figures([], []))
        figures.walls.extend(walls)
        figures.peaks.extend(facts.get("peaks", ()))


def _matrix(proven: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A row for each check, a column for each engine."""
    engines = {engine for row in proven.values() for engine in row}
    columns = sorted(engines, key=lambda name: [int(part) for part in name.split(".")])
    yield f"{'proven on a real fault':40}" + "".join(f"{engine:>10}" for engine in columns)
    for check, row in sorted(proven.items()):
        yield f"{check:40}" + "".join(f"{row.get(engine, '-'):>10}" for engine in columns)


def _times(measured: Mapping[tuple[str, str], _Figures]) -> Iterator[str]:
    for (name, engine), (walls, peaks) in sorted(measured.items()):
        if walls:
            yield (
                f"{name} on {engine}: {len(walls)} runs of the tool, "
                f"wall median {statistics.median(walls):.2f} s, longest {max(walls):.2f} s, "
                f"peak memory {max(peaks) / 2**20:.0f} MiB"
            )


def _write_places(terminalreporter: Any) -> None:
    """Where the tool was started, and how it got there. A cell is findings and processor seconds
    of a start, all as the installed tool's; or why there is none."""
    seen: dict[tuple[str, str], str] = {}
    for outcome in ("failed", "passed"):
        for report in terminalreporter.stats.get(outcome, []):
            for kind, value in getattr(report, "user_properties", ()):
                if kind == "place":
                    place, way, text = value
                    seen[place, way] = text
    if not seen:
        return
    terminalreporter.section("where it runs, with the verdicts of the installed tool")
    terminalreporter.write_line(f"{'':30}" + "".join(f"{way:26}" for way in WAYS))
    for place in PLACES:
        cells = [seen.get((place, way)) or WHY_NOT.get((place, way)) or "not run" for way in WAYS]
        terminalreporter.write_line(f"{place:30}" + "".join(f"{cell:26}" for cell in cells))
    for machine, text in ELSEWHERE.items():
        terminalreporter.write_line(f"{machine:30}{text}")


def _write_reruns(terminalreporter: Any) -> None:
    """Why tests passed only when they were run again: the same reason of many is one line."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("rerun", []):
        lines = [
            line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")
        ]
        reasons.setdefault(" ".join(lines)[:_REASON], []).append(report.nodeid.rpartition("::")[2])
    if not reasons:
        return
    terminalreporter.section("what failed once")
    for reason, names in reasons.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        terminalreporter.write_line(f"{names[0]}{others}: {reason}")


def _write_cures(terminalreporter: Any) -> None:
    reports = [
        r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])
    ]
    cures = [
        cure
        for report in reports
        if getattr(report, "when", "") == "call"
        for cure in dict(report.user_properties).get("cures", ())
    ]
    if cures:
        terminalreporter.section("cures")
        for line in matrix.lines(cures):
            terminalreporter.write_line(line)


def _worse(one: str | None, other: str) -> str:
    """Of two outcomes of one check on one engine the one that a reader must know."""
    order = ["FAILED", "SKIPPED", "machine", "alone", "shared"]
    return other if one is None else min(one, other, key=order.index)
