"""Broken configuration files, each on each engine: named while the engine still lives, and after the restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .box import LOG, Box
from .engines import Engine
from .runner import BASE_CONFIG

pytestmark = pytest.mark.timeout(900)

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data/daemon/daemon_json.json").read_text())
CONFIG = "/etc/docker/daemon.json"
SYNTAX = {"trailing comma", "bom", "empty", "comment", "single quotes", "array", "two objects"}


def _broken(engine: Engine) -> list[dict[str, Any]]:
    """The files with which this engine does not start, as it was seen."""
    return [case for case in CASES if engine.name in case["engines"] and not case["engines"][engine.name]["starts"]]


def _found(box: Box) -> tuple[dict[str, dict[str, Any]], int]:
    run = box.diagnose("check", "daemon", "--format", "json")
    return {f["id"]: f for f in run.findings}, run.code


def test_named_before_and_after_the_restart(engine: Engine) -> None:
    cases = _broken(engine)
    assert len(cases) > 13
    wrong = []
    with Box(engine, provider=False) as box:
        box.start_engine(config=dict(BASE_CONFIG))
        for case in cases:
            if case["engines"][engine.name]["last_words"].startswith("failed to start daemon: native.cgroup"):
                continue
            box.write(CONFIG, case["text"])
            found, code = _found(box)
            fault = found.get("daemon.config-invalid")
            known_before = case["name"] not in ("storageopt", "group", "nodegenres", "hosts", "aufs")
            if known_before and (fault is None or fault["severity"] != "warning" or code != 1):
                wrong.append(f"{case['name']} before the restart: exit {code}, {fault and fault['summary']}")
            if fault is not None and not any(" line " in path for path in fault["evidence"]):
                wrong.append(f"{case['name']}: no line in {fault['evidence']}")
        box.write(CONFIG, BASE_CONFIG)
        found, code = _found(box)
        assert "daemon.config-invalid" not in found
        box.stop_engine()
        for case in cases:
            box.write(CONFIG, case["text"])
            pid = box.spawn(["dockerd"], log=LOG)
            box.wait_for(lambda pid=pid: not box.alive(pid), 20, f"dockerd to refuse {case['name']}")
            found, code = _found(box)
            fault, down = found.get("daemon.config-invalid"), found.get("daemon.not-running")
            if fault is None or fault["severity"] != "critical" or code != 2:
                wrong.append(f"{case['name']} after the restart: exit {code}, {fault and fault['summary']}")
            elif down is None or "daemon.config-invalid" not in [cause["id"] for cause in down["caused_by"]]:
                wrong.append(f"{case['name']}: the dead engine is not its effect: {down}")
            elif case["name"] not in SYNTAX and not any(" line " in path for path in fault["evidence"]):
                wrong.append(f"{case['name']}: no line in {fault['evidence']}")
    assert not wrong, "\n".join(wrong)
