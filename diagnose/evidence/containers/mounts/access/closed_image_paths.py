"""Files and folders of images that a strict umask at their build has closed to others than root."""

import posixpath
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.denied_image_paths import (
    DeniedImagePath,
    denied_image_path,
)
from diagnose.evidence.containers.programs.program_files import path_folders
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
_ALTERNATIVES = "/etc/alternatives"
_COMMAND = LazyPattern(
    r"(?:^|: )(?:exec: )?(?:line \d{1,5}: |\d{1,5}: )?(?:exec: )?"
    r"(?P<name>[A-Za-z][\w.+-]{0,60}): [Pp]ermission denied$"
)
"""Errors of shells about a program that is not in the folders of PATH."""
_NO_PROGRAMS = frozenset({"cp", "ls", "mkdir", "open", "stat", "touch"})
"""Words that stand there in errors of another form."""


class ClosedImagePath(msgspec.Struct, frozen=True):
    """A path of the image, owned by root, that is closed to the container's user."""

    container: Container
    line: str
    asked: str
    """The path or the program that the log names."""
    path: str
    """The folder or file that is closed, at the path or on the way to it."""
    is_folder: bool
    mode: str
    """Its permission bits, such as 770."""


class ClosedImagePaths(Items[ClosedImagePath], frozen=True):
    """The closed image paths, at most one for each container."""


@evidence
def closed_image_paths(
    host: Host, containers: Containers, log_tails: LogTails, numbers: UserNumbers | None
) -> ClosedImagePaths:
    """The closed image paths of failed containers that were denied a path which no mount holds."""
    paths = []
    for container in containers:
        if container.is_running and not container.restart_count:
            continue
        denied = _denied_path(host, container, log_tails.of(container))
        closed = _closed_place(host, container, denied.path) if denied is not None else None
        if denied is not None and closed is not None:
            file = closed.file
            if _lets_group_in(file) and _is_in_group_of_root(host, container, numbers):
                continue
            is_folder = file.type == "directory"
            mode = f"{file.mode or 0:o}"
            paths.append(
                ClosedImagePath(
                    container,
                    denied.line,
                    asked=denied.path,
                    path=closed.path,
                    is_folder=is_folder,
                    mode=mode,
                )
            )
        if len(paths) >= MOST:
            break
    return ClosedImagePaths(tuple(paths))


class _Place(msgspec.Struct, frozen=True):
    """A place on the way to a path of an image: a closed folder or file, or a link."""

    path: str
    file: ContainerFile
    below: Sequence[str]
    """The parts of the path that follow."""

    @property
    def leads_to(self) -> str:
        """The path behind a link; "" for another entry."""
        target = self.file.link_target
        return posixpath.join(posixpath.dirname(self.path), target, *self.below) if target else ""


def _denied_path(host: Host, container: Container, tail: LogTail) -> DeniedImagePath | None:
    """The path in the image that a line of the log names; a program's name is looked up."""
    for line in tail.find_all("permission denied"):
        match = _COMMAND.search(line)
        if match is None or match["name"] in _NO_PROGRAMS:
            continue
        for folder in path_folders(container):
            place = f"{folder}/{match['name']}"
            file = host.ask(ReadContainerFile(container.id, place, bytes=0))
            if not isinstance(file, Failed):
                return DeniedImagePath(place, line)
    return denied_image_path(container, tail)


def _closed_place(host: Host, container: Container, path: str) -> _Place | None:
    """The first folder or file, owned by root and closed to others, on the way to an image path.

    The engine names only the end of a chain of links. Links between are looked up where Debian and
    Red Hat keep the choice among programs of one name.
    """
    for alternative in (path, f"{_ALTERNATIVES}/{posixpath.basename(path)}"):
        place = _first_place(host, container, alternative)
        if place is None or not place.leads_to:
            return place
        place_behind = _first_place(host, container, place.leads_to)
        if place_behind is not None and not place_behind.leads_to:
            return place_behind
    return None


def _first_place(host: Host, container: Container, path: str) -> _Place | None:
    """The first place on the way to a path that is a link, or root's and closed to others.

    None where a mount comes first, or what cannot be looked at.
    """
    parts = path.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        place = "/" + "/".join(parts[:depth])
        is_mounted = any(mount.holds(place) for mount in container.mounts)
        file = host.ask(ReadContainerFile(container.id, place, bytes=0))
        if is_mounted or isinstance(file, Failed):
            return None
        if file.link_target or _keeps_out(file):
            return _Place(place, file, parts[depth:])
    return None


def _keeps_out(file: ContainerFile) -> bool:
    """Whether a path is root's, and open at most to its group."""
    if file.uid != 0 or file.gid != 0 or file.mode is None:
        return False
    needed = 0o001 if file.type == "directory" else 0o004
    return file.type in ("directory", "file") and not file.mode & needed


def _lets_group_in(file: ContainerFile) -> bool:
    needed = 0o010 if file.type == "directory" else 0o040
    return bool((file.mode or 0) & needed)


def _is_in_group_of_root(host: Host, container: Container, numbers: UserNumbers | None) -> bool:
    """Whether a container's user is in root's group.

    The engine gives that group to a user number without an entry in /etc/passwd. False for root
    itself: its program has changed to another user, whose group is not known.
    """
    user_and_group = user_of(container, numbers)
    user, _, group = user_and_group.partition(":")
    if container.config.starts_as_root or group:
        return group in ("0", "root")
    users = host.ask(ReadContainerFile(container.id, USERS_FILE, bytes=BYTES))
    if isinstance(users, Failed):
        return users.reason == "gone"
    for entry in user_entries(users.text):
        if user in (entry.name, str(entry.uid)):
            return entry.gid == 0
    return True
