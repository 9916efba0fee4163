"""Files that lie in another home directory than the program looks in."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.other_homes import other_homes
from diagnose.model import Failed, Json
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import of

USERS = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\nhalf:x\n"
CHROME = ".cache/chrome/1148/chrome"
MISSED = "Error: Executable doesn't exist at {}/" + CHROME


def inside(*paths: str, mode: int = 0o755) -> Made:
    """A container with the file of users, these paths, and the homes with this mode."""

    def answer(question: Any) -> Json | Failed:
        path = question.path
        if path == "/etc/passwd":
            return {"type": "file", "hex": USERS.hex()}
        if path in paths:
            return {"type": "file", "hex": "", "mode": 0o755, "uid": 0, "gid": 0}
        if path in ("/root", "/home/app"):
            return {"type": "directory", "mode": mode, "uid": 0, "gid": 0}
        return Failed("gone", path)

    return Made({"api.archive": answer})


HOMES: dict[str, tuple[str, dict[str, Any], tuple[str, ...], str]] = {
    "its user has another one": ("/home/app", {"User": "1000"}, (f"/root/{CHROME}",), "/root"),
    "a variable names another one": ("", {"User": "", "Env": ["HOME=/"]}, (f"/root/{CHROME}",), "/root"),
    "the root's is missed": ("/root", {"User": ""}, (f"/home/app/{CHROME}",), "/home/app"),
    "it is in no home": ("/home/app", {"User": "1000"}, (), ""),
    "it is in both": (
        "/home/app",
        {"User": "1000"},
        (f"/root/{CHROME}", f"/home/app/{CHROME}"),
        "",
    ),
    "it is missed elsewhere": ("/srv", {"User": "1000"}, (f"/root/{CHROME}",), ""),
}  # fmt: skip


@pytest.mark.parametrize(("at", "config", "paths", "other"), HOMES.values(), ids=HOMES)
def test_other_home(at: str, config: dict[str, Any], paths: tuple[str, ...], other: str) -> None:
    container, log_tails = failed_with_log(MISSED.format(at), Config=config)
    found = other_homes(
        inside(*paths), of(container), log_tails, repeated_errors=None, numbers=None
    )
    assert [home.other for home in found] == ([other] if other else [])


@pytest.mark.parametrize(("mode", "is_open"), [(0o755, True), (0o700, False)])
def test_whether_the_user_may_enter(mode: int, is_open: bool) -> None:
    line = MISSED.format("/home/app")
    container, log_tails = failed_with_log(line, Config={"User": "1000:1000"})
    host = inside(f"/root/{CHROME}", mode=mode)
    found = other_homes(host, of(container), log_tails, repeated_errors=None, numbers=None)
    assert [home.is_open for home in found] == [is_open]
