"""Mounts of the usual data root, in containers of an engine that keeps its data elsewhere."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DEFAULT, DataRoot
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import NOT_ASKED, ListFolder, PathStatus, StatPaths
from diagnose.registry import evidence

MOST = 20
"""Mounts that are looked at."""


class FormerRootMount(msgspec.Struct, frozen=True):
    """A mount below a former data root, and the folder that the container should have instead."""

    container: Container
    mount: Mount
    present: str
    """The same folder below the data root in force, which is there."""
    is_empty: bool
    """Whether the mounted folder holds nothing."""


class FormerRootMounts(Items[FormerRootMount], frozen=True):
    """The mounts of a former data root, in the order of the containers."""


@evidence
def former_root_mounts(host: Host, containers: Containers, root: DataRoot) -> FormerRootMounts:
    """The mounts below the default data root, where the engine uses another one.

    The collector asks nothing where the data root is the default, or where no container mounts
    that. A link from the default path to the data root, or a mount over it, is the same folder.
    """
    if root.source != "info" or is_within(root.path, DEFAULT):
        return FormerRootMounts()
    mounts = [
        (container, mount)
        for container in containers.running
        for mount in container.bind_mounts
        if is_within(mount.source, DEFAULT)
    ][:MOST]
    if not mounts:
        return FormerRootMounts()
    present = {mount.source: _present_place(mount.source, root.path) for _, mount in mounts}
    statuses = host.require(StatPaths(sorted({*present, *present.values()})))
    former_mounts: list[FormerRootMount] = []
    for container, mount in mounts:
        source_now = present[mount.source]
        if _are_two(statuses, mount.source, source_now):
            is_empty = _is_empty(host, mount.source)
            former_mounts.append(FormerRootMount(container, mount, source_now, is_empty))
    return FormerRootMounts(tuple(former_mounts))


def _present_place(source: str, root: str) -> str:
    """The place below the data root in force."""
    return root.rstrip("/") + source.removeprefix(DEFAULT)


def _are_two(statuses: Mapping[str, PathStatus], former: str, present: str) -> bool:
    """Whether both are there, and are not the same."""
    folder_statuses = [statuses.get(path, NOT_ASKED) for path in (former, present)]
    if any(status.failed or not status.ino for status in folder_statuses):
        return False
    return (folder_statuses[0].dev, folder_statuses[0].ino) != (
        folder_statuses[1].dev,
        folder_statuses[1].ino,
    )


def _is_empty(host: Host, folder: str) -> bool:
    listing = host.ask(ListFolder(folder))
    return not isinstance(listing, Failed) and not listing.entries
