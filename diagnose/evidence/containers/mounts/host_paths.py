"""Paths in lines of a container's log that are the host's, or that lie in none of its mounts. Pure.

Programs that share or collect files have a page of settings, on which people often name the folder
as the host does.
"""

from collections.abc import Iterator

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.missing_files import ABSENCE
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.phrases import joined

_PATH = LazyPattern(
    r"(?<![\w.+@:/-])(?>/(?!\.)[\w.+@-]{1,200}(?:/[\w.+@-]{1,200}){0,30})(?!: (?:line )?\d{1,6}: )"
)
"""A path, but for a script that a shell names with its line, and for a hidden file at the
top, which nobody mounts."""
_OF_SYSTEM = (
    "/bin", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var",  # noqa: S108 - names of folders
)  # fmt: skip
"""Folders that every image has: a path there is the container's own, whatever is mounted of the
host's."""
_OF_IMAGE = (*_OF_SYSTEM, "/app", "/opt", "/srv")
"""Folders where images have programs too: a path there need not be one that a person has named."""
_SHOWN = 3


class StrayPath(msgspec.Struct, frozen=True):
    """A path that a program may not use or does not find, and that its mounts do not hold."""

    path: str
    clause: str
    path_inside: str = ""
    """The container's path for this host path; "" where nothing is mounted from there."""


def stray_path(container: Container, line: str) -> StrayPath | None:
    """The first host path in a line that refuses it or reports it as missing; or None."""
    is_refused = "permission" in signs(line)
    if not is_refused and ABSENCE.search(line) is None:
        return None
    for path in _unmounted_paths(container, line):
        mount = _mount_from_host(container, path)
        if mount is not None:
            inside = mount.destination + path.removeprefix(mount.source.rstrip("/"))
            clause = f"{path} is a path of the host, which the container has at {inside}"
            return StrayPath(path, clause, inside)
        mounted = _folders(container)
        if is_refused and mounted and not path.startswith(_OF_IMAGE):
            return StrayPath(
                path, f"{path} lies in none of its mounts ({joined(mounted[:_SHOWN])})"
            )
    return None


def _unmounted_paths(container: Container, line: str) -> Iterator[str]:
    """The paths of a line that no mount of the container holds."""
    for match in _PATH.finditer(line):
        path = match.group().rstrip(".")
        if not any(mount.holds(f"{path}/") for mount in container.mounts):
            yield path


def _mount_from_host(container: Container, path: str) -> Mount | None:
    """The mount of a folder of the host that has this path there."""
    if path.startswith(_OF_SYSTEM):
        return None
    for mount in container.bind_mounts:
        source = mount.source.rstrip("/")
        if source and is_within(path, source):
            return mount
    return None


def _folders(container: Container) -> list[str]:
    """The destinations of all writable bind mounts."""
    return [mount.destination for mount in container.mounts if mount.rw and mount.type == "bind"]
