"""Rows of known failures with a container, as the steps for it see them."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import container_in
from tests.programs import test_failures, test_families

NODE_LOCKED = "Error: Migration lock was never released or currently a migration is running."


def mounted(
    source: str, destination: str, *, kind: str = "bind", rw: bool = True
) -> dict[str, Any]:
    return {"Type": kind, "Source": source, "Destination": destination, "RW": rw, "Name": "data"}


def line_of(name: str) -> str:
    lines = test_failures.LINES.get(name) or test_families.LINES[name]
    return lines if isinstance(lines, str) else lines[-1]


REDIS = {"Mounts": [mounted("/srv/redis", "/data")]}
APP = {
    "Config": {"WorkingDir": "/app", "Image": "shop:1", "User": "node"},
    "Mounts": [mounted("/srv/app", "/app")],
}


def steps(name: str, parts: dict[str, Any], *, line: str = "", is_running: bool = False) -> Any:
    text = line or line_of(name)
    failure = LogTail((text,)).failure or recognise_family(TellingLine(text), FAMILIES)
    assert failure is not None
    assert failure.failure.name == name
    return row_steps(container_in("exited", code=1, **parts), failure, None, is_running=is_running)
