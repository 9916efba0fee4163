"""Folders that keep a running program from a path which its log says it was refused.

The last folder of the path is fine as a rule, and the one above it lets nobody but root pass: the
owner and the mode of the path itself show nothing.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RECENT_S, RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.file_paths import is_below
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, ReadFile, StatPaths
from diagnose.registry import evidence

MOST = 20
"""Containers whose paths are looked at."""
_MOST_USERS = 4
_REFUSED = LazyPattern(r"(?i)permission denied|\bEACCES\b|access (?:is |was )?denied")
_PATH = LazyPattern(r"(?<![\w.:/~-])(?P<path>/[\w.@+-]{1,120}(?:/[\w.@+-]{1,120}){1,15})")
_ASKED = LazyPattern(
    r"(?i)(?:\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|PROPFIND)\b[ \"']{0,3}|\bur[il]\b[\"' :=]{0,4})$"
)
"""What stands before the path of an address that a visitor asks for: it need not be a file."""
_REQUEST = LazyPattern(r"\brequest: \"[A-Z]{3,10} (?P<path>/[^\s?\"]{0,500})")
_OF_KERNEL = LazyPattern(r"/(?:dev|proc|sys)/")
_OF_SYSTEM = LazyPattern(r"/(?:boot|proc|root|sys)(?:/|$)")
_OF_HOST = LazyPattern(
    r"/(?:boot|dev|etc|lib|proc|root|run|sys|usr|var/(?:cache|lib/(?:containerd|docker|kubelet)|log|run"
    r"|spool))(?:/|$)"
)
"""Folders of a system that are closed to others than root on purpose."""
_GROUPS = LazyPattern(r"(?m)^(?:Gid|Groups):(?P<ids>[\d \t]{0,2000})$")
_RIGHTS = LazyPattern(r"(?m)^CapEff:[ \t]{0,9}(?P<bits>[0-9a-f]{1,32})$")
_PASSES_MODES = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
_ENTER = 1


class ClosedWay(msgspec.Struct, frozen=True):
    """A folder that a program may not pass, on the way to what it asks for."""

    container: Container
    line: str
    path: str
    """What the line names."""
    folder: str
    """The folder, as the container calls it."""
    status: PathStatus
    program: str
    """The name of the process."""
    uid: int
    """Of the process, on the host."""
    bit: str
    """What chmod sets to let it pass: o+x."""
    is_below_site: bool = False
    """Whether only a visitor asks for it: the folder lies below the pages that a server serves."""
    mount: Mount | None = None
    """What holds the folder; None for the container's own layer."""

    @property
    def on_host(self) -> str:
        """The folder on the host; "" in the container's own layer."""
        return self.mount.on_host(self.folder) if self.mount is not None else ""


class ClosedWays(Items[ClosedWay], frozen=True):
    """At most one of each container."""


@evidence
def closed_ways(
    host: Host, containers: Containers, recent_logs: RecentLogs, processes: Processes, clock: Clock
) -> ClosedWays:
    """Asked only where a running program says that it was refused a path.

    The folders of the path are looked at inside the container, and the users of its processes in
    /proc. A path with a link in it is left out.
    """
    refusals = []
    for container in containers.running:
        lines = recent_logs.repeated(container, _is_refusal, clock, 1, RECENT_S)
        named = next(filter(None, (_named_path(line.text) for line in reversed(lines))), "")
        if named:
            said = next(line.text for line in reversed(lines) if named in line.text)
            refusals.append(_Refusal(container, said, named))
    found = []
    for refusal in host.first(refusals, MOST, "programs that were refused a path"):
        way = _closed_way(host, refusal, processes.inside(refusal.container.id))
        if way is not None:
            found.append(way)
    return ClosedWays(tuple(found))


class _Refusal(msgspec.Struct, frozen=True):
    container: Container
    line: str
    path: str


class _User(msgspec.Struct, frozen=True):
    """The user of a process, by its numbers on the host."""

    program: str
    uid: int
    gids: frozenset[int]


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
    """Whether a folder lies below the one with the pages, by the request that the line names."""
    asked = _REQUEST.search(line)
    if asked is None or not path.endswith(asked["path"]):
        return False
    return is_below(folder, path.removesuffix(asked["path"]))


def _closed_way(host: Host, refusal: _Refusal, own: Sequence[Process]) -> ClosedWay | None:
    """The first folder above the path that each user of the container's programs may not pass."""
    container, root = refusal.container, f"/proc/{refusal.container.state.pid}/root"
    parts = refusal.path.strip("/").split("/")
    folders = ["/" + "/".join(parts[:depth]) for depth in range(1, len(parts))]
    statuses = host.answer_or(StatPaths([f"{root}{path}" for path in folders], follow=False), {})
    users = list(_users(host, own))
    if not users:
        return None
    for folder in folders:
        status = statuses.get(f"{root}{folder}")
        if status is None or status.type != "folder" or not status.mode & 0o777:
            return None  # without any bit, an access list decides, as on a Synology
        if all(not status.lets(user.uid, user.gids, _ENTER) for user in users):
            mount = innermost_mount(container.mounts, folder)
            if _is_meant(mount, folder):
                return None
            return ClosedWay(
                container,
                refusal.line,
                refusal.path,
                folder,
                status,
                program=users[0].program,
                uid=users[0].uid,
                bit=f"{_class(status, users[0])}+x",
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


def _class(status: PathStatus, user: _User) -> str:
    """Whose bits of a mode count for a user: u, g or o."""
    if user.uid == status.uid:
        return "u"
    return "g" if status.gid in user.gids else "o"


def _users(host: Host, own: Sequence[Process]) -> Iterator[_User]:
    """The users of a container's processes; none where one of them passes all modes.

    Those of root only watch over the others as a rule, where there are others.
    """
    by_uid = {process.uid: process for process in own if process.uid}
    for process in list(by_uid.values())[:_MOST_USERS]:
        status = host.ask(ReadFile(f"/proc/{process.pid}/status", max_bytes=4096))
        if isinstance(status, Failed):
            continue
        rights = _RIGHTS.search(status.text)
        if rights is None or int(rights["bits"], 16) & _PASSES_MODES:
            continue
        gids = [int(id) for row in _GROUPS.finditer(status.text) for id in row["ids"].split()]
        yield _User(process.comm, process.uid or 0, frozenset(gids))
