"""The check in checks/daemon/socket_forbidden.py."""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.evidence.engine.daemon import Caller
from diagnose.model import Unavailable
from tests.checks.daemon.evidence import SOCKET, daemon, engine, only_finding
from tests.judging import judge


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
