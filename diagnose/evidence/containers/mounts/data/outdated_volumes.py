"""Files that a volume keeps from an older image, in place of those of its container's image."""

import itertools
import posixpath
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.names_with_hash import former_names, has_hash
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.model import Failed, NoEvidenceError, Unavailable
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, StatPaths
from diagnose.questions.images import Detail, InspectImage, ListVolumes, VolumeList
from diagnose.registry import evidence

MOST = 60
"""Pairs of image and volume that are looked at."""
MOST_COMPARED = 20
"""Maximum number of them that are compared, because the image has a folder at the mount point of
the volume."""
MOST_FOLDERS = 12
MOST_FILES = 200
"""Files of one volume that are compared: those of its own folder and of the first folders in it."""
_DEEPEST = 4
"""Folders above a file that is compared, below the folder of the volume."""
_MOST_RENAMED = 20
_PACKAGES = frozenset({"node_modules", "vendor"})
"""Folders of packages that usually only an image installs."""
MARGIN_S = 60
"""Seconds by which a file is older than its volume if the engine has copied it from an image."""
FIRST_WITH_DATE = (26,)
"""Engine 20.10.24 gives the last change of a volume's folder for the date of the volume, unlike
26.1.5 and 28.5.2."""


class OutdatedVolume(msgspec.Struct, frozen=True):
    """A volume with unchanged files that the engine copied from another image."""

    container: Container
    mount: Mount
    files: tuple[str, ...]
    """Paths below the mount whose size differs from the container's image."""
    renamed: tuple[str, ...] = ()
    """Paths of the image's files that the volume has from a former build, under a name with another
    hash."""
    absent: tuple[str, ...] = ()
    """The packages of the image that a folder of packages (node_modules) does not have."""

    @property
    def is_outdated(self) -> bool:
        return bool(self.files or self.renamed or self.absent)

    @property
    def name(self) -> str:
        """The volume's name for a sentence: the beginning of a generated one."""
        return self.mount.name[:12] if self.mount.is_anonymous else self.mount.name


class OutdatedVolumes(Items[OutdatedVolume], frozen=True):
    """The outdated volumes, in the order of the containers."""

    left_out: int = 0
    """Pairs of image and volume beyond `MOST` and `MOST_COMPARED`."""


class _CoveringVolume(msgspec.Struct, frozen=True):
    """A volume over a folder that the image of its container has."""

    container: Container
    mount: Mount
    created_at: float
    folders: tuple[str, ...]
    """The folder in each layer that has it, the topmost first."""


@evidence
def outdated_volumes(
    host: Host, containers: Containers, ping: Ping
) -> OutdatedVolumes | Unavailable:
    """The engine fills a volume from an image once, while the volume is empty, and keeps the dates.

    A file that is older than its volume was copied, and not changed since. Where the image of today
    has a file of that name that is not older and has another size, the volume hides it. The
    same holds for a file whose name has another hash in the volume.
    """
    mounted = _local_volumes(containers)
    if not mounted or ping.version < FIRST_WITH_DATE:
        return OutdatedVolumes()
    volumes = host.require(ListVolumes())
    created = _creation_times(volumes)
    pairs = {
        (container.image, mount.source): (container, mount)
        for container, mount in mounted
        if mount.name in created
    }
    candidates = _volumes_over_image(host, list(pairs.values())[:MOST], created)
    compared = [_compared_volume(host, candidate) for candidate in candidates[:MOST_COMPARED]]
    left_out = max(0, len(pairs) - MOST) + len(candidates[MOST_COMPARED:])
    outdated = tuple(volume for volume in compared if volume.is_outdated)
    return OutdatedVolumes(outdated, left_out)


def _creation_times(listing: VolumeList) -> dict[str, float]:
    """Unix times by name of the volumes whose files lie in the engine's own folder."""
    plain = [volume for volume in listing.volumes or () if not volume.options]
    return {volume.name: unix(volume.created_at) or 0.0 for volume in plain}


def _local_volumes(containers: Containers) -> list[tuple[Container, Mount]]:
    """Volumes of this host that containers have, by container."""
    return [
        (container, mount)
        for container in containers
        for mount in container.mounts
        if mount.type == "volume" and mount.driver == "local" and container.image
    ]


def _volumes_over_image(
    host: Host, pairs: Sequence[tuple[Container, Mount]], created: Mapping[str, float]
) -> list[_CoveringVolume]:
    """The pairs whose image has a folder where the volume is mounted."""
    images = dict.fromkeys(container.image for container, _ in pairs)
    details = host.answers_about(images, InspectImage)
    ways_of = [
        (container, mount, _steps_in_each_layer(mount.destination, details.get(container.image)))
        for container, mount in pairs
    ]
    every = {step for _, _, ways in ways_of for steps in ways for step in steps}
    statuses = host.require(StatPaths(sorted(every), follow=False))
    if any(status.failed == "forbidden" for status in statuses.values()):
        raise NoEvidenceError(
            Unavailable("forbidden", "the layers of the images: only root may read them")
        )
    candidates = []
    for container, mount, ways in ways_of:
        folders = tuple(steps[-1] for steps in ways if _are_folders(steps, statuses))
        if folders:
            candidates.append(_CoveringVolume(container, mount, created[mount.name], folders))
    return candidates


def _steps_in_each_layer(destination: str, image: Detail | None) -> list[list[str]]:
    """The steps to a path of the container, in each layer of its image."""
    layers = image.layers if image is not None else ()
    return [_steps(f"{layer}/diff", destination) for layer in layers]


def _are_folders(steps: Iterable[str], statuses: Mapping[str, PathStatus]) -> bool:
    return all(_is_folder(statuses.get(step)) for step in steps)


def _steps(top: str, inside: str) -> list[str]:
    """The folders from one on the host down to a path below, each of which may be a link.

    A link in a layer or a volume is a container's: followed here, it would lead to the host's own
    files.
    """
    parts = [part for part in inside.split("/") if part]
    return [f"{top}/{'/'.join(parts[:depth])}" for depth in range(1, len(parts) + 1)]


def _is_folder(status: PathStatus | None) -> bool:
    return status is not None and status.type == "folder"


def _compared_volume(host: Host, candidate: _CoveringVolume) -> OutdatedVolume:
    """The volume with those of its files that differ from the image's."""
    in_image = _image_files(host, candidate.folders)
    in_volume = {name: _steps(candidate.mount.source, name) for name in in_image}
    paths = {*in_image.values(), *(step for steps in in_volume.values() for step in steps)}
    statuses = host.require(StatPaths(sorted(paths), follow=False))
    files = []
    lacking: set[str] = set()
    for name, path in in_image.items():
        *above, status_in_volume = (statuses.get(step) for step in in_volume[name])
        if not all(map(_is_folder, above)):
            continue
        if (
            status_in_volume is not None
            and status_in_volume.failed == "missing"
            and has_hash(posixpath.basename(name))
        ):
            lacking.add(posixpath.dirname(name))
        if _is_outdated(status_in_volume, statuses.get(path), candidate.created_at):
            files.append(name)
    fresh = {name: statuses.get(path) for name, path in in_image.items()}
    renamed = itertools.islice(_renamed_files(host, candidate, lacking, fresh), _MOST_RENAMED)
    absent = _absent_packages(host, candidate)
    return OutdatedVolume(
        candidate.container, candidate.mount, tuple(files), tuple(renamed), absent
    )


def _renamed_files(
    host: Host,
    candidate: _CoveringVolume,
    folders: Iterable[str],
    fresh: Mapping[str, PathStatus | None],
) -> Iterator[str]:
    """The files of the image that the volume has under the name of a former build.

    folders: those in which the volume lacks a file with a hash in its name. fresh: the files of the
    image.
    """
    names_of_folder = by_key((posixpath.dirname(name), posixpath.basename(name)) for name in fresh)
    for folder in sorted(folders):
        kept_folder = posixpath.join(candidate.mount.source, folder).rstrip("/")
        listing = host.ask(ListFolder(kept_folder))
        kept_names = () if isinstance(listing, Failed) else listing.names
        former = former_names(names_of_folder[folder], kept_names)
        kept_paths = {name: f"{kept_folder}/{kept}" for name, kept in former.items()}
        statuses = host.require(StatPaths(sorted(kept_paths.values()), follow=False))
        for name, kept_path in kept_paths.items():
            path = posixpath.join(folder, name)
            if _is_older(statuses.get(kept_path), fresh[path], candidate.created_at):
                yield path


def _absent_packages(host: Host, candidate: _CoveringVolume) -> tuple[str, ...]:
    """The packages that the image has and the volume has not, by the folders of both."""
    source = candidate.mount.source
    listing = host.ask(ListFolder(source))
    is_of_packages = posixpath.basename(candidate.mount.destination.rstrip("/")) in _PACKAGES
    if not is_of_packages or isinstance(listing, Failed) or not listing.entries:
        return ()
    packages = {
        name
        for name, layers in _entries(host, candidate.folders).items()
        if _folders(layers) and not name.startswith(".")
    }
    return tuple(sorted(packages - set(listing.names)))


def _is_outdated(in_volume: PathStatus | None, fresh: PathStatus | None, created_at: float) -> bool:
    """Whether the volume's file is another one than the image's, and older than the container."""
    sizes = {status.size for status in (in_volume, fresh) if status is not None}
    return len(sizes) > 1 and _is_older(in_volume, fresh, created_at)


def _is_older(kept: PathStatus | None, fresh: PathStatus | None, created_at: float) -> bool:
    """Whether the volume's file is older than the volume, and no newer than the image's."""
    if kept is None or fresh is None:
        return False
    if kept.mtime is None or fresh.mtime is None:
        return False
    are_files = kept.type == fresh.type == "file"
    return are_files and kept.mtime <= fresh.mtime and kept.mtime + MARGIN_S < created_at


def _image_files(host: Host, folders: Sequence[str]) -> dict[str, str]:
    """The paths of an image's files, by name below a folder: its own and its folders' files.

    Folders that lie higher come first.
    """
    files: dict[str, str] = {}
    waiting = deque([("", folders)])
    for _ in range(MOST_FOLDERS + 1):
        if not waiting:
            break
        above, ways = waiting.popleft()
        entries = _entries(host, ways)
        files |= {posixpath.join(above, name): path for name, path in _files(entries).items()}
        if above.count("/") < _DEEPEST - 1:
            inner = {name: _folders(layers) for name, layers in entries.items()}
            waiting += [(posixpath.join(above, name), ways) for name, ways in inner.items() if ways]
    return dict(list(files.items())[:MOST_FILES])


class _Entry(msgspec.Struct, frozen=True):
    """An entry of a folder in one layer."""

    type: str
    path: str


def _entries(host: Host, folders: Sequence[str]) -> dict[str, list[_Entry]]:
    """The entries of a folder by their name, that in the topmost layer first."""
    listings = host.answers_about(folders, ListFolder)
    return by_key(
        (entry.name, _Entry(entry.type, f"{folder}/{entry.name}"))
        for folder in folders
        if folder in listings
        for entry in listings[folder].entries
    )


def _files(entries: Mapping[str, Sequence[_Entry]]) -> dict[str, str]:
    """The paths of the files in the topmost layer; a removed one is not a file."""
    topmost = {name: layers[0] for name, layers in entries.items()}
    return {name: entry.path for name, entry in topmost.items() if entry.type == "file"}


def _folders(layers: Sequence[_Entry]) -> list[str]:
    """The paths of a folder in the layers whose entries show in it, the topmost first.

    Entries below a file, a link or a removal of that name are hidden.
    """
    return [entry.path for entry in itertools.takewhile(_is_of_a_folder, layers)]


def _is_of_a_folder(entry: _Entry) -> bool:
    return entry.type == "folder"
