"""A path that one container names to another, which has its folder at another place. Pure."""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired

_DOWNLOADS = LazyPattern(
    r"(?:^|/)[\w.-]*(?:aria2|deluge|nzbget|qbittorrent|rtorrent|rutorrent|sabnzbd|transmission)"
)
"""Image names of download clients."""


class TranslatedPath(msgspec.Struct, frozen=True):
    """The container that names a path, and the other container's own path for that folder."""

    namer: Container
    remote: str
    """The folder as the one that names it has it."""
    local: str
    """The same folder in the other container; "" where none of its mounts has it."""
    source: str
    """The folder on the host."""

    @property
    def clause(self) -> str:
        if self.local:
            return (
                f"{self.namer} means {self.source} of the host, which this one has as {self.local}"
            )
        return f"{self.namer} means {self.source} of the host, which this one does not have"


def translated_path(
    container: Container, containers: Containers, path: str
) -> TranslatedPath | None:
    """The translation of a path that only one other running container can have named; or None."""
    peers = [peer for peer in containers.running if peer.id != container.id]
    mounts = paired(peers, lambda peer: _innermost_mount(peer, path))
    peer_places = [(peer, mount.on_host(path)) for peer, mount in mounts]
    mount_of_path = _innermost_mount(container, path)
    foreign_places = [
        (peer, place)
        for peer, place in peer_places
        if mount_of_path is None or mount_of_path.on_host(path) != place
    ]
    candidates = [
        _translated_folder(peer, path, place, local)
        for peer, place in foreign_places
        for local in _own_places(container, place)
    ]
    if candidates:
        return only(candidates)
    clients = [
        (peer, place) for peer, place in foreign_places if _DOWNLOADS.search(peer.config.image)
    ]
    client = only(clients)
    if client is None:
        return None
    peer, place = client
    folder = posixpath.dirname(path)
    return TranslatedPath(peer, folder, "", posixpath.dirname(place))


def _innermost_mount(container: Container, path: str) -> Mount | None:
    """The mount of the host that holds the path in a container."""
    mounts = [
        mount
        for mount in container.mounts
        if mount.has_host_path and is_within(path, mount.destination)
    ]
    return max(mounts, key=lambda mount: len(mount.destination), default=None)


def _own_places(container: Container, place: str) -> Iterator[str]:
    """The path in the container of a path of the host; empty where no mount has it."""
    holding = [
        mount
        for mount in container.mounts
        if mount.has_host_path and is_within(place, mount.source)
    ]
    mount = max(holding, key=lambda mount: len(mount.source), default=None)
    if mount is not None:
        yield mount.destination.rstrip("/") + place.removeprefix(mount.source.rstrip("/"))


def _translated_folder(namer: Container, path: str, place: str, local: str) -> TranslatedPath:
    """The folders above the common end of both paths."""
    while posixpath.basename(path) == posixpath.basename(local) == posixpath.basename(place):
        path, local, place = map(posixpath.dirname, (path, local, place))
    return TranslatedPath(namer, path, local, place)
