"""Folders of the host that must keep their SELinux labels."""

from pathlib import PurePosixPath

from diagnose.file_paths import is_within

_OF_THE_HOST = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/log",
    "/var/run",
    "/var/spool",
)
"""Folders whose files the host's own programs need, each by its label: sshd, rsyslog, cron."""
_PARENTS = frozenset({"/", "/home", "/opt", "/var", "/var/cache", "/var/home", "/var/lib"})
"""Folders that hold those of many programs."""
_HOMES = ("/home", "/var/home")
"""A home folder has .ssh, which sshd reads only while it has its label."""


def keeps_labels(folder: str) -> bool:
    """Whether a new label for all files below a folder would break the host, or its SSH."""
    path = PurePosixPath(folder)
    is_home = str(path.parent) in _HOMES
    if str(path) in _PARENTS or is_home or ".ssh" in path.parts:
        return True
    return any(is_within(str(path), system_folder) for system_folder in _OF_THE_HOST)
