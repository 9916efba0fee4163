"""Where links below a container's mounts lead, as the container sees them."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.link_ends import LinkEnd, link_end
from diagnose.evidence.containers.mounts.missing_files import MissingFiles, missing_files
from diagnose.programs.telling_line import telling_line
from tests.checks.container.evidence import CLOCK, OPTIONS
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

CONFIG = {"Type": "bind", "Source": "/srv/swag", "Destination": "/config", "RW": True}
APP = container("swag", Mounts=[CONFIG])
LIVE = "/srv/swag/etc/live/shop.test"
Paths = dict[str, str | None]
"""A path of the host: where the link leads; "" for a folder, None for a file."""

TREE: Paths = {
    "/srv/swag": "",
    "/srv/swag/keys": "",
    "/srv/swag/keys/letsencrypt": "../etc/live/shop.test",
    "/srv/swag/keys/cert.crt": "./letsencrypt/fullchain.pem",
    "/srv/swag/etc": "",
    "/srv/swag/etc/live": "",
    LIVE: "",
}
ABSOLUTE: Paths = {**TREE, "/srv/swag/keys/letsencrypt": "/config/etc/live/shop.test"}
OUTSIDE: Paths = {**TREE, "/srv/swag/keys/cert.crt": "/etc/letsencrypt/live/shop.test/cert.pem"}
LOOP: Paths = {**TREE, "/srv/swag/keys/cert.crt": "cert.crt"}
WHOLE: Paths = {**ABSOLUTE, f"{LIVE}/fullchain.pem": None}
MISSED = "/config/etc/live/shop.test/fullchain.pem"


def host(paths: Paths) -> Made:
    def status(path: str, *, follow: bool) -> dict[str, Any]:
        if path not in paths:
            return {"failed": "missing"}
        link = paths[path]
        if link is None:
            return {"type": "file"}
        if not link:
            return {"type": "folder"}
        # the host itself finds none of these links: they are absolute, or the file is gone
        is_found = not link.startswith("/") and paths is not LOOP and "live" in link
        if follow:
            return {"type": "folder"} if is_found else {"failed": "missing"}
        return {"type": "link", "link": link}

    def stats(question: Any) -> dict[str, Any]:
        return {path: status(path, follow=question.follow) for path in question.paths}

    def entries(question: Any) -> dict[str, Any]:
        names = [p.rpartition("/")[2] for p in paths if p.rpartition("/")[0] == question.path]
        return {"entries": [{"name": name, "type": "file"} for name in sorted(names)]}

    return Made({"file.stats": stats, "file.list": entries})


ENDS: dict[str, tuple[Paths, LinkEnd | None]] = {
    "by relative links": (TREE, LinkEnd(MISSED, f"{LIVE}/fullchain.pem")),
    "by an absolute one": (ABSOLUTE, LinkEnd(MISSED, f"{LIVE}/fullchain.pem")),
    "out of the mount": (OUTSIDE, LinkEnd("/etc/letsencrypt/live/shop.test/cert.pem")),
    "in a circle": (LOOP, None),
    "to a file": (WHOLE, LinkEnd(MISSED, f"{LIVE}/fullchain.pem", is_there=True)),
}


def test_nobody_can_look_into_a_file_system_in_memory() -> None:
    memory = {"Type": "tmpfs", "Source": "", "Destination": "/etc/letsencrypt", "RW": True}
    app = container("swag", Mounts=[CONFIG, memory])
    assert link_end(host(OUTSIDE), app, "/config/keys/cert.crt") is None


@pytest.mark.parametrize(("paths", "end"), ENDS.values(), ids=ENDS)
def test_where_it_ends(paths: Paths, end: LinkEnd | None) -> None:
    assert link_end(host(paths), APP, "/config/keys/cert.crt") == end


def test_source_that_is_itself_a_link_was_followed_by_the_mount() -> None:
    release = "/srv/releases/5"
    current: Paths = {"/srv/current": release, "/srv/current/cert.crt": "live/cert.pem"}
    app = container("web", Mounts=[{**CONFIG, "Source": "/srv/current"}])
    end = link_end(host(current), app, "/config/cert.crt")
    assert end == LinkEnd("/config/live/cert.pem", "/srv/current/live/cert.pem")


LINE = 'nginx: [emerg] cannot load certificate "/config/keys/cert.crt": No such file or directory'
FOUND = [("warning", "swag")]
CASES: dict[str, tuple[Paths, list[tuple[str, str]], str]] = {
    "certbot's link is gone": (ABSOLUTE, FOUND, LIVE),
    "it leads out of the mount": (OUTSIDE, FOUND, ""),
    "the container finds it": (WHOLE, [], ""),
    "it is nowhere, and no link": ({"/srv/swag": "", "/srv/swag/keys": ""}, [], ""),
}


@pytest.mark.parametrize(("paths", "expected", "lineage"), CASES.values(), ids=CASES)
def test_a_running_program_that_misses_what_a_link_leads_to(
    paths: Paths, expected: list[tuple[str, str]], lineage: str
) -> None:
    telling = telling_line([LINE])
    assert telling is not None
    errors = RepeatedErrors((RepeatedError(APP, telling, 4, 8),))
    missing = missing_files(host(paths), of(APP), LogTails({}, {}), errors)
    assert isinstance(missing, MissingFiles)
    result = judge(
        "container.mount-source-missing",
        containers=of(APP),
        clock=CLOCK,
        options=OPTIONS,
        log_tails=LogTails({}, {}),
        bind_sources=None,
        missing_files=missing,
    )
    assert rows(result) == expected
    assert [finding.variables.get("lineage", "") for finding in result.findings] == [lineage] * len(
        expected
    )


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ('FATAL:  required WAL directory "pg_wal" does not exist', True),
        ('FATAL:  could not open directory "pg_wal": No such file or directory', True),
        ('FATAL:  could not open directory "pg_wal": Permission denied', False),
        ('ERROR:  could not open directory "base": No such file or directory', False),
    ],
)
def test_postgresql_names_its_log_from_its_folder_of_data(line: str, is_found: bool) -> None:
    mount = {"Type": "bind", "Source": "/srv/pg", "Destination": "/var/lib/postgresql", "RW": True}
    database = container("db", status="exited", Mounts=[mount])
    paths: Paths = {
        "/srv/pg": "",
        "/srv/pg/13": "",
        "/srv/pg/13/main": "",
        "/srv/pg/13/main/PG_VERSION": None,
        "/srv/pg/13/main/pg_wal": "/opt/waldir/pg_wal",
    }
    found = missing_files(
        host(paths), of(database), LogTails({database.id: LogTail((line,))}, {}), None
    )
    assert isinstance(found, MissingFiles)
    ends = [missing.leads_to for missing in found]
    assert ends == ([LinkEnd("/opt/waldir/pg_wal")] if is_found else [])
