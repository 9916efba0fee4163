"""The check in checks/network/ports/sites/sub_path_unknown.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from tests.inspected import container, of
from tests.judging import judge

EDGE = container("edge")
NOW = (EDGE.started_at or 0.0) + 300


def asked(path: str, status: int, page: str) -> str:
    return f'192.0.2.1 - - [28/Nov/2026:04:59:09 +0000] "GET {path} HTTP/1.1" {status} 5 "{page}" "Mozilla/5.0"'


PAGE = "https://home.example.com/kopia/"
LOST = [asked("/assets/a.js", 404, PAGE), asked("/assets/b.css?v=2", 404, PAGE)]
LOGS: dict[str, tuple[list[str], list[str]]] = {
    "all files are missed": (LOST * 2, ["/kopia/"]),
    "with other requests": ([*LOST, asked("/kopia/", 200, "-"), *LOST], ["/kopia/"]),
    "some are found": ([*LOST * 2, asked("/kopia/c.js", 200, PAGE)], []),
    "below the path": ([line.replace("GET /assets", "GET /kopia/assets") for line in LOST * 2], []),
    "of the root": ([line.replace("/kopia/", "/") for line in LOST * 2], []),
    "a file beside the root": ([line.replace("/kopia/", "/about") for line in LOST * 2], []),
    "one file": (LOST[:1] * 6, []),
    "too few": (LOST, []),
    "pictures": ([line.replace("a.js", "a.png").replace("b.css", "b.jpg") for line in LOST * 2], []),
    "no page is named": ([line.replace(PAGE, "-") for line in LOST * 2], []),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "paths"), LOGS.values(), ids=LOGS)
def test_logs(texts: list[str], paths: list[str]) -> None:
    lines = tuple(RecentLine(NOW - 10 + at * 0.1, text) for at, text in enumerate(texts))
    logs = RecentLogs({EDGE.id: lines})
    findings = judge(
        "network.sub-path-unknown", containers=of(EDGE), recent_logs=logs, clock=Clock(NOW, 0.0)
    ).findings
    assert [(finding.variables or {})["below"] for finding in findings] == paths
