"""The checks in checks/container/access/mount_unwritable.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.closed_entries import closed_entries
from diagnose.evidence.containers.mounts.access.file_access import HostUser
from diagnose.evidence.containers.mounts.access.mount_access import (
    DeniedMount,
    MountAccess,
    mount_access,
)
from diagnose.evidence.containers.mounts.bind_mounts import PathStatus
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import CLOCK, container_in
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("kind", "container", "lines", "severity"),
    [
        ("socket", container_in("running", age=9000), (), "warning"),
        ("folder", container_in("running", age=9000), (), "advice"),
        (
            "folder",
            container_in("running", age=9000, State={"Health": {"Status": "unhealthy"}}),
            (),
            "warning",
        ),
        ("folder", container_in("running", age=5, RestartCount=3), (), "warning"),
        ("folder", container_in("running", age=5, RestartCount=3), ("no key: db.url",), "advice"),
    ],
)
def test_a_mount_that_its_user_cannot_use(
    kind: str, container: Container, lines: tuple[str, ...], severity: str
) -> None:
    source = PathStatus(type=kind, mode=0o660 if kind == "socket" else 0o755)
    denied = DeniedMount(
        container, Mount(source="/s", destination="/d"), source, HostUser("1000", "1000:1000", 1000)
    )
    tails = LogTails({container.id: LogTail(lines)}, {})
    access = MountAccess((denied,))
    result = judge("container.mount-unwritable", mount_access=access, log_tails=tails, clock=CLOCK)
    assert rows(result) == [(severity, "web")]


@pytest.mark.parametrize(("path", "severity"), [("/d/files", "warning"), ("/else/files", "advice")])
def test_a_write_that_the_program_repeats_is_a_warning(path: str, severity: str) -> None:
    """Elsewhere the line is about another folder."""
    web = container_in("running", age=9000)
    denied = DeniedMount(
        web,
        Mount(source="/s", destination="/d", rw=True),
        PathStatus(type="folder", mode=0o755),
        HostUser("1000", "1000:1000", 1000),
    )
    line = f"Error: EACCES: permission denied, mkdir '{path}'"
    failure = recognise_family(TellingLine(line), FAMILIES)
    errors = RepeatedErrors((RepeatedError(web, TellingLine(line), 4, 9, failure=failure),))
    result = judge(
        "container.mount-unwritable",
        mount_access=MountAccess((denied,)),
        log_tails=LogTails({}, {}),
        repeated_errors=errors,
        clock=CLOCK,
    )
    assert rows(result) == [(severity, "web")]
    assert [finding.evidence.get("log", "") for finding in result.findings] == [
        line if severity == "warning" else ""
    ]


CLOSED: dict[str, tuple[str, int, bool, list[str]]] = {
    "a file of root alone, read-only": ("file", 0o600, False, ["read"]),
    "a folder that only root enters, read-only": ("folder", 0o600, False, ["read"]),
    "a folder that only root enters": ("folder", 0o700, True, ["read"]),
    "a folder that others may write nothing to": ("folder", 0o755, True, ["write to"]),
    "a folder whose names others must know": ("folder", 0o711, False, []),
    "a file that everybody reads": ("file", 0o644, False, []),
    "a device": ("device", 0o600, False, []),
}


@pytest.mark.parametrize(("kind", "mode", "rw", "verbs"), CLOSED.values(), ids=CLOSED)
def test_what_the_user_cannot_read_is_said_aloud(
    kind: str, mode: int, rw: bool, verbs: list[str]
) -> None:
    mount = {"Type": "bind", "Source": "/srv/site", "Destination": "/site", "RW": rw}
    site = container("site", Config={"User": "1000:1000"}, Mounts=[mount])
    host = Made({"file.stats": {"/srv/site": {"type": kind, "mode": mode, "uid": 0, "gid": 0}}})
    access = mount_access(host, of(site), Info(), None)
    result = judge(
        "container.mount-unwritable", mount_access=access, log_tails=LogTails({}, {}), clock=CLOCK
    )
    assert [
        finding.summary.split(" cannot ")[1].split(" /")[0] for finding in result.findings
    ] == verbs
    assert [finding.is_quiet for finding in result.findings] == [verb != "read" for verb in verbs]


SHARED = {"Type": "bind", "Source": "/srv/loads", "Destination": "/loads", "RW": True}


@pytest.mark.parametrize(
    ("reader", "owner", "mode", "found"),
    [
        ({"User": "1002:1002"}, 1001, 0o700, True),
        ({"User": "", "Env": ["PUID=1002", "PGID=1002"]}, 1001, 0o700, True),
        ({"User": "1002:1002"}, 1001, 0o755, False),
        ({"User": "1002:1001"}, 1001, 0o750, False),
        ({"User": "0"}, 1001, 0o700, False),
        ({"User": "1001:1001"}, 1001, 0o700, False),
        ({"User": "1002:1002"}, 999, 0o700, False),
    ],
)
def test_what_another_container_has_closed(
    reader: dict[str, object], owner: int, mode: int, found: bool
) -> None:
    web = container_in("running", Mounts=[SHARED], Config=reader)
    writer = container_in(
        "running", name="loader", Mounts=[SHARED], Config={"User": "", "Env": ["PUID=1001"]}
    )
    status = {"type": "folder", "uid": owner, "gid": owner, "mode": mode}
    host = Made(
        {
            "file.list": {"entries": [{"name": "film", "type": "folder"}]},
            "file.stats": {"/srv/loads/film": status},
        }
    )
    closed = closed_entries(host, of(web, writer), Info(), None)
    result = judge(
        "container.mount-unwritable",
        mount_access=MountAccess(()),
        closed_entries=closed,
        clock=CLOCK,
    )
    assert rows(result) == ([("advice", "web")] if found else [])


@pytest.mark.parametrize(
    ("uid", "source", "taken"),
    [(911, "/srv", True), (911, "/srv/other", False), (0, "/srv", False)],
)
def test_who_has_taken_a_folder(uid: int, source: str, taken: bool) -> None:
    app = container_in(
        "running", Config={"User": "1000:1000"}, Mounts=[{**SHARED, "Source": "/srv/app"}]
    )
    panel = container_in(
        "running",
        name="panel",
        Config={"User": "", "Env": ["PUID=911"]},
        Mounts=[{**SHARED, "Source": source}],
    )
    status = {"type": "folder", "uid": uid, "gid": uid, "mode": 0o700}
    host = Made({"file.stats": {"/srv/app": status, source: {"type": "folder"}}})
    access = mount_access(host, of(app, panel), Info(), None)
    assert isinstance(access, MountAccess)
    of_app = [denied for denied in access.denied if denied.container.id == app.id]
    assert [denied.taken_by is not None for denied in of_app] == [taken]


MEDIA = {"type": "folder", "mode": 0o700, "uid": 0, "gid": 0}
DROPPED: dict[str, tuple[dict[str, object], list[str], int, str, list[tuple[str, str]]]] = {
    "a folder for root alone": (MEDIA, ["PUID=1000", "PGID=1000"], 1000, "/media", [("advice", "jelly")]),
    "a folder for reading": ({**MEDIA, "mode": 0o755}, ["PUID=1000"], 1000, "/media", []),
    "a folder of its group": (
        {**MEDIA, "mode": 0o750, "gid": 1500}, ["PUID=1000", "PGID=1500"], 1000, "/media", [],
    ),
    "a group of which it may be": ({**MEDIA, "mode": 0o750, "gid": 44}, ["PUID=1000"], 1000, "/media", []),
    "a program that stays root": (MEDIA, ["PUID=1000"], 0, "/media", []),
    "no such variable": (MEDIA, [], 1000, "/media", []),
    "scripts that root runs": (MEDIA, ["PUID=1000"], 1000, "/custom-cont-init.d", []),
    "a file": ({**MEDIA, "type": "file"}, ["PUID=1000"], 1000, "/media", []),
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "env", "uid", "target", "expected"), DROPPED.values(), ids=DROPPED
)
def test_a_program_that_becomes_another_user(
    source: dict[str, object],
    env: list[str],
    uid: int,
    target: str,
    expected: list[tuple[str, str]],
) -> None:
    mount = {"Type": "bind", "Source": "/srv/media", "Destination": target, "RW": True}
    jelly = container("jelly", Config={"User": "", "Env": env}, Mounts=[mount])
    running = Processes(
        (Process(pid=100, uid=0, container=jelly.id), Process(101, uid=uid, container=jelly.id))
    )
    access = mount_access(
        Made({"file.stats": {"/srv/media": source}}), of(jelly), Info(), None, running
    )
    result = judge("container.mount-unwritable", mount_access=access, clock=CLOCK)
    assert rows(result) == expected
    for finding in result.findings:
        assert not finding.is_quiet
        assert finding.variables["owner"] == "1000:1000"
