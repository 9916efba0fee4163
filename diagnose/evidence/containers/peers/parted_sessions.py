"""Replicas of one service that each keep sessions of their users in files of their own.

A server that finds no file for a session takes its user for a stranger.
"""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import (
    SETTINGS_FILE,
    SETTINGS_FOLDER,
    mounted_settings,
)
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
_STICKY = LazyPattern(r"(?i)sticky|lb_policy")
_KEEPS_USERS = LazyPattern(
    r"\bip_hash\b|\bhash \$|\bsticky\b|\bbalance (?:source|hdr|url_param)|\blb_policy\b"
    r"|\bcookie \S{1,60} (?:insert|prefix|rewrite)\b"
)
"""Settings of nginx, HAProxy and Caddy that send a user to the same server each time."""


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
    label or a setting of the proxy may send a user to the same container each time: all of these
    are left out.
    """
    by_service = by_key(
        ((container.compose_project, container.service), container)
        for container in containers.running
        if container.service and container.state.pid and not _is_sticky(container)
    )
    services = [replicas for replicas in by_service.values() if _are_replicas(replicas)]
    parted: list[PartedSessions] = []
    for replicas in host.first(services, MOST, "services with several containers"):
        looked_at = tuple(replicas[:_MOST_REPLICAS])
        folder = next((folder for folder in _FOLDERS if _all_have(host, looked_at, folder)), "")
        if folder and not _is_kept_together(host, replicas[0], containers):
            parted.append(PartedSessions(looked_at, folder))
    return PartedSessionsList(tuple(parted))


def _are_replicas(containers: Sequence[Container]) -> bool:
    return len(containers) > 1 and len({container.image for container in containers}) == 1


def _is_sticky(container: Container) -> bool:
    return any(_STICKY.search(label) for label in container.labels)


def _is_kept_together(host: Host, replica: Container, containers: Containers) -> bool:
    """Whether mounted settings beside a replica send each user to the same server."""
    return any(
        _KEEPS_USERS.search(" ".join(settings.text.split()))
        for other in containers.in_project_of(replica)
        for settings in mounted_settings(host, other, None, SETTINGS_FILE, SETTINGS_FOLDER)
    )


def _all_have(host: Host, replicas: Sequence[Container], folder: str) -> bool:
    """Whether each of these containers has session files in its own layer there."""
    return all(_has_sessions(host, replica, folder) for replica in replicas)


def _has_sessions(host: Host, container: Container, folder: str) -> bool:
    if host_mount(container.mounts, folder) is not None:
        return False
    listing = host.ask(ListFolder(folder, root=f"/proc/{container.state.pid}/root"))
    names = [] if isinstance(listing, Failed) else listing.names
    return any(map(_FOLDERS[folder].fullmatch, names))
