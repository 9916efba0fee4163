"""Mounts of running containers that their user cannot write, and sockets that it cannot open.

Seen without waiting for a log.
"""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.file_access import ENTER, WRITE, HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

MOST = 2000
"""Paths that are looked at in one question."""


class DeniedMount(msgspec.Struct, frozen=True):
    """A mount that the container's user cannot write (a folder), or cannot open (a socket)."""

    container: Container
    mount: Mount
    source: PathStatus
    user: HostUser

    @property
    def is_socket(self) -> bool:
        return self.source.type == "socket"


class MountAccess(msgspec.Struct, frozen=True):
    """The denied mounts of running containers whose user is known by its number."""

    denied: tuple[DeniedMount, ...]

    def is_denied(self, container: Container, destination: str) -> bool:
        """Whether this container's user cannot use what is mounted there."""
        return any(
            item.container.id == container.id and item.mount.destination == destination
            for item in self.denied
        )


@evidence
def mount_access(
    host: Host, containers: Containers, info: Info | None, numbers: UserNumbers | None
) -> MountAccess | Unavailable:
    """Whether mounted folders and sockets can be written by ordinary users of containers.

    One question about all of them.
    """
    wanted: list[tuple[Container, Mount, HostUser]] = []
    for container in containers.running:
        user = host_user(container, info, numbers)
        if user is None or user.unknown:
            continue
        wanted += [
            (container, mount, user)
            for mount in container.mounts or ()
            if mount.source.startswith("/")
        ]
    paths = sorted({mount.source for _, mount, _ in wanted})[:MOST]
    if not paths:
        return MountAccess(())
    answer = host.ask(StatPaths(paths))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    denied = []
    for container, mount, user in wanted:
        status = answer.get(mount.source)
        if status is None or status.failed:
            continue
        needed = {"socket": WRITE, "folder": WRITE | ENTER if mount.rw else 0}.get(status.type, 0)
        if needed and user.may(status, needed) is False:
            denied.append(DeniedMount(container, mount, status, user))
    return MountAccess(tuple(denied))
