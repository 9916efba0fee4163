"""Rootless engines of users, by the files that they and systemd have left."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.rootless_engines import RootlessEngine, rootless_engines
from diagnose.model import Json, Subject, Unexamined
from tests.checks.daemon.evidence import SOCKET, daemon
from tests.hosts import Made
from tests.inspected import container

PASSWD = """root:x:0:0:root:/root:/bin/sh
shop:x:1200:1200::/home/shop:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
broken
"""
HOME = "/home/shop/.local/share/docker/containers"
SYSTEMD, LINGER, RUNTIME = "/var/lib/systemd", "/var/lib/systemd/linger/shop", "/run/user/1200"
CASES = {
    "logged out": (
        {SYSTEMD, HOME},
        [RootlessEngine("shop", 1200, 1, lingers=False, has_session=False)],
    ),
    "lingers": (
        {SYSTEMD, HOME, LINGER},
        [RootlessEngine("shop", 1200, 1, lingers=True, has_session=False)],
    ),
    "logged in": (
        {SYSTEMD, HOME, RUNTIME},
        [RootlessEngine("shop", 1200, 1, lingers=False, has_session=True)],
    ),
    "never had one": ({SYSTEMD, RUNTIME}, []),
    "without systemd": ({HOME}, []),
}


def _host(there: set[str]) -> Made:
    paths = (SYSTEMD, HOME, LINGER, RUNTIME)
    stats: Json = {
        path: {"type": "folder"} if path in there else {"failed": "missing"} for path in paths
    }
    listing: Json = {"entries": [{"name": "a" * 64, "type": "folder"}], "truncated": False}
    return Made({"file.read": {"text": PASSWD}, "file.stats": stats, "file.list": listing})


@pytest.mark.parametrize(("there", "expected"), CASES.values(), ids=CASES)
def test_engines_of_users(there: set[str], expected: list[RootlessEngine]) -> None:
    assert list(rootless_engines(_host(there), daemon(), None)) == expected


def test_nothing_is_asked_while_an_engine_answers() -> None:
    host = _host({SYSTEMD, HOME})
    assert not rootless_engines(host, daemon(silence=None, socket=SOCKET), None)
    assert host.asked == []


UNREAD = Unexamined(Subject("container", "web"), "no right to read its file")
OWN_CONTAINERS = {
    "one is known": Containers((container("web"),), source="disk"),
    "one cannot be read": Containers((), (UNREAD,), source="disk"),
}


@pytest.mark.parametrize("containers", OWN_CONTAINERS.values(), ids=OWN_CONTAINERS)
def test_nothing_is_asked_where_the_hosts_own_engine_has_containers(containers: Containers) -> None:
    host = _host({SYSTEMD, HOME})
    assert not rootless_engines(host, daemon(), containers)
    assert host.asked == []
