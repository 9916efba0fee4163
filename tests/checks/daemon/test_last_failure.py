"""The last failure that the log of a dead engine mentions."""

from __future__ import annotations

import pytest

from tests.checks.daemon.dead_engines import UP
from tests.checks.daemon.evidence import log


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        pytest.param(["failed to start daemon: x"], "failed to start daemon: x", id="bare"),
        pytest.param(
            ["unable to parse logging level: loud"],
            "unable to parse logging level: loud",
            id="before the log",
        ),
        pytest.param(
            ["failed to start daemon: x", 'level=info msg="API listen on /s"'],
            None,
            id="it came up since",
        ),
        pytest.param(
            ["failed to start daemon: x", 'level=info msg="Starting up"'],
            None,
            id="killed in its start",
        ),
        pytest.param(
            ["failed to start daemon: a", "failed to start daemon: b"],
            "failed to start daemon: b",
            id="newest",
        ),
        pytest.param([], None, id="an empty log"),
        pytest.param(
            [UP, "mkdir /srv/docker: read-only file system"],
            "mkdir /srv/docker: read-only file system",
            id="any words",
        ),
        pytest.param(
            ["conflict labels for a=2 and a=1", UP], None, id="any words, and it wrote on since"
        ),
        pytest.param(
            [UP, "Status: unknown flag: --graph", "See 'dockerd --help'., Code: 125"],
            "unknown flag: --graph",
            id="a flag",
        ),
        pytest.param(
            [
                "Status: unknown flag: --graph",
                "See 'dockerd --help'.",
                "",
                "Usage:\tdockerd [OPTIONS]",
                "      --bip string   IP",
            ],
            "unknown flag: --graph",
            id="a flag, engine 28",
        ),
        pytest.param(
            [
                "panic: close of closed channel",
                "",
                "goroutine 1 [running]:",
                "main.main()",
                "\t/src/main.go:12 +0x1d",
            ],
            "panic: close of closed channel",
            id="a panic",
        ),
        pytest.param(
            ["2026/11/24 03:55:33 http: TLS handshake error"], None, id="a library's own log"
        ),
    ],
)
def test_last_failure(lines: list[str], last: str | None) -> None:
    failure = log(*lines).last_failure
    assert (failure and failure.text) == last
