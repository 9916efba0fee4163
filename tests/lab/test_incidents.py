"""Compound incidents on a real engine: the true root is shown first, and nothing that follows from
it is shown as one."""

from __future__ import annotations

import pytest

from .conftest import chosen_engines, unfit
from .engines import Engine
from .incident import Incident, discover, judge, run

pytestmark = pytest.mark.timeout(300)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each on the oldest engine, some on the newest."""
    if "case" not in metafunc.fixturenames:
        return
    engines = chosen_engines(metafunc.config)
    cases = [
        pytest.param((incident, engine), id=f"{incident.name}-{engine.name}")
        for incident in discover().values()
        for engine in dict.fromkeys([*engines[:1], *(engines[-1:] if incident.newest_too else ())])
    ]
    skipped = [pytest.param(None, marks=pytest.mark.skip(reason=unfit() or "no engine"), id="none")]
    metafunc.parametrize("case", cases or skipped)


def test_there_are_twenty() -> None:
    assert len(discover()) >= 20


def test_incident(case: tuple[Incident, Engine]) -> None:
    judge(case[0], run(*case))
