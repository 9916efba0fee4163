"""Requests that a running engine refuses, each with the line of a real engine."""

from __future__ import annotations

import pytest

from diagnose.programs.failures import ENGINE_ERRORS, ENGINE_REQUESTS, START_ERRORS, recognise

LINES = {
    "size-of-container": "Handler for POST /v1.51/containers/create returned error: --storage-opt is "
    "supported only for overlay over xfs with 'pquota' mount option",
    "volume-driver": "Handler for POST /v1.41/volumes/create returned error: create q: error looking "
    'up volume plugin nodrv: plugin "nodrv" not found',
    "resolver-unanswered": '[resolver] failed to query external DNS server" client-addr="udp:172.18.0.3:41221" dns-server="udp:192.0.2.53:53" error="read udp: i/o timeout',
    "stop-not-obeyed": "Container failed to exit within 10s of signal 15 - using the force",
    "health-probe-late": "Health check for container 3f1c error: timed out starting health check for container 3f1c",
    "files-not-unmounted": "failed to unmount container: device or resource busy",
    "events-late": 'level=error msg="post event" error="context deadline exceeded"',
    "queries-at-once": "[resolver] more than 1024 concurrent queries",
    "plugin-of-another-kind": "docker: Error response from daemon: error looking up volume plugin rexray: Plugin does not implement the requested driver",
    "google-logs-unreached": "docker: Error response from daemon: failed to create task for container: failed to initialize logging driver: unable to connect or authenticate with Google Cloud Logging: rpc error: code = Unavailable desc = connection error",
}


def test_each_row_has_a_line() -> None:
    assert {failure.name for failure in ENGINE_REQUESTS} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_line_is_recognised_as_its_row(name: str) -> None:
    found = recognise([LINES[name]], None, (*ENGINE_REQUESTS, *ENGINE_ERRORS, *START_ERRORS))
    assert found is not None
    assert found.failure.name == name
    assert "{" not in found.cause + found.cure
