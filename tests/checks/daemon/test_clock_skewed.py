"""The check in checks/daemon/clock_skewed.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from tests.checks.daemon.evidence import ID
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("created", "date", "count"),
    [
        pytest.param("2026-01-02T03:04:05Z", None, 0, id="in the past"),
        pytest.param("2026-01-02T03:05:40Z", None, 0, id="seconds apart"),
        pytest.param("2026-01-02T05:04:05Z", None, 1, id="in the future"),
        pytest.param("2026-01-02T03:04:05Z", 1767322000.0, 1, id="the engine's clock"),
    ],
)
def test_clock_skewed(created: str, date: float | None, count: int) -> None:
    containers = Containers(
        (msgspec.convert({"Id": ID, "Name": "/web", "Created": created}, Container),)
    )
    clock = Clock(1767323105.0, 0.0)
    result = judge(
        "daemon.clock-skewed",
        clock=clock,
        ping=Ping("1.41", engine_version="", libpod="", date=date),
        containers=containers,
    )
    assert rows(result) == [("warning", "host")] * count


@pytest.mark.parametrize(("date", "words"), [(1767322000.0, "behind"), (1767324200.0, "ahead of")])
def test_which_clock_is_ahead(date: float, words: str) -> None:
    result = judge(
        "daemon.clock-skewed",
        clock=Clock(1767323105.0, 0.0),
        ping=Ping("1.41", engine_version="", libpod="", date=date),
        containers=Containers(()),
    )
    assert f"{words} this machine's" in result.findings[0].summary
