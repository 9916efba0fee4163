"""Paths of images that only root may use."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.closed_image_paths import closed_image_paths
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

    one = container("web", Config={"User": "1000:1000"}, **DIED)
    tails = LogTails({one.id: LogTail((line,))}, {})
    found = closed_image_paths(Made({"api.archive": answer}), of(one), tails, None)
    assert [closed.path for closed in found] == ([expected] if expected else [])


def test_a_mount_hides_what_the_image_has() -> None:
    one = container(
        "web", Mounts=[{"Type": "bind", "Source": "/srv", "Destination": "/app"}], **DIED
    )
    tails = LogTails({one.id: LogTail((PYTHON,))}, {})
    host = Made({"api.archive": lambda _: folder(0o700)})
    assert list(closed_image_paths(host, of(one), tails, None)) == []


GROUPS = {
    "another group": ("1001:1001", 0o750, True),
    "the group of root": ("1001:0", 0o750, False),
    "closed to that group too": ("1001:0", 0o700, True),
    "a number that has no entry": ("1001", 0o750, False),
    "a number with an entry": ("1000", 0o750, True),
    "a number whose entry has the group of root": ("1002", 0o750, False),
    "root, who changes to another user": ("", 0o750, True),
}


@pytest.mark.parametrize(("user", "mode", "is_closed"), GROUPS.values(), ids=GROUPS)
def test_who_has_the_group_of_root(user: str, mode: int, is_closed: bool) -> None:
    users = "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\nany:x:1002:0::/:/bin/sh\n"
    known = {
        **OPEN,
        "/app/scripts": folder(mode),
        "/etc/passwd": {**file(0o644), "hex": users.encode().hex()},
    }

    def answer(question: AnyQuestion) -> Json | Failed:
        return known.get(question.args["path"], Failed("gone", "HTTP 404"))

    one = container("web", Config={"User": user}, **DIED)
    tails = LogTails({one.id: LogTail((PYTHON,))}, {})
    found = closed_image_paths(Made({"api.archive": answer}), of(one), tails, None)
    assert bool(list(found)) == is_closed
