"""Mounted files of which a failed program says only that it could not use them."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.unusable_files import (
    fails_without_reason,
    unusable_files,
)
from tests.checks.container.evidence import container_in
from tests.hosts import Made

FILE = {"Type": "bind", "Source": "/srv/app.conf", "Destination": "/etc/app/app.conf"}
CLOSED = {"/srv/app.conf": {"type": "file", "mode": 0o600}}
EMPTY = {"/srv/app.conf": {"type": "folder", "mode": 0o755}}


@pytest.mark.parametrize(
    ("line", "status", "is_folder"),
    [
        ("error: cannot load config file /etc/app/app.conf", CLOSED, False),
        ("Could not read configuration", CLOSED, False),
        ("failed to load config: could not read /etc/app/app.conf", EMPTY, True),
        ("Error: EISDIR: illegal operation on a directory, read", EMPTY, True),
    ],
    ids=["by its path", "without its name", "a folder", "a folder without its name"],
)
def test_what_a_line_does_not_say(line: str, status: object, is_folder: bool) -> None:
    container = container_in("exited", name="app", Mounts=[FILE])
    host = Made({"file.stats": status, "file.list": {"entries": []}})
    tails = LogTails({container.id: LogTail((line,))}, {})
    (unusable,) = unusable_files(host, Containers((container,)), tails)
    assert (unusable.named.path_inside, unusable.is_folder) == ("/etc/app/app.conf", is_folder)


@pytest.mark.parametrize(
    "line",
    [
        "Error: EISDIR: illegal operation on a directory, read",
        "failed to parse /etc/app/app.conf: line 4: unexpected end",
        "could not open /etc/app/app.conf: permission denied",
        "cannot load plugin: incompatible version",
        "failed to connect to db:5432",
        "could not read block 3 of file /etc/app/app.conf:12:4",
    ],
)
def test_a_line_that_gives_its_reason_is_left_alone(line: str) -> None:
    assert not fails_without_reason(line)


def test_a_file_that_is_no_folder_is_not_meant() -> None:
    container = container_in("exited", name="app", Mounts=[FILE])
    tails = LogTails({container.id: LogTail(("Error: EISDIR: illegal operation",))}, {})
    host = Made({"file.stats": CLOSED})
    assert not unusable_files(host, Containers((container,)), tails).items


@pytest.mark.parametrize(
    ("line", "absent"),
    [
        ("Error: /config/app/settings.yml does not exist", [True]),
        ("failed to load config: could not read /config/app/settings.yml", [False]),
        ("cannot connect to db:5432", []),
    ],
)
def test_a_file_that_a_program_calls_absent(line: str, absent: list[bool]) -> None:
    folder = {"Type": "bind", "Source": "/srv/app", "Destination": "/config"}
    container = container_in("exited", name="app", Mounts=[folder])
    there = {
        "/srv/app": {"type": "folder", "mode": 0o755},
        "/srv/app/app": {"type": "folder", "mode": 0o700},
        "/srv/app/app/settings.yml": {"type": "file", "mode": 0o644},
    }
    tails = LogTails({container.id: LogTail((line,))}, {})
    found = unusable_files(Made({"file.stats": there}), Containers((container,)), tails)
    assert [(unusable.is_called_absent, unusable.is_there) for unusable in found] == [
        (flag, True) for flag in absent
    ]
