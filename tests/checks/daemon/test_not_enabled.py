"""The check in checks/daemon/not_enabled.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.machine.clock import Clock
from tests.checks.daemon.evidence import ALIVE, daemon, engine
from tests.inspected import container, of
from tests.judging import judge, rows

KEPT = container("web", HostConfig={"RestartPolicy": {"Name": "always"}})


BY_HAND = container("job", HostConfig={"RestartPolicy": {"Name": "no"}})


ADVICE = [("advice", "docker")]


BOOTS: dict[str, tuple[Daemon, Container, list[tuple[str, str]]]] = {
    "nothing starts it": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="disabled")),
        KEPT,
        ADVICE,
    ),
    "no container is to come back": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="disabled")),
        BY_HAND,
        [],
    ),
    "a boot starts it": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="enabled")),
        KEPT,
        [],
    ),
    "it is down": (daemon(unit=Unit(unit_file_state="disabled")), KEPT, []),
    "no systemd": (ALIVE, KEPT, []),
}


LATE = Unit(unit_file_state="disabled", active_enter_timestamp="@1799999900")
"""Started 100 s ago."""


BOOTED = Clock(wall=1_800_000_000.0, booted=1_799_990_000.0)


OLD = container(
    "web", HostConfig={"RestartPolicy": {"Name": "always"}}, Created="2020-01-01T00:00:00Z"
)


NEW = container(
    "web", HostConfig={"RestartPolicy": {"Name": "always"}}, Created="2027-01-15T07:59:00Z"
)


AGAIN = Unit(
    unit_file_state="disabled",
    active_enter_timestamp="@1799999900",
    inactive_enter_timestamp="@1799999890",
)


OUTAGES: dict[str, tuple[Unit, Container, str]] = {
    "the engine was first started long after the boot": (LATE, OLD, "warning"),
    "the container is younger than the boot": (LATE, NEW, "advice"),
    "the engine ran before in this boot": (AGAIN, OLD, "advice"),
}


@pytest.mark.parametrize(("unit", "kept", "expected"), OUTAGES.values(), ids=OUTAGES)
def test_what_the_last_boot_did_not_start(unit: Unit, kept: Container, expected: str) -> None:
    state = daemon(silence=None, process=engine(), age=100.0, unit=unit)
    judged = judge("daemon.not-enabled", daemon=state, containers=of(kept), clock=BOOTED)
    assert rows(judged) == [(expected, "docker")]


@pytest.mark.parametrize(("state", "kept", "expected"), BOOTS.values(), ids=BOOTS)
def test_an_engine_that_no_boot_starts(
    state: Daemon, kept: Container, expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("daemon.not-enabled", daemon=state, containers=of(kept))) == expected
