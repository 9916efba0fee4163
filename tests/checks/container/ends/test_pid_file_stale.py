"""The checks in checks/container/ends/pid_file_stale.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.data_files import DataFiles, MountedPidFile
from tests.checks.container.evidence import CLOCK, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("source", "variables"),
    [("/srv/app/server.pid", {"container", "source"}), ("", {"container", "file"})],
)
def test_a_pid_file_is_removed_where_it_is(source: str, variables: set[str]):
    container, log_tails = failed_with_log(
        "A server is already running. Check /app/tmp/pids/server.pid.", "Exiting"
    )
    files = DataFiles({}, {container.id: MountedPidFile("/app/tmp/pids/server.pid", source)})
    result = judge(
        "container.pid-file-stale",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=files,
    )
    (finding,) = result.findings
    assert set(finding.variables) == variables
    nothing = judge(
        "container.pid-file-stale",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        data_files=DataFiles({}, {}),
    )
    assert rows(nothing) == []
