"""The check in checks/daemon/clients/socket_forbidden.py."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.daemon import Caller
from diagnose.evidence.engine.starting.path_states import FileState
from diagnose.model import Unavailable
from tests.checks.daemon.evidence import SOCKET, daemon, engine, only_finding
from tests.judging import judge, rows


def test_the_user_who_may_not_use_the_socket_is_named() -> None:
    denied = daemon(
        silence=Unavailable("forbidden", ""),
        process=engine(),
        socket=SOCKET,
        caller=Caller(1000, "deploy"),
    )
    (finding,) = judge("daemon.socket-forbidden", daemon=denied).findings
    assert finding.summary.startswith('user "deploy" may not use the engine')
    old = daemon(
        silence=denied.silence, process=engine(), caller=Caller(1000, "deploy", docker_group=True)
    )
    assert (
        "session is older"
        in next(iter(judge("daemon.socket-forbidden", daemon=old).findings)).summary
    )
    assert (
        only_finding(judge("daemon.socket-forbidden", daemon=old).findings).variables["group"]
        == "docker"
    )
    of_root = replace(old, socket=replace(SOCKET, gid=0))
    closed = only_finding(judge("daemon.socket-forbidden", daemon=of_root).findings)
    assert "another group" in closed.summary
    assert "group" not in closed.variables
    kept_out = replace(
        denied, caller=Caller(1000, "deploy", docker_group=True, session_has_it=True)
    )
    assert (
        "although in group docker"
        in only_finding(judge("daemon.socket-forbidden", daemon=kept_out).findings).summary
    )
    assert judge("daemon.socket-forbidden", daemon=daemon()).findings == ()


def test_roots_podman_answers_to_root_alone() -> None:
    podman = "/run/podman/podman.sock"
    closed = daemon(
        silence=Unavailable("forbidden", ""),
        sees_all=True,
        caller=Caller(1000, "deploy"),
        closed_podman=podman,
    )
    assert not closed.is_down
    finding = only_finding(judge("daemon.socket-forbidden", daemon=closed).findings)
    assert f"which leads to the socket of root's Podman, {podman}" in finding.summary
    assert finding.variables["own_podman"] == "unix:///run/user/1000/podman/podman.sock"


CALLERS = {
    "a user of a service": (
        Caller(990, "jenkins", docker_gid=105, is_administrator=False),
        "stranger",
    ),
    "who may become root": (Caller(1000, "deploy", docker_gid=105, is_administrator=True), ""),
    "an old recording": (Caller(1000, "deploy", docker_gid=105), ""),
    "nobody": (Caller(65534, "nobody", docker_gid=105, is_administrator=False), ""),
    "a member, and the socket is of root's group": (
        Caller(
            1000,
            "deploy",
            docker_group=True,
            session_has_it=True,
            docker_gid=1001,
            is_administrator=False,
        ),
        "ungrouped",
    ),
    "a member, and another engine": (
        Caller(1000, "deploy", docker_group=True, session_has_it=True),
        "",
    ),
}


@pytest.mark.parametrize(("caller", "expected"), CALLERS.values(), ids=CALLERS)
def test_what_lets_the_user_in(caller: Caller, expected: str) -> None:
    denied = daemon(
        silence=Unavailable("forbidden", ""),
        process=engine(),
        socket=replace(SOCKET, gid=0 if caller.docker_group else 105),
        caller=caller,
    )
    finding = only_finding(judge("daemon.socket-forbidden", daemon=denied).findings)
    assert {"stranger", "ungrouped"} & set(finding.variables) == {expected} - {""}


MEMBERS = Caller(0, "root", docker_gid=1001, docker_members=("deploy",))


@pytest.mark.parametrize(
    ("caller", "socket", "found"),
    [
        (MEMBERS, replace(SOCKET, gid=0), 1),
        (MEMBERS, replace(SOCKET, gid=1001), 0),
        (MEMBERS, replace(SOCKET, gid=0, mode=0o140666), 0),
        (replace(MEMBERS, docker_members=()), replace(SOCKET, gid=0), 0),
    ],
    ids=["members are kept out", "the socket is theirs", "it is open to all", "nobody is a member"],
)
def test_root_sees_whom_the_socket_keeps_out(caller: Caller, socket: FileState, found: int) -> None:
    one = daemon(silence=None, process=engine(), socket=socket, caller=caller)
    result = judge("daemon.socket-forbidden", daemon=one)
    assert rows(result) == [("advice", "docker")] * found
