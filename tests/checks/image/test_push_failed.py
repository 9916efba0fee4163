"""image.push-failed, with lines of engine 28.5."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.engine.client import CallerLogins, ClientSettings
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.images.pulls.pushes import classify
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.phrases import unix
from tests.judging import judge, rows

AT = unix("2026-01-02T03:20:00Z") or 0.0
PAGE = r"unknown: <html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>"
LARGE = f'time="2026-01-02T03:20:00Z" level=error msg="Upload failed, retrying: {PAGE}"'
ENDED = (
    'time="2026-01-02T03:20:00Z" level=error msg="Not continuing with push after error" '
    'error="denied: requested access to the resource is denied"'
)
BROKEN_OFF = ENDED.replace("denied: requested access to the resource is denied", "context canceled")
SAID = {
    "unknown: <html><title>413 Request Entity Too Large</title>": "size",
    "denied: requested access to the resource is denied": "denied",
    "unauthorized: authentication required": "denied",
    "received unexpected HTTP status: 500 Internal Server Error": "server",
    "blob upload unknown": "server",
    'Put "https://r.lab.test/v2/x": dial tcp 192.0.2.80:443: connect: connection refused': (
        "unreachable"
    ),
    "dial tcp 192.0.2.10:80: connect: connection refused": "plain",
    'Patch "http://r.lab.test/v2/x/blobs/uploads/1": context deadline exceeded': "plain",
    'Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused': (
        "unreachable"
    ),
    'Get "http://r.lab.test/v2/": dial tcp 192.0.2.10:80: connect: connection refused': "unreachable",
    'Patch "http://192.0.2.10:5000/v2/x/blobs/uploads/1": EOF': "unreachable",
    "dial tcp 192.0.2.10:8080: connect: connection refused": "unreachable",
    "filesystem: mkdir /var/lib/registry: no space left on device": "space",
    "name invalid": "other",
}


@pytest.mark.parametrize(("said", "why"), SAID.items(), ids=SAID)
def test_kinds_of_failures(said: str, why: str) -> None:
    assert classify(said) == why


@pytest.mark.parametrize(
    ("lines", "age", "pushed", "expected"),
    [
        pytest.param([LARGE], 60, None, [("warning", "docker")], id="a moment ago"),
        pytest.param([LARGE], 7200, None, [("advice", "docker")], id="hours ago"),
        pytest.param(
            [LARGE, ENDED], 60, None, [("advice", "docker"), ("warning", "docker")], id="two kinds"
        ),
        pytest.param([LARGE], 60, 30, [], id="pushed since"),
        pytest.param([LARGE], 60, -30, [("warning", "docker")], id="pushed before"),
        pytest.param([ENDED], 60, None, [("advice", "docker")], id="no login"),
        pytest.param([ENDED] * 15, 60, None, [("warning", "docker")], id="denied all day"),
        pytest.param([BROKEN_OFF], 60, None, [], id="ended by its user"),
        pytest.param([], 60, None, [], id="no push"),
    ],
)
def test_pushes_that_failed_and_were_not_repeated(
    lines: list[str], age: float, pushed: float | None, expected: list[tuple[str, str]]
) -> None:
    done = () if pushed is None else (Event(AT + pushed, "image", "push", "", "shop:1", {}),)
    result = judge(
        "image.push-failed",
        log=DaemonLog(parse(lines), "journal docker.service"),
        clock=Clock(AT + age, 0.0),
        options=Options(),
        events=Events(done),
    )
    assert rows(result) == expected


ANN = CallerLogins("ann", "/home/ann/.docker", ("docker.io",))
OF_ANN = {"caller_config": "/home/ann/.docker"}


@pytest.mark.parametrize(
    ("client", "variables"),
    [
        pytest.param(ClientSettings("", "root", logins=(), caller=ANN), OF_ANN, id="with sudo"),
        pytest.param(ClientSettings("", "root", logins=()), {}, id="nobody is logged in"),
        pytest.param(ClientSettings("", "root", logins=("r:5",), caller=ANN), {}, id="own login"),
        pytest.param(ClientSettings("", "root", "", "ecr", logins=(), caller=ANN), {}, id="helper"),
    ],
)
def test_login_of_whoever_pushes(client: ClientSettings, variables: dict[str, str]) -> None:
    result = judge(
        "image.push-failed",
        log=DaemonLog(parse([ENDED]), "journal docker.service"),
        clock=Clock(AT + 60, 0.0),
        options=Options(),
        events=Events(()),
        client=client,
    )
    assert result.findings[0].variables == variables
