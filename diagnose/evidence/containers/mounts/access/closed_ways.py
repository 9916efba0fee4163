"""Folders that keep a running program from a path that its log names as refused.

The last folder of the path is fine as a rule, and the one above it is closed to all but root: the
owner and the mode of the path itself show nothing.
"""

import posixpath
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.reading import RECENT_S
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.access.file_access import ENTER, HostUser
from diagnose.evidence.containers.mounts.access.program_users import (
    none_may,
    program_users,
    way_inside,
)
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.file_paths import is_below
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known
from diagnose.questions import Host
from diagnose.questions.files import PathStatus
from diagnose.registry import evidence

MOST = 20
"""Containers whose paths are looked at."""
_REFUSED = LazyPattern(r"(?i)permission denied|\bEACCES\b|access (?:is |was )?denied")
_PATH = LazyPattern(r"(?<![\w.:/~-])(?P<path>/[\w.@+-]{1,120}(?:/[\w.@+-]{1,120}){1,15})")
_ASKED = LazyPattern(
    r"(?i)(?:\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|PROPFIND)\b[ \"']{0,3}|\bur[il]\b[\"' :=]{0,4})$"
)
"""The text before the path of an address that a visitor requests: it need not be a file."""
_REQUEST = LazyPattern(r"\brequest: \"[A-Z]{3,10} (?P<path>/[^\s?\"]{0,500})")
_OF_KERNEL = LazyPattern(r"/(?:dev|proc|sys)/")
_OF_SYSTEM = LazyPattern(r"/(?:boot|proc|root|sys)(?:/|$)")
_OF_HOST = LazyPattern(
    r"/(?:boot|dev|etc|lib|proc|root|run|sys|usr|var/(?:cache|lib/(?:containerd|docker|kubelet)|log|run"
    r"|spool))(?:/|$)"
)
"""Folders of a system that are closed to others than root on purpose."""


class ClosedWay(msgspec.Struct, frozen=True):
    """A folder that a program may not pass, on the way to the requested path."""

    container: Container
    line: str
    path: str
    """The path that the line names."""
    folder: str
    """The folder, as the container calls it."""
    status: PathStatus
    program: str
    """The name of the process."""
    uid: int
    """Of the process, on the host."""
    bit: str
    """The chmod argument that opens the path: o+x."""
    is_below_site: bool = False
    """Whether only a visitor asks for it: the folder is below the pages that a server serves."""
    mount: Mount | None = None
    """The mount with the folder; None for the container's writable layer."""

    @property
    def on_host(self) -> str:
        """The folder on the host; "" in the container's writable layer."""
        return self.mount.on_host(self.folder) if self.mount is not None else ""


class ClosedWays(Items[ClosedWay], frozen=True):
    """The closed folders on paths, at most one for each container."""


@evidence
def closed_ways(
    host: Host, containers: Containers, recent_logs: RecentLogs, processes: Processes, clock: Clock
) -> ClosedWays:
    """The closed folders on paths that running programs report as refused.

    The folders of the path are looked at inside the container, and the users of its processes in
    /proc. A path with a link in it is left out.
    """
    refusals = []
    for container in containers.running:
        lines = recent_logs.repeated(container, _is_refusal, clock, 1, RECENT_S)
        path = next(filter(None, (_named_path(line.text) for line in reversed(lines))), "")
        if path:
            last_line = next(line.text for line in reversed(lines) if path in line.text)
            refusals.append(_Refusal(container, last_line, path))
    ways = (
        _closed_way(host, refusal, processes.inside(refusal.container.id))
        for refusal in host.first(refusals, MOST, "programs that were refused a path")
    )
    return ClosedWays(known(ways))


class _Refusal(msgspec.Struct, frozen=True):
    container: Container
    line: str
    path: str


def _is_refusal(text: str) -> bool:
    return _REFUSED.search(text) is not None


def _named_path(text: str) -> str:
    """The path that a refusal names; "" where there is none, or one of the kernel's."""
    matches = (found for found in _PATH.finditer(text) if not _ASKED.search(text[: found.start()]))
    match = next(matches, None)
    path = match["path"].rstrip(".") if match is not None else ""
    is_plain = posixpath.normpath(path) == path and not _OF_KERNEL.match(path)
    return path if is_plain else ""


def is_below_site(line: str, path: str, folder: str) -> bool:
    """Whether a folder lies below the root of the site, by the request that the line names."""
    request = _REQUEST.search(line)
    if request is None or not path.endswith(request["path"]):
        return False
    return is_below(folder, path.removesuffix(request["path"]))


def _closed_way(
    host: Host, refusal: _Refusal, processes_inside: Sequence[Process]
) -> ClosedWay | None:
    """The first folder above the path that each user of the container's programs may not pass."""
    container = refusal.container
    users = program_users(host, processes_inside)
    way = way_inside(host, container, posixpath.dirname(refusal.path)) if users else {}
    for folder, status in way.items():
        if status.type != "folder" or not status.mode & 0o777:
            return None  # without any bit, an access list decides, as on a Synology
        if none_may(users, status, ENTER):
            mount = innermost_mount(container.mounts, folder)
            if _is_meant(mount, folder):
                return None
            first = users[0]
            return ClosedWay(
                container,
                refusal.line,
                refusal.path,
                folder,
                status,
                program=first.program,
                uid=first.user.uid,
                bit=f"{_class(status, first.user)}+x",
                is_below_site=is_below_site(refusal.line, refusal.path, folder),
                mount=mount,
            )
    return None


def _is_meant(mount: Mount | None, folder: str) -> bool:
    """Whether a folder is closed on purpose, or other checks say that it is closed.

    Exporters and log readers have folders of the host mounted, and pass over what is closed there.
    """
    if mount is None:
        return _OF_SYSTEM.match(folder) is not None
    is_itself = mount.destination.rstrip("/") == folder
    return is_itself or not mount.rw or _OF_HOST.match(mount.on_host(folder)) is not None


def _class(status: PathStatus, user: HostUser) -> str:
    """The permission class of a user for a file, as chmod writes it: u, g or o."""
    if user.uid == status.uid:
        return "u"
    return "g" if status.gid in user.gids else "o"
