"""Volumes of running containers whose folder in the data root was deleted."""

import posixpath
from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, PathStatus
from diagnose.registry import evidence

MOST = 500
"""Volumes whose folder is looked for."""


class LostVolume(msgspec.Struct, frozen=True):
    """A volume of a running container: its folder on the host is gone."""

    container: Container
    mount: Mount


class LostVolumes(Items[LostVolume], frozen=True):
    """The lost volumes, once for each container that has one mounted."""


@evidence
def lost_volumes(host: Host, containers: Containers) -> LostVolumes:
    """The mounted volumes whose folder is gone, while the folder of all volumes is there.

    Only volumes of the driver local have a folder, and only where this process sees the data root.
    """
    mounted = [
        LostVolume(container, mount)
        for container in containers.running
        for mount in container.mounts
        if mount.type == "volume" and mount.driver == "local" and mount.source.endswith("/_data")
    ][:MOST]
    folders = {lost.mount.source for lost in mounted}
    roots = {_root_of_volumes(folder) for folder in folders}
    statuses = path_statuses(host, sorted(folders | roots))
    return LostVolumes(tuple(lost for lost in mounted if _is_lost(lost.mount.source, statuses)))


def _is_lost(folder: str, statuses: Mapping[str, PathStatus]) -> bool:
    """Whether the folder of a volume is missing, and that of all volumes is there."""
    status = statuses.get(folder, NOT_ASKED)
    status_of_root = statuses.get(_root_of_volumes(folder), NOT_ASKED)
    return status.failed == "missing" and status_of_root.type == "folder"


def _root_of_volumes(folder: str) -> str:
    """The folder of all volumes: /var/lib/docker/volumes of /var/lib/docker/volumes/NAME/_data."""
    return posixpath.dirname(posixpath.dirname(folder))
