"""One boot of the emulated machine; each thing done to it is a test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.lab.machine import emulator
from tests.lab.machine.hardware import SCENARIOS
from tests.lab.machine.scenarios import Scenario

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.timeout(emulator.BOOT_S + 1200)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What each scenario wrote, by name."""
    why = emulator.missing() or (
        None
        if os.environ.get("DIAGNOSE_LAB_MACHINE")
        else "DIAGNOSE_LAB_MACHINE is not set (it takes 15 minutes)"
    )
    if why is not None:
        pytest.skip(f"no emulated machine: {why}")
    try:
        emulator.filesystem()
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no emulated machine: its packages cannot be had: {str(error)[-500:]}")
    folder: Path = tmp_path_factory.mktemp("machine")
    yield {row.get("scenario", "ended"): row for row in emulator.boot(folder)}
    for path in folder.iterdir():
        if path.suffix != ".txt":
            path.unlink()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_machine(
    scenario: Scenario, played: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    facts = {
        "checks": [id for id, _ in scenario.expected],
        "engine": emulator.ENGINE,
        "name": scenario.name,
        "how": "machine",
    }
    request.node.user_properties.append(("lab", facts))
    row = played.get(scenario.name)
    if row is None and "ended" in played:
        pytest.skip(f"this machine is too slow: it was ended {played['ended']['ended']}")
    assert row is not None, "the machine ended by itself before this scenario"
    assert row["error"] is None, row["error"]
    for run in row["runs"]:
        assert run["report"] is not None, run["stderr"]
        _judge(scenario, run)
    if scenario.cured:
        _healed(scenario, row)


def _judge(scenario: Scenario, run: dict[str, Any]) -> None:
    report = run["report"]
    assert not [check for check in report["checks"] if check["verdict"] == "crashed"]
    loud = {
        (f["id"], f"{f['subject']['kind']}:{f['subject']['name']}"): f["summary"]
        for f in report["findings"]
        if f["severity"] != "advice"
    }
    # an emulated disk beside other tests is slow indeed, whatever the scenario
    allowed = {id for id, _ in scenario.expected} | {"resources.io-saturated", *scenario.also}
    strangers = {
        key: text
        for key, text in loud.items()
        if not any(fnmatchcase(key[0], pattern) for pattern in allowed)
    }
    assert not strangers
    if run["user"] == "root":
        found = {
            (f["id"], f"{f['subject']['kind']}:{f['subject']['name']}") for f in report["findings"]
        }
        assert set(scenario.expected) <= found, sorted(loud)


def _healed(scenario: Scenario, row: dict[str, Any]) -> None:
    """What was found is gone after the first fix was typed."""
    report = row["after"]["report"]
    assert report is not None, row["after"]["stderr"]
    left = {f["id"] for f in report["findings"]} & {id for id, _ in scenario.expected}
    assert not left, f"not healed by {row['typed']}"
