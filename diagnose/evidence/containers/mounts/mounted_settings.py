"""Lines about one subject in the mounted settings files of a container."""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_parts import Parts
from diagnose.questions.files import FolderEntry, ListFolder, ReadFile

_MOST = 20
"""Files that are read of one container."""
_MOST_PACKAGES = 8
"""Folders of a mounted folder that are listed."""
SETTINGS_FILE = LazyPattern(r"\.(?:conf|cfg|ya?ml|toml|json|ini|env|properties)$|(?:^|/)Caddyfile$")
SETTINGS_FOLDER = LazyPattern(r"^/etc/|^/(?:config|conf|data|app/config)(?:/|$)|^/usr/local/")
"""The files and the folders in which most programs have the places that they call."""


class MountedSettings(msgspec.Struct, frozen=True):
    """A mounted file of settings, or the parts of it that were asked for."""

    file: ReadFile
    text: str

    @property
    def path(self) -> str:
        """On the host."""
        return f"{self.file.root or ''}{self.file.path}"


def mounted_settings(
    host: Host,
    container: Container,
    parts: Parts | None,
    names: LazyPattern,
    folders: LazyPattern,
    *,
    with_volumes: bool = False,
    is_deep: bool = False,
) -> Iterator[MountedSettings]:
    """The files and those of their parts that are wanted; a file that cannot be read is left out.

    names: files that hold settings, mounted alone or in a mounted folder. folders: where those
    folders are in the container. with_volumes: volumes are looked at too. is_deep: so are
    the folders of a mounted folder, where the code of a program has its packages.
    """
    mounts = container.mounts if with_volumes else container.bind_mounts
    mounted = [mount for mount in mounts if mount.has_host_path]
    for file in itertools.islice(
        _files(host, mounted, parts=parts, names=names, folders=folders, is_deep=is_deep), _MOST
    ):
        text = host.ask(file)
        if not isinstance(text, Failed):
            yield MountedSettings(file, text.text)


def _files(
    host: Host,
    mounts: Sequence[Mount],
    parts: Parts | None,
    names: LazyPattern,
    folders: LazyPattern,
    *,
    is_deep: bool,
) -> Iterator[ReadFile]:
    """The files of settings that are mounted by themselves, and those in mounted folders."""
    for mount in mounts:
        if names.search(mount.destination):
            yield ReadFile(mount.source, parts=parts)
        elif folders.match(mount.destination):
            for path in _paths_below(host, mount.source, is_deep=is_deep):
                if names.search(path):
                    yield ReadFile(path, root=mount.source, parts=parts)


def _paths_below(host: Host, root: str, *, is_deep: bool) -> list[str]:
    """The entries of a mounted folder, as paths below it.

    is_deep: with those of its folders that may have code of the program.
    """
    entries = _entries(host, ListFolder(root))
    paths = [f"/{entry.name}" for entry in entries]
    packages = [f"/{entry.name}" for entry in entries if _is_package(entry)]
    if is_deep:
        for folder in packages[:_MOST_PACKAGES]:
            inner = _entries(host, ListFolder(folder, root=root))
            paths += [f"{folder}/{entry.name}" for entry in inner]
    return paths


def _entries(host: Host, folder: ListFolder) -> Sequence[FolderEntry]:
    listing = host.ask(folder)
    return () if isinstance(listing, Failed) else listing.entries


def _is_package(entry: FolderEntry) -> bool:
    """Whether a folder may have code of the program itself."""
    return entry.type == "folder" and not entry.name.startswith(
        (".", "_", "node_modules", "vendor")
    )
