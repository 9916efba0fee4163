"""The engine's own log: its lines in every form, and where it is found."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse, parse_line


@pytest.mark.parametrize(
    ("text", "level", "message", "error"),
    [
        pytest.param(
            'time="2026-11-23T23:34:24.800046509Z" level=error msg="Handler for POST /v1.41/images/create returned error: '
            'Get \\"https://registry.lab.test/v2/\\": EOF"',
            "error",
            'Handler for POST /v1.41/images/create returned error: Get "https://registry.lab.test/v2/": EOF',
            None,
            id="20.10.24",
        ),
        pytest.param(
            'time="2026-11-23T23:34:39.918260170Z" level=error msg="Not continuing with pull after error" '
            'error="toomanyrequests: rate exceeded"',
            "error",
            "Not continuing with pull after error",
            "toomanyrequests: rate exceeded",
            id="28.5.2",
        ),
        pytest.param(
            '{"level":"warning","msg":"low","time":"2026-11-23T23:34:39Z","error":"x"}',
            "warning",
            "low",
            "x",
            id="json",
        ),
        pytest.param(
            "ERRO[2026-11-23T23:34:39.918Z] it broke   error=deep",
            "error",
            "it broke",
            "deep",
            id="terminal",
        ),
        pytest.param(
            "failed to start daemon: timeout",
            "fatal",
            "failed to start daemon: timeout",
            None,
            id="last words",
        ),
    ],
)
def test_log_lines(text: str, level: str, message: str, error: str | None) -> None:
    line = parse_line(text)
    assert line is not None
    assert (line.level, line.message, line.fields.get("error")) == (level, message, error)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param('msg="it broke"', "it broke", id="no error"),
        pytest.param('msg="it broke" error=deep', "it broke: deep", id="an error"),
        pytest.param('msg="it broke: deep" error=deep', "it broke: deep", id="said already"),
        pytest.param(
            'msg="Handler for POST /containers/{name:.*}/start returned error" error-response="failed to set up container'
            ' networking: Bind for :::8090 failed: port is already allocated" method=POST module=api'
            ' request-url=/v1.51/containers/3232c61c2c20/start status=500 vars="map[name:3232c61c2c20 version:1.51]"',
            "Handler for POST /containers/{name:.*}/start returned error: failed to set up container networking: "
            "Bind for :::8090 failed: port is already allocated",
            id="29.7.2",
        ),
    ],
)
def test_the_text_of_a_line_has_its_error(fields: str, text: str) -> None:
    line = parse_line(f'time="2026-11-23T21:59:20.867602902Z" level=error {fields}')
    assert line is not None
    assert line.text == text


@pytest.mark.parametrize(
    "text", ["", "goroutine 1 [running]:", "\t/usr/src/main.go:12 +0x1d", "{not json"]
)
def test_what_is_no_line_of_a_log(text: str) -> None:
    assert parse_line(text) is None


def test_a_line_without_a_time_has_that_of_the_line_before() -> None:
    lines = parse(
        [
            'time="2026-11-23T23:34:24Z" level=info msg="Starting up"',
            "failed to start daemon: no disk",
        ]
    )
    assert lines[1].at == lines[0].at == 1795476864.0
    assert DaemonLog(lines, "x").last_start == lines
