"""Broken configuration files, each on each engine: named while the engine still lives, and after
the restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .box import LOG, Box
from .engines import Engine
from .runner import BASE_CONFIG

pytestmark = pytest.mark.timeout(900)

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data/daemon/daemon_json.json").read_text()
)
CONFIG = "/etc/docker/daemon.json"
ONLY_THE_ENGINE_KNOWS = {"storageopt", "group", "nodegenres", "hosts", "aufs"}
"""What is not told before the restart, unless `dockerd --validate` tells it."""
RESTARTED = (
    "trailing comma", "bom", "empty", "comment", "unknown key", "wrong type map", "wrong type list", "bad ip", "runtime",
    "log opt", "mirror", "bip", "group",
)  # fmt: skip
"""The files that are tried with a restart too: one of each stage of a start."""


def _broken(engine: Engine) -> list[dict[str, Any]]:
    """The files with which this engine does not start, as it was seen."""
    return [
        case
        for case in CASES
        if engine.name in case["engines"] and not case["engines"][engine.name]["starts"]
    ]


def _found(box: Box, *selectors: str) -> tuple[dict[str, dict[str, Any]], int]:
    run = box.diagnose("check", *selectors, "--format", "json")
    return {f["id"]: f for f in run.findings}, run.code


def _is_gone(box: Box, pid: int) -> bool:
    return not box.alive(pid)


def _has_line(fault: dict[str, Any]) -> bool:
    return any(" line " in path for path in fault["evidence"])


def test_named_before_and_after_the_restart(engine: Engine) -> None:
    cases = _broken(engine)
    assert len(cases) > 13
    wrong: list[str] = []
    with Box(engine, provider=False) as box:
        box.start_engine(config=dict(BASE_CONFIG))
        for case in cases:
            box.write(CONFIG, case["text"])
            wrong += _wrong_before_restart(box, case["name"])
        box.write(CONFIG, BASE_CONFIG)
        found, code = _found(box, "daemon.config-invalid")
        assert (found, code) == ({}, 0)
        box.stop_engine()
        for case in cases:
            if case["name"] not in RESTARTED:
                continue
            box.write(CONFIG, case["text"])
            pid = box.spawn(["dockerd"], log=LOG)
            box.wait_for(partial(_is_gone, box, pid), what=f"dockerd to refuse {case['name']}")
            wrong += _wrong_after_restart(box, case["name"])
    assert not wrong, "\n".join(wrong)


def _wrong_before_restart(box: Box, name: str) -> Iterator[str]:
    found, code = _found(box, "daemon.config-invalid")
    fault = found.get("daemon.config-invalid")
    if fault is None and name in ONLY_THE_ENGINE_KNOWS:
        return
    if fault is None or fault["severity"] != "warning" or code != 1 or not _has_line(fault):
        yield f"{name} before the restart: exit {code}, {fault}"


def _wrong_after_restart(box: Box, name: str) -> Iterator[str]:
    found, code = _found(box, "daemon.config-invalid", "daemon.not-running")
    fault, down = found.get("daemon.config-invalid"), found.get("daemon.not-running")
    if fault is None or fault["severity"] != "critical" or code != 2 or not _has_line(fault):
        yield f"{name} after the restart: exit {code}, {fault}"
        return
    causes = [cause["id"] for cause in down["caused_by"]] if down is not None else []
    if "daemon.config-invalid" not in causes:
        yield f"{name}: the dead engine is not its effect: {down}"
