"""The check container.mount-forbidden: checks/container/access/mount_forbidden.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.engine.info import Info
from tests.checks.container.access.refusals import (
    DENIED,
    FILE,
    FOLDER,
    GONE,
    MOUNTED,
    SHUT,
    shut_out,
)
from tests.checks.container.evidence import container_in, items, log_of
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("name", "user", "source", "line", "selinux", "count"),
    [
        ("another's", "1000:1000", PathStatus(type="folder", mode=0o700), DENIED, False, 1),
        ("its own", "1000:1000", PathStatus(type="folder", mode=0o700, uid=1000), DENIED, False, 0),
        ("its group's", "1000:50", PathStatus(type="folder", mode=0o770, gid=50), DENIED, False, 0),
        ("root", "", PathStatus(type="folder", mode=0o700), DENIED, False, 0),
        ("root under SELinux", "", PathStatus(type="folder", mode=0o700), DENIED, True, 1),
        (
            "another path",
            "1000",
            PathStatus(type="folder", mode=0o700),
            "/database/x: Permission denied",
            False,
            0,
        ),
        (
            "another error",
            "1000",
            PathStatus(type="folder", mode=0o700),
            "/data/x: no such key",
            False,
            0,
        ),
    ],
)
def test_mount_forbidden(
    name: str, user: str, source: PathStatus, line: str, selinux: bool, count: int
):
    container = container_in("exited", code=1, Config={"User": user}, Mounts=[MOUNTED])
    info = Info(security_options=["name=selinux"] if selinux else [])
    sources = BindSources(
        {"/srv/data": source}, {"/srv/data/key": PathStatus(type="file", mode=0o644)}
    )
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, line),
        bind_sources=sources,
        info=info,
    )
    assert rows(result) == [("critical", "web")] * count


SOCKET = PathStatus(type="socket", mode=0o660)


@pytest.mark.parametrize(
    ("line", "below", "expected"),
    [
        (
            DENIED,
            {"key": SHUT},
            'container "web" cannot read /data/key: its user is 1000:1000, and the path belongs to 0:0 with mode 600',
        ),
        (
            "open /data/a/key: permission denied",
            {"a": PathStatus(type="folder", mode=0o700)},
            'container "web" cannot enter /data/a:',
        ),
        (
            "open /data/a/key: permission denied",
            {"a": FOLDER, "a/key": FILE},
            'container "web" cannot write to /data/a/key:',
        ),
        (
            "PermissionError: [Errno 13] Permission denied: '/data/app log'",
            {"app log": FILE},
            'container "web" cannot write to',
        ),
        ("cat: can't open '/data/key': Permission denied", {"key": FILE}, ""),
        (
            "sh: /data/run.sh: Permission denied",
            {"run.sh": FILE},
            "? /srv/data/run.sh: the log does not say whether it was to be written",
        ),
        (
            "sh: can't create /data/log: Permission denied",
            {"log": FILE},
            'container "web" cannot write to /data/log:',
        ),
        (
            "sh: can't create /data/log: Permission denied",
            {"log": GONE},
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "open /data/queries.active: permission denied",
            {"queries.active": GONE},
            'container "web" cannot create or remove files in',
        ),
        (
            "rm: can't remove '/data/key': Permission denied",
            {"key": SHUT},
            'container "web" cannot create or remove files in /data:',
        ),
        (
            "read /data/my file failed: permission denied",
            {"my": GONE},
            "? /srv/data/my: it is not there",
        ),
        ("ls: can't open '/data': Permission denied", {}, ""),
        (DENIED, {"key": PathStatus(type="link", mode=0o777)}, "? /srv/data/key: it is a link"),
        (DENIED, {}, "? /srv/data/key: it was not looked up"),
        ("open /data/../etc/x: permission denied", {}, "? /srv/data/..: it was not looked up"),
        (
            "chown: /data/key: Operation not permitted",
            {"key": FILE},
            'container "web" cannot change the owner or mode of /data/key:',
        ),
        (
            "chown: /data/key: Operation not permitted",
            {"key": GONE},
            "? /srv/data/key: it is not there",
        ),
        ("mknod: /data/key: Operation not permitted", {"key": SHUT}, ""),
        (
            "dial unix /data/docker.sock: connect: permission denied",
            {"docker.sock": SOCKET},
            'container "web" cannot connect to',
        ),
        ("cat: /srv/data/key: Permission denied", {"key": SHUT}, ""),
    ],
)
def test_what_was_refused_is_named(line: str, below: dict[str, PathStatus], expected: str):
    answer = shut_out(line, below=below)
    assert answer.startswith(expected) if expected else not answer, answer


def test_a_mount_that_is_read_only_is_not_to_be_written():
    container = container_in(
        "exited", code=1, Config={"User": "1000:1000"}, Mounts=[{**MOUNTED, "RW": False}]
    )
    sources = BindSources({"/srv/data": FOLDER}, {"/srv/data/key": FILE})
    line = "open /data/key: permission denied"
    result = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, line),
        bind_sources=sources,
        info=Info(),
    )
    assert items(result) == []


SQL_SERVER = (
    "/opt/mssql/bin/sqlservr: Error: The system directory [/.system] could not be created.  "
    "Error [13]."
)


@pytest.mark.parametrize(
    ("folder", "owner", "expected"),
    [
        ("/var/opt/mssql", 0, "create or remove files in /var/opt/mssql:"),
        ("/var/opt/mssql", 10001, ""),
        ("/var/opt/mssql/data", 0, ""),
    ],
)
def test_a_program_that_calls_a_folder_of_its_own_the_root(
    folder: str, owner: int, expected: str
) -> None:
    mount = {**MOUNTED, "Destination": folder}
    container = container_in("exited", code=1, Config={"User": "10001:0"}, Mounts=[mount])
    found = judge(
        "container.mount-forbidden",
        containers=of(container),
        log_tails=log_of(container, SQL_SERVER),
        bind_sources=BindSources(
            {"/srv/data": PathStatus(type="folder", mode=0o755, uid=owner)},
            {"/srv/data/.system": GONE},
        ),
        info=Info(),
    ).findings
    assert [expected in finding.summary for finding in found] == [True] * bool(expected)
    assert all(finding.evidence["log"] == SQL_SERVER for finding in found)
