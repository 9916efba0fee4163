"""Paths of images that only root may use."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.containers.mounts.closed_image_paths import closed_image_paths
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.hosts import Made
from tests.inspected import container, of

DIED = {"State": {"Status": "exited", "ExitCode": 126, "Pid": 0}}
JAVA = "sh: exec: line 0: java: Permission denied"
PYTHON = "python3: can't open file '/app/scripts/server.py': [Errno 13] Permission denied"


def folder(mode: int, uid: int = 0) -> dict[str, Json]:
    return {"type": "directory", "mode": mode, "uid": uid, "gid": uid}


def file(mode: int) -> dict[str, Json]:
    return {"type": "file", "mode": mode, "uid": 0, "gid": 0}


def link(target: str) -> dict[str, Json]:
    return {"type": "link", "mode": 0o777, "uid": 0, "gid": 0, "link_target": target}


OPEN = {name: folder(0o755) for name in ("/usr", "/usr/bin", "/usr/lib", "/app", "/app/scripts")}
JVM = {"/usr/bin/java": link("/usr/lib/java"), "/usr/lib/java": file(0o755)}
CHOICE = {"/etc/alternatives": folder(0o755), "/etc/alternatives/java": link("/usr/lib/java")}
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "a folder between links": (JAVA, {**JVM, **CHOICE, "/etc": folder(0o770)}, "/etc"),
    "links through open folders": (JAVA, {**JVM, **CHOICE, "/etc": folder(0o755)}, ""),
    "a program": (JAVA, {"/usr/bin/java": file(0o750)}, "/usr/bin/java"),
    "no such program": (JAVA, {}, ""),
    "a folder": (PYTHON, {"/app/scripts": folder(0o750)}, "/app/scripts"),
    "a file": (PYTHON, {"/app/scripts/server.py": file(0o640)}, "/app/scripts/server.py"),
    "a file for all": (PYTHON, {"/app/scripts/server.py": file(0o644)}, ""),
    "a folder of a user": (PYTHON, {"/app/scripts": folder(0o750, 1000)}, ""),
    "another error": ("ready", {"/app/scripts": folder(0o750)}, ""),
}


@pytest.mark.parametrize(("line", "places", "expected"), CASES.values(), ids=CASES)
def test_what_is_closed(line: str, places: dict[str, Any], expected: str) -> None:
    known = {**OPEN, **places}

    def answer(question: AnyQuestion) -> Json | Failed:
        return known.get(question.args["path"], Failed("gone", "HTTP 404"))

    one = container("web", **DIED)
    tails = LogTails({one.id: LogTail((line,))}, {})
    found = closed_image_paths(Made({"api.archive": answer}), of(one), tails)
    assert [closed.path for closed in found] == ([expected] if expected else [])


def test_a_mount_hides_what_the_image_has() -> None:
    one = container(
        "web", Mounts=[{"Type": "bind", "Source": "/srv", "Destination": "/app"}], **DIED
    )
    tails = LogTails({one.id: LogTail((PYTHON,))}, {})
    host = Made({"api.archive": lambda _: folder(0o700)})
    assert list(closed_image_paths(host, of(one), tails)) == []
