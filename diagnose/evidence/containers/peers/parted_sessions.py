"""Replicas of one service that each keep sessions of their users in files of their own.

A server that finds no file for a session takes its user for a stranger.
"""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 6
"""Services whose containers are looked into."""
_MOST_REPLICAS = 3
_PHP = LazyPattern(r"sess_[A-Za-z0-9,-]{20,128}")
_LARAVEL = LazyPattern(r"[A-Za-z0-9]{40}")
_NODE = LazyPattern(r"[\w-]{20,64}\.json")
_FOLDERS = {
    "/tmp": _PHP,  # noqa: S108 - a folder of the container
    "/var/lib/php/sessions": _PHP,
    "/var/lib/php/session": _PHP,
    "/var/www/html/storage/framework/sessions": _LARAVEL,
    "/app/storage/framework/sessions": _LARAVEL,
    "/app/sessions": _NODE,
    "/usr/src/app/sessions": _NODE,
}
"""The usual folders of session files, and their names: PHP, Laravel, session-file-store."""
_STICKY = "sticky"


class PartedSessions(msgspec.Struct, frozen=True):
    """Replicas whose sessions are apart."""

    replicas: tuple[Container, ...]
    folder: str
    """The folder with session files in each of them."""


class PartedSessionsList(Items[PartedSessions], frozen=True):
    """One for each service."""


@evidence
def parted_sessions(host: Host, containers: Containers) -> PartedSessionsList:
    """The services with two running containers or more that each have session files of their own.

    The folders are listed as each container sees them. A folder in a mount may be shared, and a
    label of Traefik may send a user to the same container each time: both are left out.
    """
    by_service = by_key(
        ((container.compose_project, container.service), container)
        for container in containers.running
        if container.service and container.state.pid and not _is_sticky(container)
    )
    services = [replicas for replicas in by_service.values() if _are_replicas(replicas)]
    found: list[PartedSessions] = []
    for replicas in host.first(services, MOST, "services with several containers"):
        looked_at = tuple(replicas[:_MOST_REPLICAS])
        folder = next((folder for folder in _FOLDERS if _all_have(host, looked_at, folder)), "")
        if folder:
            found.append(PartedSessions(looked_at, folder))
    return PartedSessionsList(tuple(found))


def _are_replicas(containers: Sequence[Container]) -> bool:
    return len(containers) > 1 and len({container.image for container in containers}) == 1


def _is_sticky(container: Container) -> bool:
    return any(_STICKY in label.lower() for label in container.labels)


def _all_have(host: Host, replicas: Sequence[Container], folder: str) -> bool:
    """Whether each of these containers has session files in its own layer there."""
    return all(_has_sessions(host, replica, folder) for replica in replicas)


def _has_sessions(host: Host, container: Container, folder: str) -> bool:
    if host_mount(container.mounts, folder) is not None:
        return False
    listing = host.ask(ListFolder(folder, root=f"/proc/{container.state.pid}/root"))
    names = [] if isinstance(listing, Failed) else listing.names
    return any(map(_FOLDERS[folder].fullmatch, names))
