"""daemon.socket-forbidden: the user may not speak to the engine."""

from __future__ import annotations

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.starting.path_states import FileState
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity
from diagnose.registry import check


@check("daemon.socket-forbidden", severity=Severity.advice)
def socket_forbidden(daemon: Daemon) -> CheckResult:
    """This user is not allowed to use the engine's socket.

    The host may be well: nothing is said about it. The finding also names a user who is a member of
    the group by now, but whose session is older than that. An engine's authorization plugin refuses
    with HTTP 403. The socket of root's Podman is closed to all others: each user has one of their
    own.
    """
    if daemon.reason != "forbidden" or daemon.is_down:
        return None
    if daemon.closed_podman:
        yield _closed_podman_finding(daemon)
        return None
    user, path = daemon.caller.user or str(daemon.caller.uid), daemon.address
    is_member = daemon.caller.session_has_it
    yield Finding(
        subject=DAEMON,
        summary=_refusal(daemon, user),
        evidence={
            "GET /_ping": str(daemon.silence),
            **_rights(daemon.socket, path),
            "groups of this session": "docker is one of them"
            if is_member
            else "docker is not one of them",
        },
        variables={
            "user": user,
            "socket": path,
            **({"group": "docker"} if _needs_new_session(daemon) else {}),
        },
    )
    return None


def _closed_podman_finding(daemon: Daemon) -> Finding:
    caller = daemon.caller
    user, own = caller.user or str(caller.uid), f"/run/user/{caller.uid}/podman/podman.sock"
    refused = f'user "{user}" may not use {daemon.address}'
    whose = "the socket of root's Podman"
    if daemon.address != daemon.closed_podman:
        whose = f"which leads to {whose}, {daemon.closed_podman}"
    return Finding(
        subject=DAEMON,
        summary=f"{refused}, {whose}; a user's own Podman serves {own}",
        evidence={"GET /_ping": str(daemon.silence), "the user's own socket": own},
        variables={"user": user, "socket": daemon.address, "own_podman": f"unix://{own}"},
    )


def _needs_new_session(daemon: Daemon) -> bool:
    """Whether the caller became a member of the group after the login, and the group may use the
    socket."""
    caller, socket = daemon.caller, daemon.socket
    is_open = socket is None or (socket.gid != 0 and bool(socket.mode & 0o020))
    return caller.docker_group and not caller.session_has_it and is_open


def _refusal(daemon: Daemon, user: str) -> str:
    """Who refuses the user, and why."""
    caller, answer = daemon.caller, daemon.silence.detail if daemon.silence is not None else ""
    refused = f'user "{user}" may not use the engine\'s socket {daemon.address}'
    if _needs_new_session(daemon):
        return f"{refused}: the session is older than the membership in group docker"
    if answer.startswith("HTTP "):
        return f"the engine refuses requests of {user}: {answer}"
    if caller.docker_group or caller.session_has_it:
        return (
            f"{refused}, although in group docker: the socket has another group, or a mode "
            "without it"
        )
    return refused


def _rights(socket: FileState | None, path: str) -> dict[str, Json]:
    if socket is None:
        return {}
    rights = f"mode {socket.mode & 0o777:04o}, uid {socket.uid}, gid {socket.gid}"
    return {f"stat({path})": rights}
