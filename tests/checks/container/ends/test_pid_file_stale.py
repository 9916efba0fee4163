"""The checks in checks/container/ends/pid_file_stale.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.mounts.data.data_files import (
    DataFiles,
    MountedPidFile,
    data_files,
)
from tests.checks.container.evidence import CLOCK, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import bind, of
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


SHARED = bind("/srv/run", Destination="/run/app")
ABOVE = bind("/srv", Destination="/srv")
VIEW = bind("/", Destination="/rootfs", RW=False)
OF_HOST = bind("/var/run/app", Destination="/run/app")


@pytest.mark.parametrize(
    ("parts", "neighbour", "found"),
    [
        ({}, {}, True),
        (SHARED, {}, True),
        (SHARED, SHARED, False),
        (SHARED, ABOVE, False),
        (SHARED, VIEW, True),
        (OF_HOST, {}, False),
    ],
    ids=[
        "in its writable layer",
        "on a mount",
        "on a mount of another program that runs",
        "below a mount of another program",
        "on a mount that another program only reads",
        "where programs of the host have theirs",
    ],
)
def test_a_socket_may_be_of_another_program(
    parts: dict[str, list[object]], neighbour: dict[str, list[object]], found: bool
):
    line = "Error: listen EADDRINUSE: address already in use /run/app/app.sock"
    container, log_tails = failed_with_log(line, **parts)
    others = container_in("running", name="other", **neighbour)
    host = Made({"api.archive": {"type": "socket"}})
    files = data_files(host, of(container, others), log_tails, CLOCK).pid_files
    assert (container.id in files) is found


@pytest.mark.parametrize(
    ("line", "linked", "found"),
    [
        ("A server is already running. Check /run/app/pids/app.pid.", "", True),
        ("A server is already running. Check /run/app/pids/app.pid.", "/srv/run/pids", False),
        (
            "A server is already running. Check /run/app/pids/app.pid.",
            "/srv/run/pids/app.pid",
            False,
        ),
        ("A server is already running. Check /run/app/../../etc/app.pid.", "", False),
    ],
    ids=["a file", "in a folder that is a link", "a link", "a way up"],
)
def test_no_file_of_the_host_is_removed_by_a_link_of_the_container(
    line: str, linked: str, found: bool
):
    container, log_tails = failed_with_log(line, **SHARED)

    def stats(question: Any) -> Any:
        kinds = {path: "link" if path == linked else "file" for path in question.paths}
        return {path: {"type": kind} for path, kind in kinds.items()}

    host = Made({"api.archive": {"type": "file"}, "file.stats": stats})
    files = data_files(host, of(container), log_tails, CLOCK).pid_files
    assert (container.id in files) is found
