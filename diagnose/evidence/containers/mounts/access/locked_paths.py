"""Paths that a container was refused because the host's file system lets no user change them."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath, is_shallow, refused_path
from diagnose.evidence.items import Items
from diagnose.questions import Host
from diagnose.questions.files import InodeFlags, ReadFlags
from diagnose.registry import evidence

_EPERM = "operation not permitted"
"""The kernel's error for a change of a locked file, and for hardly any other access."""


class LockedPath(msgspec.Struct, frozen=True):
    """A path with a flag of chattr(1), which a program wanted to change."""

    container: Container
    named: NamedPath
    path: str
    """On the host: the file, or the folder that holds it."""
    flag: str
    """The letter: i for immutable, a for append-only."""


class LockedPaths(Items[LockedPath], frozen=True):
    """The locked paths of containers whose log names the path."""


def _may_be_locked(place: NamedPath) -> bool:
    """Whether a refusal sounds like that of a locked file, and its place can be asked for."""
    says_so = _EPERM in place.line.lower()
    return says_so and place.mount.has_host_path and is_shallow(place)


@evidence
def locked_paths(host: Host, containers: Containers, log_tails: LogTails) -> LockedPaths:
    """The flags of refused files: owner and mode do not show them, and they bind root too.

    Only the path that a log names is asked, and the folder of the entry.
    """
    named_paths = [(container, refused_path(container, log_tails)) for container in containers]
    refused = [
        (container, place)
        for container, place in named_paths
        if place is not None and _may_be_locked(place)
    ]
    if not refused:
        return LockedPaths()
    paths = {path: None for _, place in refused for path in _places(place)}
    flags = host.require(ReadFlags(list(paths)))
    locked = []
    for container, place in refused:
        for path in _places(place):
            letter = _letter(flags[path])
            if letter:
                locked.append(LockedPath(container, place, path, letter))
                break
    return LockedPaths(tuple(locked))


def _letter(flags: InodeFlags) -> str:
    if flags.immutable:
        return "i"
    return "a" if flags.append_only else ""


def _places(place: NamedPath) -> tuple[str, ...]:
    """The path, and its folder."""
    return place.on_host[-2:][::-1]
