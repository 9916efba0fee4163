"""What every run of the tests prints: the lab's engines, what it proved, and the figures that tests
measured."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab import summary

gc.disable()
"""Nothing that is collected goes away before the last test: until then there is nothing to find."""


LAB = Path(__file__).parent / "lab"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The lab's scenarios are not imported where none of them would run: a second of each run."""
    terms = config.option.markexpr.split(" and ")
    is_left_out = "not lab" in terms and " or " not in config.option.markexpr
    is_asked_for = any("lab" in argument for argument in config.args)
    return True if collection_path == LAB and is_left_out and not is_asked_for else None


def pytest_collection_finish() -> None:
    """Ten thousand tests are a million objects, which no search for garbage has to visit again."""
    gc.freeze()
    gc.enable()


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a figure at the end of the run, whichever worker measured it."""
    return lambda text: request.node.user_properties.append(("said", text))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers have to collect the same names: those of sets differ from one process to the next."""
    unsteady = [test.nodeid for test in items if "{'" in test.nodeid or "set()" in test.nodeid]
    if unsteady:
        raise pytest.UsageError(f"named after a set: {unsteady[0]} and {len(unsteady) - 1} more")


def pytest_report_header(config: pytest.Config) -> list[str]:
    return summary.header(config)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    said = [
        text
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, text in report.user_properties
        if name == "said"
    ]
    if said:
        terminalreporter.section("figures")
        for text in said:
            terminalreporter.write_line(text)
    summary.write(terminalreporter, config)
