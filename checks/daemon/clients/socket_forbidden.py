"""daemon.socket-forbidden: the user may not speak to the engine."""

from stat import S_IWOTH

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.starting.path_states import FileState
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

MEMBERS_SHOWN = 3


@check("daemon.socket-forbidden", severity=Severity.advice)
def socket_forbidden(daemon: Daemon) -> CheckResult:
    """This user is not allowed to use the engine's socket.

    The host may be well: nothing is said about it. To a user who may use it, the members of the
    group docker are named whom it keeps out. The finding also names a user who is a member of
    the group by now, but whose session is older than that. An engine's authorization plugin refuses
    with HTTP 403. The socket of root's Podman is closed to all others: each user has one of their
    own.
    """
    is_docker = daemon.answers and not daemon.is_podman
    if is_docker and daemon.caller.docker_members and _lacks_group(daemon):
        yield _members_finding(daemon)
    if daemon.reason != "forbidden" or daemon.is_down:
        return None
    if daemon.closed_podman:
        yield _closed_podman_finding(daemon)
        return None
    user = daemon.caller.user or str(daemon.caller.uid)
    path = daemon.address
    membership = "one" if daemon.caller.session_has_it else "not one"
    yield Finding(
        subject=DAEMON,
        summary=_refusal(daemon, user),
        evidence={
            "GET /_ping": str(daemon.silence),
            **_rights(daemon.socket, path),
            "groups of this session": f"docker is {membership} of them",
        },
        variables={"user": user, "socket": path, **_cure(daemon, user)},
    )


def _members_finding(daemon: Daemon) -> Finding:
    """The finding about members of the group whom the socket keeps out, as seen by another user."""
    members = and_more([f'"{name}"' for name in daemon.caller.docker_members], MEMBERS_SHOWN)
    return Finding(
        subject=DAEMON,
        summary=(
            f"the members of group docker ({members}) may not use the engine's socket "
            f"{daemon.address}: it belongs to the group root, because the host had no group "
            "docker when the socket was made"
        ),
        evidence=_rights(daemon.socket, daemon.address),
        variables={
            "user": daemon.caller.docker_members[0],
            "socket": daemon.address,
            "ungrouped": daemon.address,
        },
        discriminator="members",
    )


def _closed_podman_finding(daemon: Daemon) -> Finding:
    caller = daemon.caller
    user = caller.user or str(caller.uid)
    own_socket = f"/run/user/{caller.uid}/podman/podman.sock"
    refused = f'user "{user}" may not use {daemon.address}'
    socket = "the socket of root's Podman"
    if daemon.address != daemon.closed_podman:
        socket = f"which leads to {socket}, {daemon.closed_podman}"
    return Finding(
        subject=DAEMON,
        summary=f"{refused}, {socket}; a user's own Podman serves {own_socket}",
        evidence={"GET /_ping": str(daemon.silence), "the user's own socket": own_socket},
        variables={"user": user, "socket": daemon.address, "own_podman": f"unix://{own_socket}"},
    )


def _needs_new_session(daemon: Daemon) -> bool:
    """Whether the caller joined the group after the login, and the group may use the socket."""
    caller = daemon.caller
    socket = daemon.socket
    is_open = socket is None or (socket.gid != 0 and bool(socket.mode & 0o020))
    return caller.docker_group and not caller.session_has_it and is_open


def _lacks_group(daemon: Daemon) -> bool:
    """Whether the group docker was made after the engine's socket, which belongs to root's group.

    A socket that is open to all needs no group.
    """
    socket = daemon.socket
    group = daemon.caller.docker_gid
    if not group or socket is None:
        return False
    return not (socket.gid or socket.mode & S_IWOTH)


def _cure(daemon: Daemon, user: str) -> PageVariables:
    """The page variables that give the user access.

    Empty for a user who may become root, and see all as root.
    """
    caller = daemon.caller
    is_member = caller.docker_group or caller.session_has_it
    if _needs_new_session(daemon):
        return {"group": "docker"}
    if is_member and _lacks_group(daemon):
        return {"ungrouped": daemon.address}
    is_service = caller.is_administrator is False and user != "nobody"
    return {"stranger": user} if is_service and not is_member else {}


def _refusal(daemon: Daemon, user: str) -> str:
    """The sentence about the user and the reason of the refusal."""
    caller = daemon.caller
    answer = daemon.silence.detail if daemon.silence is not None else ""
    refused = f'user "{user}" may not use the engine\'s socket {daemon.address}'
    if _needs_new_session(daemon):
        return f"{refused}: the session is older than the membership in group docker"
    if answer.startswith("HTTP "):
        return f"the engine refuses requests of {user}: {answer}"
    is_member = caller.docker_group or caller.session_has_it
    if is_member and _lacks_group(daemon):
        return (
            f"{refused}: it belongs to the group root, because the host had no group docker when "
            "the socket was made"
        )
    if is_member:
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
