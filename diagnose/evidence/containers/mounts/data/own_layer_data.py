"""Data that containers keep in their writable layer, beside a mount that was meant for it.

A newer image keeps its data in another folder, or the mount's path was misspelt: the program writes
into the container itself, and the mount stays as it was.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.images.layers import Layers, layer_folder_of
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.data_root import WalkedFolder, WalkFolder
from diagnose.questions.files import ListFolder, StatPaths
from diagnose.registry import evidence

MOST = 16
"""Containers whose layer is walked."""
MOST_MOUNTS = 40
"""Maximum number of mounts whose folder is listed: an update, which moves the data, creates a new
container."""
MOST_ENTRIES = 20
WALK_S = 0.3
DEPTH = 6
LEAST = 64 * 1024
"""Bytes; a program that keeps less there has its marks and its cache there."""
LEAST_GUESSED = 256 * 1024
"""Bytes in a folder of another name than the mount's."""
_NEARLY_ALL = 0.9
_OF_INSTALLERS = LazyPattern(
    r"^(?:bin|boot|etc|lib\w{0,4}|sbin|usr(?!/src/)|opt/venv|root/\.|home/[\w.-]{1,64}/\.(?:npm|cargo|local/lib))(?:/|$)"
    r"|(?:^|/)(?:__pycache__|\.git|\.next|\.venv|build|compiled|dist|framework|target|vendor)(?:/|$)"
)
"""Folders of programs, and of what is built or installed in a container."""
_NO_DATA = LazyPattern(
    r"""
    (?:^|/)(?:
          (?:var/)?(?:tmp|run|log|cache)
        | proc | sys | dev | root/\.\w{1,20} | logs? | \.?cache | [._]?te?mp | sessions?
        | spool | node_modules | (?:site|dist)-packages
        | usr/(?:include|lib(?:exec)?/python[\d.]{1,5})
        | var/lib/(?:apt|dpkg)
      )(?:/|$)
    """,
    re.VERBOSE,
)
"""Folders with dispensable files, and those of installed packages."""
_OF_OTHERS = LazyPattern(
    r"""
      ^/etc/
    | (?:^|/)(?:
            assets | backups? | certs? | dist | downloads? | etc | import | logs? | media
          | movies | music | photos | plugins | public | scripts | ssl | static
          | templates | themes | tv
        )/?$
    | \.(?:
            cnf | conf | crt | env | ini | js | json | key | pem | php | pid | properties
          | py | sh | sock | sql | toml | txt | xml | ya?ml
        )$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Mounts that a program may leave unused, and whose names many folders of an image have; files."""
_OF_A_HOME = LazyPattern(r"(?:root|home/[\w.-]{1,64})/\.(?P<kind>local/share|config)/[\w.-]{1,100}")
"""Folders of a program's files for one user, if no setting names another folder."""
_MEANT = {"local/share": ("data", "db", "storage"), "config": ("config",)}
"""Names of the mounts for these files."""
_USUAL = frozenset({"app", "config", "data", "lib", "storage", "var"})
"""Names of folders that say little: many programs have several of them."""


class MeantFolder(msgspec.Struct, frozen=True):
    """A folder of a home in a container's writable layer, and the empty mount meant for it."""

    mount: Mount
    folder: str
    """As the container calls it."""


class OwnLayerData(msgspec.Struct, frozen=True):
    """A folder of a container's writable layer, and the mount that it is called like."""

    container: Container
    mount: Mount
    folder: str
    """The path in the container."""
    bytes: int
    is_empty: bool
    """Whether the mount holds nothing at all."""
    is_swapped: bool = False
    """Whether the folder is the source of the mount: its two paths are in the wrong order."""
    is_guess: bool = False
    """Whether nothing but their use connects the two: the only mount, and the only folder."""
    further: tuple[MeantFolder, ...] = ()
    """Folders that a new container would lack too, whatever their size."""

    @property
    def store(self) -> str:
        """The intended mount: a volume by its name, or a folder of the host."""
        return self.mount.destination if self.is_swapped else self.mount.name or self.mount.source

    @property
    def store_folder(self) -> str:
        """Its folder on the host."""
        return self.mount.destination if self.is_swapped else self.mount.source


class OwnLayerDataList(Items[OwnLayerData], frozen=True):
    """The data in writable layers, at most one folder for each container."""


@evidence
def own_layer_data(host: Host, containers: Containers, layers: Layers | None) -> OwnLayerDataList:
    """The data in writable layers of containers whose mount for it stays unused.

    A layer is walked only where a mount of the container was left alone since its creation. Mounts
    are listed of running containers, the youngest first, and the times of entries are read.
    """
    misplaced: list[OwnLayerData] = []
    walked = looked_at = 0
    for container in sorted(containers.running, key=lambda running: -(running.created_at or 0.0)):
        top = layer_folder_of(container, layers)
        mounts = [mount for mount in container.mounts if is_for_data(mount)] if top else []
        if looked_at + len(mounts) > MOST_MOUNTS:
            break
        looked_at += len(mounts)
        idle = [
            (mount, entries)
            for mount in mounts
            if (entries := _unchanged_entries(host, container, mount)) is not None
        ]
        if idle and walked < MOST:
            walked += 1
            misplaced += _data_in_layer(host, container, top, idle)
    return OwnLayerDataList(tuple(misplaced))


def is_for_data(mount: Mount) -> bool:
    """Whether a person mounted it by its name, for the program to write there."""
    is_own = mount.rw and mount.has_host_path and not mount.is_anonymous
    return is_own and not _OF_OTHERS.search(mount.destination)


def keeps_data(path: str) -> bool:
    """Whether a folder of a container may hold data that its program should keep."""
    return not _NO_DATA.search(path.lstrip("/"))


def is_of_installer(path: str) -> bool:
    """Whether a folder of a container holds programs, or what is built or installed there."""
    return bool(_OF_INSTALLERS.search(path.lstrip("/")))


def _unchanged_entries(host: Host, container: Container, mount: Mount) -> Sequence[str] | None:
    """The entries of a mount that nobody changed since the container's creation; else None."""
    listing = host.ask(ListFolder(mount.source))
    made = container.created_at
    if isinstance(listing, Failed) or made is None:
        return None
    names = listing.names[:MOST_ENTRIES]
    if not names:
        return ()
    times = host.ask(StatPaths([f"{mount.source}/{name}" for name in names]))
    if isinstance(times, Failed):
        return None
    changed = [status.mtime for status in times.values() if status.mtime is not None]
    return names if changed and max(changed) < made else None


def _data_in_layer(
    host: Host, container: Container, top: str, idle: Sequence[tuple[Mount, Sequence[str]]]
) -> Iterator[OwnLayerData]:
    """The one folder of the layer that is called like an idle mount."""
    walk = host.ask(WalkFolder(top, seconds=WALK_S, depth=DEPTH))
    if isinstance(walk, Failed) or walk.bytes < LEAST:
        return
    sums = _sums(walk.by)
    for mount, entries in idle:
        source = mount.source.strip("/")
        is_source = mount.type == "bind" and not entries and sums.get(source, 0) >= LEAST
        if is_source and _is_unmounted_data(container, source) and _is_of_host(host, mount):
            yield OwnLayerData(
                container, mount, f"/{source}", sums[source], is_empty=True, is_swapped=True
            )
            return
        name = posixpath.basename(mount.destination.rstrip("/"))
        alike = [
            path
            for path, size in sums.items()
            if size >= LEAST
            and posixpath.basename(path).lower() == name.lower()
            and _is_unmounted_data(container, path)
        ]
        alike = [path for path in alike if _fits(name, entries, path, sums)]
        path = only(alike) or ("" if entries else _folder_in_home(name, container, sums))
        if path:
            further = tuple(
                folder for folder in _meant_folders(container, sums, idle) if folder.mount != mount
            )
            yield OwnLayerData(
                container, mount, f"/{path}", sums[path], is_empty=not entries, further=further
            )
            return
    path = _only_data_folder(container, sums)
    is_one_empty_mount = len(idle) == 1 and not idle[0][1]
    if path and is_one_empty_mount and not _is_program(host, top, path, walk):
        yield OwnLayerData(
            container, idle[0][0], f"/{path}", sums[path], is_empty=True, is_guess=True
        )


def _is_program(host: Host, top: str, path: str, walk: WalkedFolder) -> bool:
    """Whether the largest file of a folder of the layer is a program, as a start script unpacks."""
    folder = f"{top}/{path}"
    largest = next((file.path for file in walk.largest if is_within(file.path, folder)), "")
    status = host.answer_or(StatPaths([largest]), {}).get(largest) if largest else None
    return status is not None and bool((status.mode or 0) & 0o111)


def _only_data_folder(container: Container, sums: Mapping[str, int]) -> str:
    """The innermost folder with nearly all data of a program without other mounts.

    "" for several, and where it is code or an installer's output.
    """
    data_mounts = [mount for mount in container.mounts if is_for_data(mount)]
    data = {
        path: size
        for path, size in sums.items()
        if not is_of_installer(path) and _is_unmounted_data(container, path)
    }
    alone = _sizes_alone(sums)
    total = sum(alone[path] for path in data)
    if len(data_mounts) != 1 or total < LEAST_GUESSED:
        return ""
    around = [path for path, size in data.items() if size >= _NEARLY_ALL * total and "/" in path]
    return max(around, key=len, default="")


def _sizes_alone(sums: Mapping[str, int]) -> dict[str, int]:
    """The bytes in each folder without those in its own folders; there may be thousands."""
    alone = dict(sums)
    for path, size in sums.items():
        around = posixpath.dirname(path)
        if around in alone:
            alone[around] -= size
    return alone


def _is_of_host(host: Host, mount: Mount) -> bool:
    """Whether a mount's path in the container is a folder of the host, and below its top.

    `/data:/export` is for data that the container hands out, whatever else it keeps in its own
    /data.
    """
    path = mount.destination
    statuses = host.answer_or(StatPaths([path]), {})
    return path.count("/") > 1 and path in statuses and statuses[path].type == "folder"


def _meant_folders(
    container: Container, sums: Mapping[str, int], idle: Sequence[tuple[Mount, Sequence[str]]]
) -> Iterator[MeantFolder]:
    """The folders of a home that empty mounts are meant for, small ones too: settings are small."""
    for mount, entries in idle:
        name = posixpath.basename(mount.destination.rstrip("/"))
        path = "" if entries else _folder_in_home(name, container, sums, least=1)
        if path:
            yield MeantFolder(mount, f"/{path}")


def _folder_in_home(
    name: str, container: Container, sums: Mapping[str, int], *, least: int = LEAST
) -> str:
    """The folder of a home with the data for an empty mount of this name; "" for none."""
    large = [path for path, size in sums.items() if size >= least]
    meant = [path for path in large if name in _names_meant_for(path)]
    return only([path for path in meant if not _is_mounted(container, f"/{path}")]) or ""


def _names_meant_for(path: str) -> tuple[str, ...]:
    """The names of mounts that are meant for a folder of a home; none for another folder."""
    match = _OF_A_HOME.fullmatch(path)
    return _MEANT[match["kind"]] if match is not None else ()


def _fits(name: str, entries: Sequence[str], path: str, sums: Mapping[str, int]) -> bool:
    """Whether a folder with a usual name has an entry of the mount too, or the mount none."""
    inside = {
        other[len(path) + 1 :].split("/")[0] for other in sums if other.startswith(f"{path}/")
    }
    return name not in _USUAL or not entries or not inside.isdisjoint(entries)


def _sums(by: Mapping[str, int]) -> dict[str, int]:
    """The bytes below each folder, with those of the folders in it."""
    sums: dict[str, int] = {}
    for path, size in by.items():
        parts = path.strip("/").split("/")
        for end in range(1, len(parts) + 1):
            folder = "/".join(parts[:end])
            sums[folder] = sums.get(folder, 0) + size
    return sums


def _is_unmounted_data(container: Container, path: str) -> bool:
    """Whether a folder of the writable layer may hold data of the program, and no mount hides it.

    path: without the first slash.
    """
    return not _NO_DATA.search(path) and not _is_mounted(container, f"/{path}")


def _is_mounted(container: Container, path: str) -> bool:
    """Whether a folder is a mount of the container, or below one, or holds one."""
    return any(
        is_within(path, mount.destination) or is_within(mount.destination, path)
        for mount in container.mounts
    )
