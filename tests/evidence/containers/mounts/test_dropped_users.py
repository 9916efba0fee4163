"""What programs are refused after a container's root has changed to another user."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.dropped_users import DroppedUsers, dropped_users
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.processes import Process, Processes
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MOUNT = {"Type": "bind", "Source": "/srv/blog", "Destination": "/var/www/html", "RW": True}
LINE = (
    'PHP Fatal error: The stream or file "/var/www/html/storage/app.log" could not be opened: failed to '
    "open stream: Permission denied in /var/www/html/vendor/monolog/StreamHandler.php:110"
)
FOLDER = {"type": "folder", "mode": 0o755, "uid": 1000, "gid": 1000}
GONE = {"failed": "missing"}
USERS = "web:x:²:²::/:/bin/sh\nroot:x:0:0::/:/bin/sh\nmosquitto:x:1883:1883::/:/sbin/nologin\nguest:x:405:100::/:/bin/sh\n"


def host(**further: Any) -> Made:
    return Made(
        {
            "file.stats": {
                "/srv/blog": FOLDER,
                "/srv/blog/storage": FOLDER,
                "/srv/blog/storage/app.log": GONE,
                "/srv/blog/mosquitto.log": GONE,
                "/srv/blog/key": GONE,
            },
            **further,
        }
    )


def seen(
    app: Container, lines: list[str], uids: list[int], asked: Made | None = None
) -> DroppedUsers:
    """The users that are refused in one container that prints these lines."""
    texts = tuple(lines)
    recent = RecentLogs({app.id: tuple(RecentLine(0.0, line) for line in texts)})
    tails = LogTails({} if app.is_running else {app.id: LogTail(texts)}, {})
    processes = Processes(
        tuple(
            Process(pid=number, comm=f"php-fpm{uid}", uid=uid, container=app.id, start=number)
            for number, uid in enumerate(uids)
        )
    )
    return dropped_users(asked or host(), of(app), tails, recent, processes, Info())


RUNNING: dict[str, tuple[str, list[str], list[int], list[tuple[str, str]]]] = {
    "its workers may not write": ("", [LINE] * 4, [0, 33, 33], [("critical", "web")]),
    "few of its lines say so": (
        "",
        [*[LINE] * 2, *["GET / 200"] * 6],
        [0, 33],
        [("warning", "web")],
    ),
    "other lines name the path": (
        "",
        [LINE, *["served /var/www/html/storage/app.log in 3 ms"] * 4],
        [0, 33],
        [],
    ),
    "once is by chance": ("", [LINE], [0, 33], []),
    "its workers may write": ("", [LINE] * 4, [0, 1000], []),
    "it has no other user": ("", [LINE] * 4, [0, 0], []),
    "its first user has a check": ("1001", [LINE] * 4, [1001], []),
}


@pytest.mark.parametrize(("user", "lines", "uids", "expected"), RUNNING.values(), ids=RUNNING)
def test_workers_of_a_running_container(
    user: str, lines: list[str], uids: list[int], expected: list[tuple[str, str]]
) -> None:
    app = container("web", Config={"User": user}, Mounts=[MOUNT])
    users = seen(app, lines, uids)
    result = judge(
        "container.mount-forbidden",
        containers=of(app),
        log_tails=LogTails({}, {}),
        dropped_users=users,
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["source"] == "/srv/blog/storage"
        assert finding.variables["owner"] == "33"
        assert 'its process "php-fpm33" runs as user 33' in finding.summary


ENDED: dict[str, tuple[dict[str, Any], str]] = {
    "PUID and PGID": ({"Env": ["PUID=911", "PGID=100"]}, "911:100"),
    "the user that is called like the image": ({"Image": "eclipse/mosquitto:2"}, "1883:1883"),
    "the user that is called like the program": (
        {"Image": "shop:1", "Entrypoint": ["/usr/sbin/mosquitto"]},
        "1883:1883",
    ),
    "PUID that may write": ({"Env": ["PUID=1000", "PGID=1000"]}, ""),
    "no such user": ({"Image": "shop:1"}, ""),
    "PUID that is not a number": ({"Env": ["PUID=²", "PGID=100"]}, ""),
    "PUID that no kernel knows": ({"Env": ["PUID=" + "9" * 5000]}, ""),
    "PGID that is not a number": ({"Env": ["PUID=911", "PGID=²"]}, "911"),
}


@pytest.mark.parametrize(("config", "owner"), ENDED.values(), ids=ENDED)
def test_the_user_of_a_container_that_has_ended(config: dict[str, Any], owner: str) -> None:
    app = container(
        "web",
        State={"Status": "exited", "ExitCode": 1},
        Config={"User": "", **config},
        Mounts=[MOUNT],
    )
    line = "Error: Unable to open log file /var/www/html/mosquitto.log for writing."
    answers = host(**{"api.archive": {"hex": USERS.encode().hex()}})
    users = seen(app, [line], [], answers)
    assert [dropped.denied.user.owner for dropped in users] == ([owner] if owner else [])


@pytest.mark.parametrize("source", ["/var/log", "/home/alice"])
def test_no_command_gives_away_a_folder_of_the_host(source: str) -> None:
    mount = {**MOUNT, "Source": source}
    app = container("web", Config={"User": ""}, Mounts=[mount])
    asked = Made({"file.stats": {source: FOLDER, f"{source}/key": GONE}})
    line = "cannot create '/var/www/html/key': Permission denied"
    users = seen(app, [line] * 3, [0, 33], asked)
    result = judge(
        "container.mount-forbidden",
        containers=of(app),
        log_tails=LogTails({}, {}),
        dropped_users=users,
    )
    (finding,) = result.findings
    assert "owner" not in finding.variables
