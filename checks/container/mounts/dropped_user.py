"""What container.mount-forbidden says of programs that have changed their user."""

from __future__ import annotations

from checks.container.mounts.mount_filesystem import change_of_owner, fixed_modes, mount_options
from diagnose.evidence.containers.mounts.access.dropped_users import DroppedUser
from diagnose.evidence.storage.mounts import Mounted
from diagnose.model import Finding, Severity
from diagnose.phrases import sentence

MOSTLY = 0.5
"""The share of a running container's last lines from which on most of its work is refused."""
_OF_THE_HOST = frozenset(
    {"", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt"}
    | {"/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/usr/local", "/var"}
    | {"/var/lib", "/var/log", "/var/spool"}
)
"""Folders that belong to the host, whatever a container would like to do there."""


def dropped_user(item: DroppedUser, fixed: Mounted | None) -> Finding:
    """A path below a mount that is denied to the user to whom the program has changed.

    fixed: where the path lies, if all files there have one owner and mode.
    """
    is_of_host = _is_of_host(item.denied.path)
    cure = {} if is_of_host else change_of_owner(item.denied, fixed)
    return _finding(item, fixed).with_variables(cure)


def refused_database(item: DroppedUser, fixed: Mounted | None) -> Finding:
    """A file of SQLite that is denied to the program's user, with the folder that holds it.

    Or that folder. fixed: as for `dropped_user`.
    """
    if not item.named.rest:
        return dropped_user(item, fixed)
    folder = item.named.mount.source
    cure = {} if _is_of_host(folder) else change_of_owner(item.denied, fixed)
    folders = {"databases": folder} if "owner" in cure else {}
    return _finding(item, fixed).with_variables(cure | folders)


def _finding(item: DroppedUser, fixed: Mounted | None) -> Finding:
    container, denied = item.container, item.denied
    who = "user is" if not container.config.starts_as_root else "program changes its user to"
    if item.program:
        who = f'process "{item.program}" runs as'
    is_partial = container.is_running and item.times < MOSTLY * item.of
    return Finding.about(
        container,
        sentence(
            f"{container} cannot {denied.what} {denied.inside}: {denied.why(who)}",
            fixed_modes(fixed),
        ),
        {
            **item.named.evidence,
            **denied.evidence,
            "Config.User": container.config.user or "root (file modes do not restrict it)",
            **({"times in its last lines": item.times} if item.times else {}),
            **mount_options(fixed),
        },
        discriminator=item.named.mount.destination,
        severity=Severity.warning if is_partial else Severity.critical,
        touches=item.named.mount.volumes,
        onset=container.failed_first,
    )


def _is_of_host(path: str) -> bool:
    """Whether a folder is the host's or a home: sshd refuses keys in one that others own."""
    parent, _, name = path.rstrip("/").rpartition("/")
    return f"{parent}/{name}".rstrip("/") in _OF_THE_HOST or parent == "/home"
