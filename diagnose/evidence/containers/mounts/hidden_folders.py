"""Empty folders of the host that hide program files of an image."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.exposure import engine_socket
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounts
from diagnose.filesystem_types import may_hang
from diagnose.model import Failed, NoEvidenceError, Unavailable
from diagnose.questions import Host
from diagnose.questions.hidden_files import CoveredPlace, FindHiddenFiles
from diagnose.registry import evidence

MOST = 100
"""Mounts that are looked at."""


class HiddenFolder(msgspec.Struct, frozen=True):
    """A mount of a running container, and some of the files that it hides."""

    container: Container
    mount: Mount
    files: tuple[str, ...]


class HiddenFolders(Items[HiddenFolder], frozen=True):
    """The hidden folders of running containers."""


@evidence
def hidden_folders(host: Host, containers: Containers, mounts: Mounts | None) -> HiddenFolders:
    """Folders of images that bind mounts hide, with the hidden files.

    All bind mounts of running containers take one question. A folder that the image itself declares
    a volume is for data, a mount of an engine's socket is never empty, and a network file system is
    not asked. Where containerd keeps the layers, none are known, and nothing is looked at.
    """
    covered = [
        (container, mount, place)
        for container in containers.running
        for mount, place in _covered_places(container, mounts)
    ]
    places = host.first(covered, MOST, "mounts over folders of an image")
    if not places:
        return HiddenFolders()
    answer = host.ask(FindHiddenFiles([place for _, _, place in places]))
    if isinstance(answer, Failed):
        raise NoEvidenceError(Unavailable.of(answer))
    files_by_mount = {(folder.source, folder.target): tuple(folder.files) for folder in answer}
    return HiddenFolders(
        tuple(
            HiddenFolder(container, mount, files_by_mount[place.source, place.target])
            for container, mount, place in places
            if (place.source, place.target) in files_by_mount
        )
    )


def _covered_places(
    container: Container, mounts: Mounts | None
) -> Iterator[tuple[Mount, CoveredPlace]]:
    """The folders of the host that are mounted where the image may have files of its own."""
    data = container.graph_driver.data or {} if container.graph_driver is not None else {}
    layers = (data.get("LowerDir") or "").split(":")[1:]
    if not layers:
        return
    volumes = container.config.volumes or {}
    for mount in container.bind_mounts:
        if engine_socket(mount) is not None:
            continue
        on_disk = mounts.of(mount.source) if mounts is not None else None
        if mount.destination in volumes or on_disk is None or may_hang(on_disk.fstype):
            continue
        yield mount, CoveredPlace(mount.source, mount.destination, layers)
