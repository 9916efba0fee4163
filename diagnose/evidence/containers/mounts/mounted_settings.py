"""What the mounted files of settings of a container say of one subject."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, Parts, ReadFile

_MOST = 20
"""Files that are read of one container."""


def mounted_settings(
    host: Host,
    container: Container,
    parts: Parts,
    names: LazyPattern,
    folders: LazyPattern,
    *,
    with_volumes: bool = False,
) -> Iterator[tuple[ReadFile, str]]:
    """The files and those of their parts that are wanted; a file that cannot be read is left out.

    names: files that hold settings, mounted alone or in a mounted folder. folders: where those
    folders are in the container. with_volumes: volumes are looked at too.
    """
    mounts = container.mounts if with_volumes else container.bind_mounts
    mounted = [mount for mount in mounts if mount.has_host_path]
    for file in itertools.islice(_files(host, mounted, parts, names, folders), _MOST):
        text = host.ask(file)
        if not isinstance(text, Failed):
            yield file, text.text


def _files(
    host: Host, mounts: Sequence[Mount], parts: Parts, names: LazyPattern, folders: LazyPattern
) -> Iterator[ReadFile]:
    for mount in mounts:
        if names.search(mount.destination):
            yield ReadFile(mount.source, parts=parts)
        elif folders.match(mount.destination):
            listing = host.ask(ListFolder(mount.source))
            entries = [] if isinstance(listing, Failed) else listing.entries
            yield from (
                ReadFile(f"/{entry.name}", root=mount.source, parts=parts)
                for entry in entries
                if names.search(entry.name)
            )
