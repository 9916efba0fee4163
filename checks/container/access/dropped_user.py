"""Findings of container.mount-forbidden about programs that have changed their user."""

import posixpath

from checks.container.access.mount_filesystem import (
    change_of_owner,
    mount_options,
    ownerless_clause,
)
from diagnose.evidence.containers.mounts.access.dropped_users import DroppedUser
from diagnose.evidence.storage.mounts import Mounted
from diagnose.mappings import present
from diagnose.model import Finding, Severity
from diagnose.phrases import sentence

MOSTLY = 0.5
"""From this share of a running container's last lines on, most of its work is refused."""
_OF_THE_HOST = frozenset(
    {"", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt"}
    | {"/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/usr/local", "/var"}
    | {"/var/lib", "/var/log", "/var/spool"}
)
"""Folders that belong to the host, and that no container should own."""


def dropped_user(user: DroppedUser, ownerless: Mounted | None) -> Finding:
    """The finding about a path below a mount that is denied to the user to whom the program has
    changed.

    ownerless: the mount of the path, if all files there have one owner and mode.
    """
    is_of_host = _is_of_host(user.denied.path)
    cure = {} if is_of_host else change_of_owner(user.denied, ownerless)
    return _finding(user, ownerless).with_variables(cure)


def refused_database(user: DroppedUser, ownerless: Mounted | None) -> Finding:
    """The finding about a file of SQLite, or its folder, that is denied to the program's user.

    ownerless: as for `dropped_user`.
    """
    if not user.named.rest:
        return dropped_user(user, ownerless)
    folder = user.named.mount.source
    cure = {} if _is_of_host(folder) else change_of_owner(user.denied, ownerless)
    folders = {"databases": folder} if "owner" in cure else {}
    return _finding(user, ownerless).with_variables(cure | folders)


def _finding(user: DroppedUser, ownerless: Mounted | None) -> Finding:
    container = user.container
    denied = user.denied
    user_clause = (
        "user is" if not container.config.starts_as_root else "program changes its user to"
    )
    if user.program:
        user_clause = f'process "{user.program}" runs as'
    is_partial = container.is_running and user.times < MOSTLY * user.of
    return Finding.about(
        container,
        sentence(
            f"{container} cannot {denied.what} {denied.path_inside}: {denied.why(user_clause)}",
            ownerless_clause(ownerless),
        ),
        {
            **user.named.evidence,
            **denied.evidence,
            "Config.User": container.config.user or "root (file modes do not restrict it)",
            **present({"times in its last lines": user.times or None}),
            **mount_options(ownerless),
        },
        discriminator=user.named.mount.destination,
        severity=Severity.warning if is_partial else Severity.critical,
        touches=user.named.mount.volumes,
        onset=container.failed_first,
    )


def _is_of_host(path: str) -> bool:
    """Whether a folder belongs to the host or is a home: sshd refuses keys in a home that others
    own."""
    folder = path.rstrip("/")
    return folder in _OF_THE_HOST or posixpath.dirname(folder) == "/home"
