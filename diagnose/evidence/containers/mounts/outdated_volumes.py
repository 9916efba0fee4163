"""Files that a volume keeps from an older image, in place of those of its container's image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.model import Failed, Unavailable
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.questions.images import InspectImage, ListVolumes, is_anonymous_name
from diagnose.registry import evidence

MOST = 20
"""Pairs of image and volume that are compared."""
MOST_FOLDERS = 12
MOST_FILES = 200
"""Entries of one volume that are compared: those of its own folder and of the first folders in
it."""
MARGIN_S = 60
"""Seconds by which a file is older than its volume if the engine has copied it from an image."""
FIRST_WITH_DATE = (26,)
"""Engine 20.10.24 gives the last change of a volume's folder for the date of the volume, unlike
26.1.5 and 28.5.2."""


class OutdatedVolume(msgspec.Struct, frozen=True):
    """A volume with files that nobody has changed since the engine made them from another image."""

    container: Container
    mount: Mount
    files: tuple[str, ...]
    """Paths below the mount whose size is another one than in the container's image."""

    @property
    def name(self) -> str:
        """The volume's name as a sentence shows it: the beginning of one that is made up."""
        return self.mount.name[:12] if is_anonymous_name(self.mount.name) else self.mount.name


class OutdatedVolumes(msgspec.Struct, frozen=True):
    """In the order of the containers."""

    items: tuple[OutdatedVolume, ...] = ()

    def __iter__(self) -> Iterator[OutdatedVolume]:
        return iter(self.items)


class _Candidate(msgspec.Struct, frozen=True):
    """A volume over a folder that the image of its container has."""

    container: Container
    mount: Mount
    created_at: float
    folders: tuple[str, ...]
    """That folder in each layer that has it, the topmost first."""


@evidence
def outdated_volumes(
    host: Host, containers: Containers, ping: Ping
) -> OutdatedVolumes | Unavailable:
    """The engine fills a volume from an image once, while the volume is empty, and keeps the dates.

    A file that is older than its volume was copied, and not changed since. Where the image of today
    has a file of that name that is not older and has another size, the volume hides it.
    """
    mounted = [
        (container, mount)
        for container in containers
        for mount in container.mounts or ()
        if mount.type == "volume" and mount.driver == "local" and container.image
    ]
    if not mounted or ping.version < FIRST_WITH_DATE:
        return OutdatedVolumes()
    volumes = host.ask(ListVolumes())
    if isinstance(volumes, Failed):
        return Unavailable.of(volumes)
    created = {
        volume.name: unix(volume.created_at) or 0.0
        for volume in volumes.volumes or ()
        if not volume.options
    }
    pairs = {
        (container.image, mount.source): (container, mount)
        for container, mount in mounted
        if mount.name in created
    }
    candidates = _over_the_image(host, list(pairs.values())[:MOST], created)
    if isinstance(candidates, Unavailable):
        return candidates
    compared = (_compared(host, candidate) for candidate in candidates)
    return OutdatedVolumes(tuple(volume for volume in compared if volume.files))


def _over_the_image(
    host: Host, pairs: Sequence[tuple[Container, Mount]], created: Mapping[str, float]
) -> list[_Candidate] | Unavailable:
    """The pairs whose image has a folder where the volume is mounted."""
    images = list(dict.fromkeys(container.image for container, _ in pairs))
    layers = {
        image: detail.layers
        for image, detail in host.ask_about(images, InspectImage)
        if not isinstance(detail, Failed)
    }
    folders = [
        [
            f"{layer}/diff{mount.destination.rstrip('/')}"
            for layer in layers.get(container.image, ())
        ]
        for container, mount in pairs
    ]
    answer = host.ask(StatPaths(sorted({path for paths in folders for path in paths})))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    if any(status.failed == "forbidden" for status in answer.values()):
        return Unavailable("forbidden", "the layers of the images")
    candidates = []
    for (container, mount), paths in zip(pairs, folders, strict=True):
        present = tuple(path for path in paths if path in answer and answer[path].type == "folder")
        if present:
            candidates.append(_Candidate(container, mount, created[mount.name], present))
    return candidates


def _compared(host: Host, candidate: _Candidate) -> OutdatedVolume:
    """The volume with those of its files that differ from the image's."""
    in_image = _image_files(host, candidate.folders)
    in_volume = {name: f"{candidate.mount.source}/{name}" for name in in_image}
    answer = host.ask(StatPaths(sorted({*in_image.values(), *in_volume.values()}), follow=False))
    statuses = {} if isinstance(answer, Failed) else answer
    files = [
        name
        for name in in_image
        if _is_outdated(
            statuses.get(in_volume[name]), statuses.get(in_image[name]), candidate.created_at
        )
    ]
    return OutdatedVolume(candidate.container, candidate.mount, tuple(files))


def _is_outdated(kept: PathStatus | None, fresh: PathStatus | None, created_at: float) -> bool:
    if kept is None or fresh is None or kept.mtime is None or fresh.mtime is None:
        return False
    if kept.type != "file" or fresh.type != "file" or kept.size == fresh.size:
        return False
    return kept.mtime <= fresh.mtime and kept.mtime + MARGIN_S < created_at


def _image_files(host: Host, folders: Sequence[str]) -> dict[str, str]:
    """Where the image has its files, by their names below the folder.

    Those of the folder itself, and of the first folders in it.
    """
    top = _entries(host, folders)
    files = {name: path for name, (kind, path) in top.items() if kind == "file"}
    inner = [name for name, (kind, _) in top.items() if kind == "folder"][:MOST_FOLDERS]
    for folder in inner:
        below = _entries(host, [f"{path}/{folder}" for path in folders])
        files |= {
            f"{folder}/{name}": path for name, (kind, path) in below.items() if kind == "file"
        }
    return dict(list(files.items())[:MOST_FILES])


def _entries(host: Host, folders: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Kind and path of each entry of a folder, by its name; the topmost layer counts.

    A file that a layer removes is neither file nor folder there.
    """
    entries: dict[str, tuple[str, str]] = {}
    for folder, listing in host.ask_about(list(folders), ListFolder):
        for entry in () if isinstance(listing, Failed) else listing.entries:
            entries.setdefault(entry.name, (entry.type, f"{folder}/{entry.name}"))
    return entries
