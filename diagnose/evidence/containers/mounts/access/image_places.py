"""Files in their images that programs were refused, named as seen from their working directory."""

import posixpath

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ContainerFile, ReadContainerFile
from diagnose.registry import evidence

MOST = 8
"""Containers that are looked into."""
_NAME = r"(?:\./)?(?P<{}>[\w-][\w.@-]{{0,100}}(?:/[\w.@-]{{1,100}}){{0,6}})/?"
_REFUSED = LazyPattern(
    rf"[Pp]ermission denied(?:: | @ \w+ - |, \w+ )['\"]?{_NAME.format('behind')}['\"]?\s*$"
    r"|\b(?:open|mkdir|creat|create|directory|file|touch) (?!stream:)"
    rf"['\"]?{_NAME.format('before')}['\"]?: [Pp]ermission denied"
    rf"|\b(?:cp|ln|mv|tee|touch|mkdir|can't create):? {_NAME.format('tool')}: [Pp]ermission denied"
    rf"|\bAccessDeniedException: {_NAME.format('java')}\s*$"
    rf"|: {_NAME.format('stream')} \(Permission denied\)"
)
"""A path without a slash before it: Python, Ruby and Node.js name it behind the error, Go, shells
and coreutils before it, Java at the end of either. PHP's "stream" is not a name."""
_ANY_ADDRESS = LazyPattern(r"\d+(?:\.\d+){3}")


class ImagePlace(msgspec.Struct, frozen=True):
    """The existing part of an image path that a program was refused, with owner and mode."""

    container: Container
    line: str
    name: str
    """The path as the program has it."""
    place: str
    """The last part of the whole path that exists."""
    is_folder: bool
    """Whether the file itself does not exist: it was to be created there."""
    owner: str
    """uid:gid"""
    mode: str
    """The permission bits, such as 755."""


class ImagePlaces(Items[ImagePlace], frozen=True):
    """Places of an image that owner and mode keep from its user: at most one for a container."""


@evidence
def image_places(
    host: Host, containers: Containers, log_tails: LogTails, numbers: UserNumbers | None
) -> ImagePlaces:
    """The places in images of paths that failed programs name as refused.

    A few questions for each such container; none for others.
    """
    places = []
    for container in containers:
        refused = _refused_name(container, log_tails)
        uid, _, gid = (numbers.of(container) if numbers else container.config.user).partition(":")
        if refused is None or not uid.isdigit() or uid == "0":
            continue
        line = refused.line
        name = refused.name
        place = _last_place(host, container, name)
        if place is not None and _is_kept(place.file, int(uid), gid):
            is_folder = place.path != _absolute_path(container, name)
            owner = f"{place.file.uid}:{place.file.gid}"
            mode = f"{place.file.mode or 0:o}"
            places.append(
                ImagePlace(
                    container,
                    line,
                    name=name,
                    place=place.path,
                    is_folder=is_folder,
                    owner=owner,
                    mode=mode,
                )
            )
        if len(places) >= MOST:
            break
    return ImagePlaces(tuple(places))


class _RefusedName(msgspec.Struct, frozen=True):
    """A line of a log, and the path in it in the program's spelling."""

    line: str
    name: str


class _Place(msgspec.Struct, frozen=True):
    """A path of the image that exists."""

    path: str
    file: ContainerFile


def _refused_name(container: Container, log_tails: LogTails) -> _RefusedName | None:
    """The first path that a line says was refused, and that no mount holds."""
    for line in log_tails.of(container).find_all("permission denied", "accessdenied"):
        match = _REFUSED.search(line)
        name = str(match[match.lastgroup or 0]) if match is not None else ""
        if not name or _ANY_ADDRESS.fullmatch(name):
            continue
        path = _absolute_path(container, name)
        if not any(mount.holds(path) for mount in container.mounts):
            return _RefusedName(line, name)
    return None


def _absolute_path(container: Container, name: str) -> str:
    return posixpath.normpath(posixpath.join(container.config.working_dir or "/", name))


def _last_place(host: Host, container: Container, name: str) -> _Place | None:
    """The last part of the path that exists, not above the working directory."""
    path = _absolute_path(container, name)
    top = container.config.working_dir or "/"
    while path.startswith(top):
        file = host.ask(ReadContainerFile(container.id, path, bytes=0))
        if not isinstance(file, Failed):
            return _Place(path, file)
        if file.reason != "gone" or path == top:
            return None
        path = posixpath.dirname(path)
    return None


def _is_kept(file: ContainerFile, uid: int, gid: str) -> bool:
    """Whether owner and mode keep this user from writing it; other groups of his are not known."""
    if file.uid is None or file.mode is None:
        return False
    if file.uid == uid or file.mode & 0o002:
        return False
    return not file.mode & 0o020 or (gid.isdigit() and int(gid) != file.gid)
