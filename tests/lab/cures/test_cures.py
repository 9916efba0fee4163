"""Every runbook page whose fault the lab can make, followed to the letter: the host is well
afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnose import runbooks
from tests.lab.conftest import chosen_engines, unfit
from tests.lab.cures.by_hand import FIRST, LEFT_OUT
from tests.lab.cures.proof import Cure, cure
from tests.lab.engines import Engine
from tests.lab.faults import Scenario
from tests.lab.faults import discover as discover_scenarios

pytestmark = pytest.mark.timeout(900)


def _cases(engines: list[Engine]) -> Iterator[tuple[str, Engine, list[Scenario]]]:
    """Groups of scenarios by the box that they share. The first engine has all that it can have,
    the others the rest.

    A host of its own is costly: a page whose cure is shown in a shared one, or on another host, is
    left at that.
    """
    done: set[str] = set()
    pages: set[str] = set()
    for engine in engines:
        groups: dict[str, list[Scenario]] = {}
        for scenario in sorted(
            discover_scenarios().values(), key=lambda scenario: not _shares(scenario)
        ):
            if (
                scenario.healthy
                or scenario.name in done
                or scenario.name in LEFT_OUT
                or engine not in scenario.engines
            ):
                continue
            page = scenario.expected[0][0]
            if not _shares(scenario) and page in pages and scenario.name not in FIRST:
                continue
            done.add(scenario.name)
            pages.add(page)
            name = scenario.name.partition(".")[0] if _shares(scenario) else scenario.name
            groups.setdefault(name, []).append(scenario)
        for name, group in groups.items():
            yield f"{name}-{engine.name}", engine, group


def _shares(scenario: Scenario) -> bool:
    """Whether its cure leaves the neighbours alone: restarting the engine does not."""
    try:
        fixes = runbooks.page(scenario.expected[0][0]).of("fix") if scenario.expected else ()
    except KeyError:
        fixes = ()
    return scenario.shareable and not any("systemctl" in block.text for block in fixes)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    cases = [
        pytest.param((group, engine), id=id)
        for id, engine, group in _cases(chosen_engines(metafunc.config))
    ]
    skipped = [pytest.param(None, marks=pytest.mark.skip(reason=unfit() or "no engine"), id="none")]
    metafunc.parametrize("case", cases or skipped)


def _keep(cures: list[Cure]) -> None:
    """Append what became of each scenario to the file that DIAGNOSE_CURES names, a JSON value a
    line."""
    kept = os.environ.get("DIAGNOSE_CURES")
    if kept:
        with Path(kept).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(vars(cure), sort_keys=True) + "\n" for cure in cures)


def test_cure(request: pytest.FixtureRequest, case: tuple[list[Scenario], Engine]) -> None:
    cures = cure(*case)
    request.node.user_properties.append(("cures", [vars(cure) for cure in cures]))
    _keep(cures)
    said = "".join(
        f"\n{followed.id} ({followed.scenario}): {complaint}"
        for followed in cures
        for complaint in followed.complaints
    )
    assert not said, said
