"""Users of the programs that run in a container, and the way to a path as these see it."""

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.file_access import HostUser
from diagnose.evidence.machine.processes import Process
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, ReadFile, StatPaths

_MOST_USERS = 4
"""Users of one container whose groups are read."""
_GROUPS = LazyPattern(r"(?m)^(?:Gid|Groups):(?P<ids>[\d \t]{0,2000})$")
_RIGHTS = LazyPattern(r"(?m)^CapEff:[ \t]{0,9}(?P<bits>[0-9a-f]{1,32})$")
_PASSES_MODES = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


class ProgramUser(msgspec.Struct, frozen=True):
    """A user of the host to whom a program of a container belongs."""

    program: str
    """The name of a process of that user, "" where the container does not run."""
    user: HostUser


def none_may(users: Iterable[ProgramUser], status: PathStatus, rights: int) -> bool:
    """Whether each of the users is known to be denied this use of a file or folder."""
    return not status.failed and all(owner.user.may(status, rights) is False for owner in users)


def program_users(host: Host, processes: Iterable[Process]) -> tuple[ProgramUser, ...]:
    """The users of a container's processes that modes may stop, with their groups.

    The user with the most processes comes first. Root is left out, which usually only watches over
    the others, and so is a user who passes all modes by a capability.
    """
    user_processes = [process for process in sorted(processes, key=_start) if process.uid]
    first = {process.uid: process for process in reversed(user_processes)}
    most = Counter(process.uid for process in user_processes).most_common(_MOST_USERS)
    users = (_program_user(host, first[uid]) for uid, _ in most)
    return tuple(user for user in users if user is not None)


def _start(process: Process) -> float:
    return process.start


def _program_user(host: Host, process: Process) -> ProgramUser | None:
    """The user of one process; None where a capability lets it pass all modes."""
    uid = process.uid or 0
    status = host.ask(ReadFile(f"/proc/{process.pid}/status", max_bytes=4096))
    if isinstance(status, Failed):
        return ProgramUser(process.comm, user_without_groups(f"user {uid}", uid))
    rights = _RIGHTS.search(status.text)
    if rights is not None and int(rights["bits"], 16) & _PASSES_MODES:
        return None
    gids = frozenset(int(id) for row in _GROUPS.finditer(status.text) for id in row["ids"].split())
    return ProgramUser(process.comm, HostUser(f"user {uid}", str(uid), uid, gids))


def user_without_groups(label: str, uid: int, gid: int | None = None) -> HostUser:
    """A user other than root, of whose groups at most the first one is known."""
    owner = str(uid) if gid is None else f"{uid}:{gid}"
    gids = frozenset() if gid is None else frozenset([gid])
    return HostUser(label, owner, uid, gids, maybe_in="its groups are known only to its image")


def way_inside(host: Host, container: Container, path: str) -> Mapping[str, PathStatus]:
    """The stat of each folder on the way to a path, the topmost first, and of the path.

    The paths are those that the container's first process sees; a link is not followed. Empty where
    nobody could look.
    """
    steps = [path]
    while (folder := posixpath.dirname(steps[0])) != "/":
        steps.insert(0, folder)
    root = f"/proc/{container.state.pid}/root"
    statuses = host.ask(StatPaths([root + step for step in steps], follow=False))
    return {} if isinstance(statuses, Failed) else {step: statuses[root + step] for step in steps}
