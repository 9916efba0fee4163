"""Users to whom the programs of containers change, and their rights below a mount.

A container that starts as root is refused nothing by owner and mode. A refusal in its log is then
about another user, to whom its start script or its server changes: Apache's and PHP's workers, a
database, a broker. A running container shows that user by its processes. For an ended one, PUID and
PGID name it, or the image's list of users has a user with the program's name.
"""

import posixpath
import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.file_access import (
    Denied,
    HostUser,
    access,
    host_user,
    is_id,
)
from diagnose.evidence.containers.mounts.access.program_users import (
    ProgramUser,
    program_users,
    user_without_groups,
)
from diagnose.evidence.containers.mounts.bind_mounts import (
    BindSources,
    NamedPath,
    is_shallow,
    refused_in,
    refused_path,
)
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

LEAST = 2
"""Minimum number of refusals in the recent lines that show that a running program is still refused.
"""
MOST = 20
"""Containers whose list of users is read."""
BYTES = 64 * 1024
_VARIABLES = (("PUID", "PGID"), ("USER_ID", "GROUP_ID"), ("USERMAP_UID", "USERMAP_GID"))
"""The variables by which images learn the user to which they change: LinuxServer's, jlesage's,
Paperless'."""


class DroppedUser(msgspec.Struct, frozen=True):
    """A path that such a user is denied, by the log."""

    container: Container
    named: NamedPath
    denied: Denied
    program: str = ""
    """The name of a process of that user, "" where the container does not run."""
    times: int = 0
    """Refusals among the recent lines of a running container, of which there are `of`."""
    of: int = 0


class DroppedUsers(Items[DroppedUser], frozen=True):
    """The programs that are refused a path after a change of user, one for each container."""


class _UserRefusal(msgspec.Struct, frozen=True):
    """A refusal, and the users to whom it may apply."""

    container: Container
    named: NamedPath
    users: tuple[ProgramUser, ...]
    times: int = 0
    of: int = 0


@evidence
def dropped_users(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    recent_logs: RecentLogs | None,
    processes: Processes | None,
    info: Info | None,
) -> DroppedUsers:
    """The users of programs that are refused a path, with owner and mode of the path.

    All paths take two questions, and each container or user one file.
    """
    cases = [
        *_refusals_of_running(host, containers, recent_logs, processes),
        *_refusals_of_ended(host, containers, log_tails),
    ]
    cases = [case for case in cases if _begins_as_root(case.container, info)]
    if not cases:
        return DroppedUsers(())
    tops = host.ask(StatPaths(sorted({case.named.mount.source for case in cases}), follow=True))
    steps = sorted({step for case in cases for step in case.named.on_host[1:]})
    below = host.ask(StatPaths(steps, follow=False))
    if isinstance(tops, Failed) or isinstance(below, Failed):
        return DroppedUsers(())
    sources = BindSources(tops, below)
    dropped = (_denied_user(case, sources) for case in cases)
    return DroppedUsers(tuple(user for user in dropped if user is not None))


def _begins_as_root(container: Container, info: Info | None) -> bool:
    """Whether a container's first user is root of the host: owner and mode mean nothing to it."""
    is_root = container.config.starts_as_root
    return is_root and host_user(container, info, None) is None


def _denied_user(case: _UserRefusal, sources: BindSources) -> DroppedUser | None:
    """The first of the users whom owner and mode deny the access in the log."""
    for owner in case.users:
        outcome = access(case.named, sources, owner.user)
        if isinstance(outcome, Denied):
            return DroppedUser(
                case.container,
                named=case.named,
                denied=outcome,
                program=owner.program,
                times=case.times,
                of=case.of,
            )
    return None


def _refusals_of_running(
    host: Host, containers: Containers, recent_logs: RecentLogs | None, processes: Processes | None
) -> list[_UserRefusal]:
    """Running containers that are refused again and again, with the users of their processes."""
    if recent_logs is None or processes is None:
        return []
    cases = []
    for container in containers.running:
        lines = recent_logs.texts_of(container)
        refused = refused_in(container, LogTail(lines)) if lines else None
        if refused is None or not _may_be_looked_at(refused):
            continue
        times = sum(_refuses(container, line, refused.path_inside) for line in lines)
        users = program_users(host, processes.inside(container.id)) if times >= LEAST else ()
        if users:
            cases.append(_UserRefusal(container, refused, users, times, len(lines)))
    return cases


def _refuses(container: Container, line: str, inside: str) -> bool:
    """Whether a line reports that this path is refused, and does not merely name it."""
    return inside in line and refused_in(container, LogTail((line,))) is not None


def _refusals_of_ended(
    host: Host, containers: Containers, log_tails: LogTails
) -> list[_UserRefusal]:
    """Containers that failed, with the user in their variables or their image."""
    refusals: list[tuple[Container, NamedPath]] = []
    for container in containers:
        refused = None if container.is_running else refused_path(container, log_tails)
        if refused is not None and _may_be_looked_at(refused):
            refusals.append((container, refused))
    user_of = {container.id: named_by_variables(container) for container, _ in refusals}
    unknown = host.first(
        [container for container, _ in refusals if user_of[container.id] is None],
        MOST,
        "users of containers that failed",
    )
    answers = host.ask_about(
        unknown, lambda container: ReadContainerFile(container.id, USERS_FILE, bytes=BYTES)
    )
    for container, answer in answers:
        if not isinstance(answer, Failed):
            user_of[container.id] = _user_named_like_program(container, answer.text)
    with_users: list[_UserRefusal] = []
    for container, refused in refusals:
        user = user_of[container.id]
        if user is not None:
            with_users.append(_UserRefusal(container, refused, (ProgramUser("", user),)))
    return with_users


def named_by_variables(container: Container) -> HostUser | None:
    """The user of PUID and PGID, or of variables like these."""
    variables = dict(container.config.environment)
    for user, group in _VARIABLES:
        uid = _number(variables.get(user, ""))
        gid = _number(variables.get(group, ""))
        if uid:
            return user_without_groups(f"{uid}, as {user} says", uid, gid)
    return None


def _user_named_like_program(container: Container, users: str) -> HostUser | None:
    """The only user of an image with the name of its program; or None."""
    image = re.split(r"[/:@]", container.config.image)
    words = {
        re.sub(r"\.\w+$", "", posixpath.basename(word))
        for word in (*container.command, *container.config.words)
    }
    names = {word.lower() for word in (*image, *words) if word}
    alike = [entry for entry in user_entries(users) if entry.uid and entry.name.lower() in names]
    entry = only(alike)
    if entry is None:
        return None
    return user_without_groups(f"{entry.name} ({entry.uid}:{entry.gid})", entry.uid, entry.gid)


def _number(text: str) -> int | None:
    """The number of a user or a group as a container writes it; None for another text."""
    return int(text) if is_id(text) else None


def _may_be_looked_at(refused: NamedPath) -> bool:
    return refused.mount.rw and refused.mount.has_host_path and is_shallow(refused)
