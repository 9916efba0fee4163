"""Files that programs look for in their home directory, and that lie in another user's one.

An image is built as root, whose tools put browsers, models and settings below /root; the program
runs with another HOME.
"""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.missing_files import ABSENCE
from diagnose.evidence.containers.user_numbers import BYTES, UserNumbers, user_of
from diagnose.evidence.items import Items
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ContainerFile, ReadContainerFile
from diagnose.registry import evidence

MOST = 8
"""Containers that are looked into."""
MOST_HOMES = 4
_PATH = LazyPattern(r"(?<![\w./])/[\w.@+-]{1,100}(?:/[\w.@+-]{1,100}){1,14}")
_NO_HOME = frozenset({"", "/", "/bin", "/dev", "/nonexistent", "/sbin", "/usr/sbin"})
"""Values that users of a system have in the place of a home directory."""
_ROOT = "/root"


class OtherHome(msgspec.Struct, frozen=True):
    """A missing file below one home directory that exists below another one."""

    container: Container
    line: str
    missed: str
    path: str
    """The path of the directory."""
    home: str
    """The home directory that the program has."""
    other: str
    """The one where the file is."""
    is_open: bool
    """Whether the container's user may enter that home directory."""


class OtherHomes(Items[OtherHome], frozen=True):
    """The files in other homes, at most one for each container."""


@evidence
def other_homes(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    repeated_errors: RepeatedErrors | None,
    numbers: UserNumbers | None,
) -> OtherHomes:
    """The files that programs miss in one home directory and that exist in another one.

    A few questions for each container whose log misses a file by its path. The engine reads the
    paths, and the container need not run.
    """
    repeated = {error.container.id: error.lines for error in repeated_errors or ()}
    homes: list[OtherHome] = []
    for container in containers:
        lines = repeated.get(container.id) or log_tails.of(container).lines
        missed = dict(_missed_paths(lines))
        if missed:
            user = user_of(container, numbers)
            homes.extend(_other_home(host, container, user, missed))
        if len(homes) >= MOST:
            break
    return OtherHomes(tuple(homes))


def _missed_paths(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each path that a line misses, with the line."""
    for line in lines:
        if ABSENCE.search(line):
            yield from ((path.rstrip("."), line.strip()) for path in _PATH.findall(line))


def _other_home(
    host: Host, container: Container, user: str, missed: dict[str, str]
) -> Iterator[OtherHome]:
    """The first of these files that another home has, if the program's own one lacks it."""
    homes = _homes(host, container)
    uid, _, gid = user.partition(":")
    of_user = homes.get(uid or "0") or homes.get("root", "/")
    own_home = container.config.value_of("HOME") or of_user
    below = own_home.rstrip("/")
    other_folders = sorted({*homes.values(), _ROOT} - _NO_HOME - {own_home})[:MOST_HOMES]
    for missing, line in missed.items():
        if not missing.startswith(f"{below}/"):
            continue
        rest = missing.removeprefix(below)
        paths = [
            (other_home, f"{other_home}{rest}")
            for other_home in other_folders
            if not missing.startswith(other_home)
        ]
        existing_pair = next((pair for pair in paths if _file(host, container, pair[1])), None)
        if existing_pair is None or not _is_gone(host, container, missing):
            continue
        other_home, path = existing_pair
        is_open = may_enter(_file(host, container, other_home), uid or "0", gid)
        yield OtherHome(
            container,
            line,
            missed=missing,
            path=path,
            home=own_home,
            other=other_home,
            is_open=is_open,
        )
        return


def _homes(host: Host, container: Container) -> dict[str, str]:
    """Home directories by the name and by the number of their user."""
    users = host.ask(ReadContainerFile(container.id, USERS_FILE, bytes=BYTES))
    if isinstance(users, Failed):
        return {}
    homes: dict[str, str] = {}
    for user in user_entries(users.text):
        homes |= {user.name: user.home, str(user.uid): user.home}
    return homes


def _file(host: Host, container: Container, path: str) -> ContainerFile | None:
    answer = host.ask(ReadContainerFile(container.id, path, bytes=0))
    return None if isinstance(answer, Failed) else answer


def _is_gone(host: Host, container: Container, path: str) -> bool:
    answer = host.ask(ReadContainerFile(container.id, path, bytes=0))
    return isinstance(answer, Failed) and answer.reason == "gone"


def may_enter(folder: ContainerFile | None, uid: str, gid: str) -> bool:
    """Whether owner and mode let a user list and enter a folder."""
    if folder is None or folder.mode is None:
        return False
    if uid in ("0", "root"):
        return True
    if uid == str(folder.uid):
        return folder.mode & 0o500 == 0o500
    shift = 0o050 if gid and gid == str(folder.gid) else 0o005
    return folder.mode & shift == shift
