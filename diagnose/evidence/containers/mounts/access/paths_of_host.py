"""Host paths that must not be given to a container's user: others need them unchanged."""

from pathlib import PurePosixPath

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Info
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern

_OF_PROGRAMS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc/docker",
    "/etc/pki",
    "/etc/ssh",
    "/etc/ssl",
    "/lib",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/var/lib/containerd",
    "/var/log/journal",
)
"""Folders whose files the host's own programs need."""
_PARENTS = frozenset(
    {"/", "/etc", "/home", "/opt", "/root", "/usr", "/var", "/var/cache", "/var/lib"}
    | {"/var/log", "/var/spool"}
)
"""Folders that hold those of many programs."""
_PRIVATE = LazyPattern(r"^/(?:root|etc/ssl|etc/ssh)/|/\.(?:ssh|gnupg)/")
"""Folders with keys, and the home of root, in a container too."""
_VOLUMES = "volumes"
"""The folder of the data root whose contents are the containers' own."""


def is_of_host(path: str, info: Info | None) -> bool:
    """Whether another owner of this path would break the host or the engine."""
    root = info.docker_root_dir if info is not None and info.docker_root_dir else "/var/lib/docker"
    if is_within(path, root):
        return not is_within(path, f"{root}/{_VOLUMES}") or path == f"{root}/{_VOLUMES}"
    return str(PurePosixPath(path)) in _PARENTS or any(
        is_within(path, folder) for folder in _OF_PROGRAMS
    )


def is_kept_closed(container: Container, path: str, info: Info | None) -> bool:
    """Whether a container's path is closed to others for a reason, there or on the host."""
    if _PRIVATE.search(f"{path}/"):
        return True
    mount = host_mount(container.mounts, path)
    if mount is None:
        return False
    on_host = mount.on_host(path)
    if mount.source == "/" or is_within(on_host, "/etc") or _PRIVATE.search(f"{on_host}/"):
        return True
    return is_of_host(on_host, info)
