"""diagnose/first_steps/failed_run_steps.py: what the first command does after a run that failed."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.run_context import RunContext
from diagnose.first_steps.failed_run import failed_run
from diagnose.first_steps.failed_run_steps import steps_of
from tests.checks.container.evidence import container_in, log_of
from tests.inspected import of

SHARED = {"Type": "bind", "Source": "/srv/disk/2fauth", "Destination": "/2fauth", "RW": True}
ENVOY = {"Type": "bind", "Source": "/opt/envoy", "Destination": "/etc/envoy", "RW": True}
HOUSE = {"Type": "bind", "Source": "/data/house", "Destination": "/var/lib/clickhouse", "RW": True}

STEPS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "the container's path in place of the host's": (
        {"Mounts": [SHARED], "Config": {"Env": ["DB_DATABASE=/srv/disk/2fauth/database.sqlite"]}},
        "SQLiteDatabaseDoesNotExistException: Database file at path [/srv/disk/2fauth/database.sqlite] does not exist.",
        {"assignment": "DB_DATABASE=/2fauth/database.sqlite"},
    ),
    "the folder of a file that is not there": (
        {"Mounts": [ENVOY]},
        "[critical][main] error initializing configuration '/etc/envoy/envoy.yaml': Invalid path: /etc/envoy/envoy.yaml",
        {"named_folder": "/opt/envoy"},
    ),
    "the folder of a damaged file": (
        {"Mounts": [HOUSE]},
        "Cannot create table from metadata file /var/lib/clickhouse/metadata/mobile/events.sql: Attempt to read after eof",
        {"named_folder": "/data/house/metadata/mobile"},
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_first_steps_after_a_failed_run(name: str):
    parts, line, expected = STEPS[name]
    container = container_in("exited", code=1, **parts)
    context = RunContext(log_tails=log_of(container, line))
    steps = steps_of(failed_run(container, of(container), context))
    assert expected.items() <= steps.items()
    assert "setting_file" not in steps
