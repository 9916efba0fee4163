"""Entries of passwd(5), of hosts and of images."""

from __future__ import annotations

import pytest

from diagnose.evidence.machine.passwd import UserEntry, user_entries

LINES = {
    "a user": (
        "app:x:1000:1000:App:/home/app:/bin/sh",
        [UserEntry("app", 1000, 1000, "/home/app")],
    ),
    "no home": ("app:x:1000:1000", [UserEntry("app", 1000, 1000, "")]),
    "an entry of NIS": ("+::::::", []),
    "a comment": ("# users", []),
    "a number that is none": ("app:x:" + "9" * 5000 + ":0:::", []),
}


@pytest.mark.parametrize(("text", "entries"), LINES.values(), ids=LINES)
def test_user_entries(text: str, entries: list[UserEntry]) -> None:
    assert list(user_entries(f"{text}\nroot:x:0:0:root:/root:/bin/bash\n"))[:-1] == entries
