"""Rights of a container's user on host files that are mounted into it.

Owner, mode, groups, remapped users.
"""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, NamedPath, PathStatus
from diagnose.evidence.containers.user_numbers import UserNumbers, user_of
from diagnose.evidence.engine.info import Info
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable

IDS = 65536
"""Number of subordinate ids that the engine gives to containers where it remaps users (useradd's
default)."""
READ = 4
WRITE = 2
ENTER = 1
_ID = LazyPattern(r"[0-9]{1,10}")
_OFFSET = LazyPattern(r"/(\d+)\.(\d+)/?$")
"""The end of the data root where users are remapped: the first ids."""
_OWNS = LazyPattern(
    r"chown|chmod|chgrp|owner|chang\w{1,9} (?:group|mode|permission)|permissions of", re.IGNORECASE
)
_MAKES = LazyPattern(
    r"creat|mkdir|touch|writ|append|truncat|O_WRONLY|O_RDWR|\bsav(?:e|ing)\b|lock file"
    r"|obtain (?:node )?lock|open (?:the )?database file|readonly database|SQLITE_",
    re.IGNORECASE,
)
"""The program wanted to write, and not only to read."""
_MOVES = LazyPattern(r"remov|renam|unlink|delet|\brm: |\bmv: |rmdir", re.IGNORECASE)
_READS = LazyPattern(
    r"can(?:'t|not) open|\bread|\blist|scandir|\bload|O_RDONLY|\bl?stat\b|_l?stat\b", re.IGNORECASE
)
_OPENS = LazyPattern(r"\bopen|Errno 13", re.IGNORECASE)
_ENTERS = LazyPattern(r"\bcd\b|chdir", re.IGNORECASE)


class HostUser(msgspec.Struct, frozen=True):
    """A container's user, with the numbers that the host sees."""

    label: str
    """The user as findings name it."""
    owner: str = ""
    """The user as `chown` takes it."""
    uid: int = 0
    gids: frozenset[int] = frozenset()
    first: tuple[int, int] = (0, 0)
    """The ids on the host that are root's in the container."""
    maybe_in: str = ""
    """The reason why the user may be in more groups than `gids`."""
    unknown: str = ""
    """The reason why none of this is known."""

    def rules(self, source: PathStatus) -> bool:
        """Whether no mode applies, because this is the container's root.

        Root may touch files of all of the container's users.
        """
        first_uid, first_gid = self.first
        owned_inside = source.uid - first_uid in range(IDS) and source.gid - first_gid in range(IDS)
        return self.uid == first_uid and owned_inside

    def may(self, source: PathStatus, rights: int) -> bool | None:
        """Whether the mode allows it.

        None where that depends on groups that only the image knows.
        """
        if self.rules(source) or source.lets(self.uid, self.gids, rights):
            return True
        joined = (
            self.maybe_in
            and source.gid >= self.first[1]
            and source.lets(self.uid, self.gids | {source.gid}, rights)
        )
        return None if joined else False


class Denied(msgspec.Struct, frozen=True):
    """An action that the user cannot do, and the host path that denies it."""

    what: str
    path: str
    path_inside: str
    """The path in the container."""
    source: PathStatus
    user: HostUser

    @property
    def evidence(self) -> dict[str, str]:
        """The owner of the path, and its mode."""
        return {f"owner and mode of {self.path}": f"{self.source.owner} {self.source.permissions}"}

    def why(self, who: str) -> str:
        """The reason for the denial, in words. who: such as "user is", before the user's number."""
        return (
            f"its {who} {self.user.label}, and the path belongs to {self.source.owner} "
            f"with mode {self.source.permissions}"
        )


class Undecided(msgspec.Struct, frozen=True):
    """The access of a user is not known, and why."""

    why: str


def is_id(text: str) -> bool:
    """Whether a user or a group is given by its number. The text may be a container's own."""
    return _ID.fullmatch(text) is not None


def host_user(
    container: Container, info: Info | None, numbers: UserNumbers | None
) -> HostUser | None:
    """The container's user on the host.

    None where owner and mode do not decide: for root, and for a name whose number is not known.
    """
    user_and_group = user_of(container, numbers)
    user, _, group = user_and_group.partition(":")
    if user in ("", "root"):
        user = "0"
    if not is_id(user):
        return None
    label = _label(container, user_and_group)
    remapping = _with_remapping(container, info)
    if remapping is None:
        is_root = int(user) == 0
        return None if is_root else _user_on_host(container, label, int(user), group, (0, 0))
    first = _first_ids(remapping)
    if first is None:
        unknown = "which users of the host the engine takes for those of containers is not known"
        return HostUser(label, unknown=unknown)
    remapped = f"{label} ({first[0] + int(user)} on the host)"
    return _user_on_host(container, remapped, int(user), group, first)


def _user_on_host(
    container: Container, label: str, user: int, group: str, first: tuple[int, int]
) -> HostUser:
    """A user and a group of the container. first: the ids on the host that are root's inside."""
    first_uid, first_gid = first
    groups = (group or "0", *(container.host_config.group_add or []))
    gids = frozenset(first_gid + int(gid) for gid in groups if is_id(gid))
    uid = first_uid + user
    owner = _owner(uid, group or "0", first_gid)
    return HostUser(
        label, owner=owner, uid=uid, gids=gids, first=first, maybe_in=_maybe_in(group, groups)
    )


def _label(container: Container, user_and_group: str) -> str:
    """The user as the configuration names it, with the number that its image gives to that name."""
    configured = container.config.user
    if user_and_group == configured:
        return configured or "root"
    return f"{configured or 'root'} ({user_and_group})"


def _owner(uid: int, group: str, first_gid: int) -> str:
    """The owner as `chown` takes it; without the group where its number is not known."""
    return f"{uid}:{first_gid + int(group)}" if is_id(group) else str(uid)


def _with_remapping(container: Container, info: Info | None) -> Info | None:
    """The engine, where it gives the container's users other ids on the host."""
    if info is None or container.host_config.userns_mode == "host":
        return None
    return info if info.has_userns_remap or info.is_rootless else None


def _first_ids(info: Info) -> tuple[int, int] | None:
    """The user and the group of the host that root of a container is.

    None where the data root's name does not say.
    """
    offset = _OFFSET.search(info.docker_root_dir)
    return (int(offset[1]), int(offset[2])) if offset else None


def _maybe_in(group: str, groups: Sequence[str]) -> str:
    """Groups in which the user may be, as only its image knows."""
    by_name = [name for name in groups if not is_id(name)]
    if by_name:
        return f"the members of group {', '.join(by_name)} are known only to its image"
    return "" if group else "the groups of its user are known only to its image"


class _Attempt(msgspec.Struct, frozen=True):
    """The attempt of a program at a path below a mount, by its log line."""

    named: NamedPath
    user: HostUser

    @property
    def words(self) -> str:
        """The line without the path."""
        return self.named.line.replace(self.named.path_inside, " ")

    @property
    def changes_owner(self) -> bool:
        return "operation not permitted" in self.words.lower()

    @property
    def makes(self) -> bool:
        """Whether the attempt writes, or creates something new."""
        return self.named.mount.rw and bool(_MAKES.search(self.words))

    @property
    def moves(self) -> bool:
        """Whether it removes or renames an entry of a folder below the mount."""
        moves = bool(_MOVES.search(self.words)) and not self.changes_owner
        return self.named.mount.rw and moves and bool(self.named.rest)

    @property
    def names_use(self) -> bool:
        """Whether the line names the use of the file."""
        patterns = (_MAKES, _READS, _OPENS)
        return self.changes_owner or any(pattern.search(self.words) for pattern in patterns)


class _Try(msgspec.Struct, frozen=True):
    """A use of a path, and the permission bits that it takes."""

    what: str
    """The use as a verb, such as "write to"."""
    wanted: int
    """0: no mode permits it."""


_CLOSED = _Try("enter", ENTER)


class _Goal(msgspec.Struct, frozen=True):
    """The last step that counts."""

    depth: int
    """Steps below the mount."""
    is_folder_of_entry: bool = False
    """Whether it is the folder in which an entry was created or removed."""


def access(
    place: NamedPath, sources: BindSources | Unavailable, user: HostUser | None
) -> Denied | Undecided | None:
    """The path and mode that deny the user what a log line names, below a mount.

    None where owner and mode do not explain the line.
    """
    if user is None:
        return None
    if user.unknown or isinstance(sources, Unavailable):
        return Undecided(f"{place.mount.source}: {user.unknown or sources}")
    attempt = _Attempt(place, user)
    if attempt.changes_owner and not _OWNS.search(attempt.words):
        return None  # the kernel never returns that because of a mode
    steps = place.on_host
    statuses = [sources.by_path.get(steps[0]), *(sources.below.get(step) for step in steps[1:])]
    goal = _goal(attempt, statuses)
    if isinstance(goal, Undecided):
        return goal
    return _first_obstacle(attempt, statuses, goal)


def _goal(attempt: _Attempt, statuses: Sequence[PathStatus | None]) -> _Goal | Undecided:
    """The step up to which modes matter, and whether its folder is changed."""
    place = attempt.named
    missing = _missing_entry(statuses)
    if missing is not None:
        explains_missing = place.whole or attempt.makes
        if attempt.changes_owner or not explains_missing:
            return Undecided(f"{place.on_host[missing]}: it is not there")
        return _Goal(missing - 1, is_folder_of_entry=True)
    if attempt.moves:
        return _Goal(len(place.rest) - 1, is_folder_of_entry=True)
    return _Goal(len(place.rest))


def _first_obstacle(
    attempt: _Attempt, statuses: Sequence[PathStatus | None], goal: _Goal
) -> Denied | Undecided | None:
    """The first step on the way that the user is denied, or that is not known."""
    place = attempt.named
    user = attempt.user
    steps = place.on_host[: goal.depth + 1]
    for depth, (step, source) in enumerate(zip(steps, statuses, strict=False)):
        if source is None or source.failed or source.type == "link":
            return _why_unseen(step, source)
        tries = [_Try("enter", ENTER)]
        if depth == goal.depth:
            tries = _tries_at_the_goal(attempt, source, goal)
        inside = "/".join((place.mount.destination, *place.rest[:depth]))
        denied = _first_denied(tries, step, inside, source, user)
        if denied is not None:
            return denied
    if goal.is_folder_of_entry:
        return None
    return _why_undecided(attempt, steps[-1], statuses[goal.depth])


def _why_unseen(step: str, source: PathStatus | None) -> Undecided | None:
    why = unseen(step, source)
    return Undecided(why) if why else None


def _missing_entry(statuses: Sequence[PathStatus | None]) -> int | None:
    """The depth of the first step that is not there."""
    for depth, source in enumerate(statuses):
        if depth and source is not None and source.failed == "missing":
            return depth
    return None


def _tries_at_the_goal(attempt: _Attempt, source: PathStatus, goal: _Goal) -> list[_Try]:
    if attempt.changes_owner:
        user = attempt.user
        if source.uid == user.uid or user.rules(source):
            return []
        return [_Try("change the owner or mode of", 0)]
    if goal.is_folder_of_entry:
        only_looks = bool(_READS.search(attempt.words)) and not (attempt.makes or attempt.moves)
        is_closed = only_looks or not attempt.named.mount.rw
        return [_CLOSED if is_closed else _Try("create or remove files in", WRITE | ENTER)]
    return _accesses_tried(attempt, source)


def _first_denied(
    tries: Sequence[_Try], step: str, inside: str, source: PathStatus, user: HostUser
) -> Denied | Undecided | None:
    """The first of these rights that the user does not have, or that cannot be decided."""
    for attempt in tries:
        may = bool(attempt.wanted) and user.may(source, attempt.wanted)
        if may is None:
            return Undecided(f"{step}: {user.maybe_in}")
        if not may:
            return Denied(attempt.what, step, inside, source, user)
    return None


def _why_undecided(attempt: _Attempt, path: str, last: PathStatus | None) -> Undecided | None:
    """A file that may be read and not written.

    The line does not say which of the two was tried.
    """
    if attempt.names_use or not attempt.named.mount.rw:
        return None
    if last is None or last.type != "file" or attempt.user.may(last, WRITE):
        return None
    return Undecided(f"{path}: the log does not say whether it was to be written or executed")


def unseen(path: str, source: PathStatus | None) -> str:
    """The reason why nothing is known about a path; "" for one that was looked at or is missing."""
    if source is None:
        return f"{path}: it was not looked up"
    if source.type == "link":
        return f"{path}: it is a link, which leads elsewhere in the container"
    return f"{path}: {source.failed}" if source.failed not in ("", "missing") else ""


def _accesses_tried(attempt: _Attempt, source: PathStatus) -> list[_Try]:
    """The uses of the named path itself that fit the words of the line."""
    if source.type == "socket":
        return [_Try("connect to", WRITE)]
    if source.type == "folder":
        return [_try_at_folder(attempt)]
    if attempt.makes:
        return [_Try("write to", WRITE)]
    words = attempt.words
    may_be_written = attempt.named.mount.rw and _OPENS.search(words) and not _READS.search(words)
    reads = [_Try("read", READ)]
    return [*reads, _Try("write to", WRITE)] if may_be_written else reads


def _try_at_folder(attempt: _Attempt) -> _Try:
    if attempt.makes:
        return _Try("write to", WRITE | ENTER)
    if _ENTERS.search(attempt.words):
        return _Try("enter", ENTER)
    return _Try("list", READ | ENTER)
