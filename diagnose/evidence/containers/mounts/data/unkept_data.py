"""Databases in places that a container loses: its layer, its memory, a temporary folder.

Nothing fails until the container is recreated or restarted, or the host boots.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.own_layer_data import (
    LEAST,
    is_for_data,
    is_of_installer,
    keeps_data,
)
from diagnose.evidence.images.layers import Layers, layer_folder_of
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import WalkFolder
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 12
"""Containers of each kind that are looked at, the youngest first."""
WALK_S = 0.2
_DATABASE = LazyPattern(
    r"(?i)[\w.-]{1,80}\.(?:db|db3|frm|ibd|kch|mdb|mv\.db|rdb|realm|sqlite3?|wt)"
    r"|PG_VERSION|WiredTiger|ibdata1|appendonlydir"
)
"""Files and folders in which databases keep what they are given."""
_ACCOUNTS = LazyPattern(r"(?i)(?:accounts?|auth|credentials|passwd|users?)\.(?:json5?|toml|ya?ml)")
_SETTINGS = LazyPattern(
    r"(?i)(?:config|configuration|devices|nodes|options|preferences|settings|state|tokens)"
    r"\.(?:ini|json[5l]?|toml|xml|ya?ml)"
)
"""Files in which programs keep what somebody has set in their pages."""
_LEAST_SETTINGS = 2
"""Files of settings in one folder; one may be written by the start script, from variables."""
_FOR_KEEPING = LazyPattern(
    r"(?i)(?:^|/)(?:appdata|\.?config|data|database|db|storage|store|userdata)(?:/|$)"
)
"""Folders that a program calls so for what it keeps."""
_TEMPORARY = ("/tmp/", "/dev/shm/", "/run/", "/var/run/")  # noqa: S108 - folders of the host
"""Folders that are emptied when the host boots."""
_OF_MEMORY = LazyPattern(r"/(?:dev|run|tmp|var/(?:cache|run|tmp))(?:/|$)")
"""Folders where a file system in memory is for temporary files."""


class UnkeptData(msgspec.Struct, frozen=True):
    """A database of a running container that does not outlast it."""

    container: Container
    kind: str
    """layer, memory or temporary."""
    folder: str
    """The path in the container."""
    file: str
    source: str = ""
    """The folder on the host; "" where it is not a folder of its own."""


class UnkeptDataList(Items[UnkeptData], frozen=True):
    """The unkept data, at most one folder for each container."""


@evidence
def unkept_data(host: Host, containers: Containers, layers: Layers | None) -> UnkeptDataList:
    """The data in layers and in memory that a recreate would remove.

    A layer is walked only of containers that are restarted automatically and have no mount for
    data; such a layer is small. Each folder in memory, or below /tmp, takes a listing.
    """
    youngest_first = sorted(
        containers.running, key=lambda container: -(container.created_at or 0.0)
    )
    services = [container for container in youngest_first if container.restarts_always]
    in_layers = _data_in_layers(host, services, layers)
    return UnkeptDataList((*in_layers, *_data_in_memory(host, services)))


def _data_in_layers(
    host: Host, services: Iterable[Container], layers: Layers | None
) -> Iterator[UnkeptData]:
    """The data in writable layers of containers without a mount for data."""
    without_mount = [container for container in services if not _may_keep(container)]
    tops = [(container, layer_folder_of(container, layers)) for container in without_mount]
    with_layer = [(container, top) for container, top in tops if top]
    for container, top in host.first(with_layer, MOST, "containers without a mount for data"):
        data = _data_in_layer(host, container, top)
        if data is not None:
            yield data


def _data_in_memory(host: Host, services: Iterable[Container]) -> Iterator[UnkeptData]:
    """The databases in folders that are emptied with the container, or when the host boots."""
    places = [place for container in services for place in _short_lived(container)]
    for place in host.first(places, MOST, "folders in memory"):
        listing = host.ask(ListFolder(place.path, root=place.root or None))
        names = [] if isinstance(listing, Failed) else listing.names
        name = next(filter(_DATABASE.fullmatch, names), "")
        if name:
            yield UnkeptData(place.container, place.kind, place.folder, name, place.source)


def _may_keep(container: Container) -> bool:
    """Whether a container has a place for data, by its mounts."""
    return any(
        is_for_data(mount) or (mount.is_anonymous and keeps_data(mount.destination))
        for mount in container.mounts
    )


def _data_in_layer(host: Host, container: Container, top: str) -> UnkeptData | None:
    """The first database in a layer, or a small file with accounts or settings."""
    walk = host.ask(WalkFolder(top, seconds=WALK_S))
    if isinstance(walk, Failed):
        return None
    files = [(*posixpath.split(file.path.removeprefix(top)), file.bytes) for file in walk.largest]
    data_files = [
        (folder, name, size) for folder, name, size in files if folder and keeps_data(folder)
    ]
    for folder, name, size in data_files:
        if _DATABASE.fullmatch(name) is not None and size >= LEAST:
            return UnkeptData(container, "layer", folder, name)
    if not any(container.published_by("tcp")):
        return None
    small = [(folder, name) for folder, name, _ in data_files if _is_for_keeping(folder)]
    return _small_data(container, by_key(small))


def _is_for_keeping(folder: str) -> bool:
    return bool(_FOR_KEEPING.search(folder)) and not is_of_installer(folder)


def _small_data(container: Container, names: Mapping[str, Sequence[str]]) -> UnkeptData | None:
    """A file in a layer that is data by its name, whatever its size. names: by folder."""
    for folder, names_inside in names.items():
        telling = [
            name for name in names_inside if _ACCOUNTS.fullmatch(name) or _DATABASE.fullmatch(name)
        ]
        settings = [name for name in names_inside if _SETTINGS.fullmatch(name)]
        if telling or len(settings) >= _LEAST_SETTINGS:
            return UnkeptData(container, "layer", folder, (telling or settings)[0])
    return None


class _DataPlace(msgspec.Struct, frozen=True):
    container: Container
    kind: str
    folder: str
    path: str
    root: str = ""
    source: str = ""


def _short_lived(container: Container) -> Iterator[_DataPlace]:
    """The mounts of a container that end with it, or with the next boot."""
    root = f"/proc/{container.state.pid}/root"
    in_memory = [mount.destination for mount in container.mounts if mount.type == "tmpfs"]
    for path in dict.fromkeys([*(container.host_config.tmpfs or ()), *in_memory]):
        if not _OF_MEMORY.match(path):
            yield _DataPlace(container, "memory", path, path, root)
    for mount in _temporary_mounts(container.bind_mounts):
        yield _DataPlace(
            container, "temporary", mount.destination, mount.source, source=mount.source
        )


def _temporary_mounts(mounts: Sequence[Mount]) -> list[Mount]:
    return [
        mount
        for mount in mounts
        if mount.rw
        and mount.source.startswith(_TEMPORARY)
        and "." not in posixpath.basename(mount.source)
    ]
