"""Targets of symbolic links below a container's mounts, as the container sees them.

The host resolves the same link differently: an absolute one begins at the container's root.
"""

import posixpath
from collections import deque

import msgspec

from diagnose.evidence.containers.inspect import host_mount, innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.file_paths import is_below
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import StatPaths

MOST_STEPS = 40
"""Maximum number of links, as in the kernel (MAXSYMLINKS in include/linux/namei.h)."""


class LinkEnd(msgspec.Struct, frozen=True):
    """The target of a link, inside the container and on the host."""

    path_inside: str
    on_host: str = ""
    """The same on the host; "" where nothing is mounted there."""
    is_there: bool = False


def link_end(host: Host, container: Container, inside: str) -> LinkEnd | None:
    """The end of the path, with each link on the way followed; None where that is not known.

    Each step below a mount is a question of its own: ask only about a link that a log names. Paths
    outside the mounts are in the image, and are not looked at.
    """
    parts = deque(inside.strip("/").split("/"))
    at = ""
    for _ in range(MOST_STEPS):
        if not parts:
            return LinkEnd(at, _path_on_host(container, at), is_there=True)
        step = posixpath.normpath(f"{at}/{parts.popleft()}").rstrip("/")
        if _is_made_for_mounts(container, step):
            at = step
            continue
        place = _path_on_host(container, step)
        if not place:
            is_in_image = innermost_mount(container.mounts, step) is None
            # a tmpfs cannot be read from the host
            return LinkEnd("/".join((step, *parts))) if is_in_image else None
        answer = host.ask(StatPaths([place], follow=False))
        if isinstance(answer, Failed):
            return None
        status = answer[place]
        if status.failed == "missing":
            return LinkEnd("/".join((step, *parts)), "/".join((place, *parts)))
        if status.failed:
            return None
        if status.link is None:
            at = step
        else:
            parts_of_link = [part for part in status.link.split("/") if part not in ("", ".")]
            parts.extendleft(reversed(parts_of_link))
            at = "" if status.link.startswith("/") else at
    return None


def _path_on_host(container: Container, path: str) -> str:
    mount = host_mount(container.mounts, path)
    return mount.on_host(path).rstrip("/") if mount is not None else ""


def _is_made_for_mounts(container: Container, path: str) -> bool:
    """Whether a path is the destination of a mount, or a folder of the image above one.

    It is not a link then, whatever the source of the mount is: the kernel followed that when it
    mounted.
    """
    destinations = [mount.destination for mount in container.mounts]
    if any(destination.rstrip("/") == path for destination in destinations):
        return True
    is_in_image = innermost_mount(container.mounts, path) is None
    return is_in_image and any(is_below(destination, path) for destination in destinations)
