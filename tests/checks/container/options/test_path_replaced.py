"""container.path-replaced: programs that only the PATH of the image leads to."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.replaced_paths import replaced_paths
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MISSED = "/start.sh: line 7: redis-server: not found"
OWN = "PATH=/root/.local/bin:/usr/bin"
PROGRAM = {"type": "file", "hex": "7f454c46", "mode": 0o755}
FOUND = [("critical", "web")]
CASES: dict[str, tuple[str, str, dict[str, Any], list[tuple[str, str]]]] = {
    "in a folder of the image": (OWN, MISSED, PROGRAM, FOUND),
    "without a PATH of its own": ("X=1", MISSED, PROGRAM, []),
    "with the folder": (f"{OWN}:/opt/redis/bin", MISSED, PROGRAM, []),
    "not a program": (OWN, MISSED, {**PROGRAM, "mode": 0o644}, []),
    "called by its place": (OWN, "/start.sh: line 7: /x/redis: not found", PROGRAM, []),
    "another failure": (OWN, "connect: Connection refused", PROGRAM, []),
}


@pytest.mark.parametrize(("variable", "line", "file", "expected"), CASES.values(), ids=CASES)
def test_missing_program(
    variable: str, line: str, file: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    web = container(Config={"Env": [variable]}, State={"Status": "exited", "ExitCode": 127})
    image = {"Id": "sha256:1", "Config": {"Env": ["PATH=/opt/redis/bin:/usr/bin"]}}
    host = Made({"api.archive": file, "api.image": image})
    tails = LogTails({web.id: LogTail((line,))}, {})
    found = replaced_paths(host, of(web), tails, None)
    assert rows(judge("container.path-replaced", replaced=found)) == expected
