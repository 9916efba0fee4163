"""Every runbook page whose fault the lab can make, followed to the letter: the host is well afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import chosen_engines, unfit
from .cures import cure
from .engines import Engine
from .faults import Scenario
from .faults import discover as discover_scenarios

pytestmark = pytest.mark.timeout(900)

NOT_TOGETHER: frozenset[str] = frozenset()
"""Scenarios that stand in a shared box, but whose cures would heal or harm their neighbours."""


def _cases(engines: list[Engine]) -> Iterator[tuple[str, Engine, list[Scenario]]]:
    """Groups of scenarios by the box that they share. The first engine has all that it can have, the others the rest."""
    done: set[str] = set()
    for engine in engines:
        groups: dict[str, list[Scenario]] = {}
        for scenario in discover_scenarios().values():
            if scenario.healthy or scenario.name in done or engine not in scenario.engines:
                continue
            done.add(scenario.name)
            together = scenario.shareable and scenario.name not in NOT_TOGETHER
            groups.setdefault(scenario.name.partition(".")[0] if together else scenario.name, []).append(scenario)
        for name, group in groups.items():
            yield f"{name}-{engine.name}", engine, group


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "group" not in metafunc.fixturenames:
        return
    cases = [pytest.param(group, engine, id=id) for id, engine, group in _cases(chosen_engines(metafunc.config))]
    skipped = [pytest.param(None, None, marks=pytest.mark.skip(reason=unfit() or "no engine"), id="none")]
    metafunc.parametrize(("group", "engine"), cases or skipped)


def test_cure(request: pytest.FixtureRequest, group: list[Scenario], engine: Engine) -> None:
    cures = cure(group, engine)
    request.node.user_properties.append(("cures", [vars(each) for each in cures]))
    said = "".join(f"\n{each.id} ({each.scenario}): {complaint}" for each in cures for complaint in each.complaints)
    assert not said, said
