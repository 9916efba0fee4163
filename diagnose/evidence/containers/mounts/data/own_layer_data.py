"""Data that containers keep in their writable layer, beside a mount that was meant for it.

A newer image keeps its data in another folder, or the mount's path was misspelt: the program writes
into the container itself, and the mount stays as it was.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

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
from diagnose.questions.file_answers import path_statuses
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


class _IdleMount(msgspec.Struct, frozen=True):
    """A mount that nobody changed since the container's creation."""

    mount: Mount
    entries: Sequence[str]

    @property
    def is_empty(self) -> bool:
        return not self.entries

    @property
    def name(self) -> str:
        return posixpath.basename(self.mount.destination.rstrip("/"))


class _Layer(msgspec.Struct, frozen=True):
    """The writable layer of a container, and the bytes below each of its folders."""

    container: Container
    top: str
    """Its folder on the host."""
    walk: WalkedFolder
    sums: Mapping[str, int]
    """By path without the first slash."""

    def holds_data_at(self, path: str) -> bool:
        """Whether a folder is large enough, may hold data of the program, and no mount hides it."""
        return self.sums.get(path, 0) >= LEAST and _is_unmounted_data(self.container, path)

    def data_at(self, path: str, idle: _IdleMount) -> OwnLayerData:
        """The folder of this path as the data that the mount was meant for."""
        return OwnLayerData(
            self.container, idle.mount, f"/{path}", self.sums[path], is_empty=idle.is_empty
        )


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
        idle_mounts = list(_idle_mounts(host, container, mounts))
        if not idle_mounts or walked >= MOST:
            continue
        walked += 1
        data = _data_in_layer(host, container, top, idle_mounts)
        if data is not None:
            misplaced.append(data)
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


def _idle_mounts(host: Host, container: Container, mounts: Iterable[Mount]) -> Iterator[_IdleMount]:
    """The mounts that nobody changed since the container's creation."""
    for mount in mounts:
        entries = unchanged_entries(host, container, mount)
        if entries is not None:
            yield _IdleMount(mount, entries)


def unchanged_entries(host: Host, container: Container, mount: Mount) -> Sequence[str] | None:
    """The entries of a mount that nobody changed since the container's creation; else None."""
    listing = host.ask(ListFolder(mount.source))
    created_at = container.created_at
    if isinstance(listing, Failed) or created_at is None:
        return None
    names = listing.names[:MOST_ENTRIES]
    if not names:
        return ()
    times = host.ask(StatPaths([f"{mount.source}/{name}" for name in names]))
    if isinstance(times, Failed):
        return None
    changed = [status.mtime for status in times.values() if status.mtime is not None]
    return names if changed and max(changed) < created_at else None


def _data_in_layer(
    host: Host, container: Container, top: str, idle_mounts: Sequence[_IdleMount]
) -> OwnLayerData | None:
    """The one folder of the layer that belongs on an idle mount; None without one."""
    walk = host.ask(WalkFolder(top, seconds=WALK_S, depth=DEPTH))
    if isinstance(walk, Failed) or walk.bytes < LEAST:
        return None
    layer = _Layer(container, top, walk, _sums(walk.by))
    for idle in idle_mounts:
        if _is_swapped(host, layer, idle):
            return replace(layer.data_at(idle.mount.source.strip("/"), idle), is_swapped=True)
        path = _folder_called_like(idle, layer)
        if path:
            folders = _meant_folders(layer, idle_mounts)
            further = tuple(folder for folder in folders if folder.mount != idle.mount)
            return replace(layer.data_at(path, idle), further=further)
    only_mount = only(idle_mounts)
    if only_mount is None or not only_mount.is_empty:
        return None
    path = _only_data_folder(container, layer.sums)
    if not path or _is_program(host, layer, path):
        return None
    return replace(layer.data_at(path, only_mount), is_guess=True)


def _is_swapped(host: Host, layer: _Layer, idle: _IdleMount) -> bool:
    """Whether the program writes to the mount's source, as if that were its path inside."""
    is_empty_folder = idle.mount.type == "bind" and idle.is_empty
    source = idle.mount.source.strip("/")
    return is_empty_folder and layer.holds_data_at(source) and _is_of_host(host, idle.mount)


def _folder_called_like(idle: _IdleMount, layer: _Layer) -> str:
    """The one folder of the layer with the name of the mount, or one of a home; "" for none."""
    namesakes = [
        path
        for path in layer.sums
        if posixpath.basename(path).lower() == idle.name.lower() and layer.holds_data_at(path)
    ]
    fitting = [path for path in namesakes if _fits(idle, path, layer.sums)]
    return only(fitting) or _folder_in_home(idle, layer)


def _is_program(host: Host, layer: _Layer, path: str) -> bool:
    """Whether the largest file of a folder of the layer is a program, as a start script unpacks."""
    folder = f"{layer.top}/{path}"
    largest = next((file.path for file in layer.walk.largest if is_within(file.path, folder)), "")
    status = path_statuses(host, [largest]).get(largest) if largest else None
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
    own_sizes = _sizes_alone(sums)
    total = sum(own_sizes[path] for path in data)
    if len(data_mounts) != 1 or total < LEAST_GUESSED:
        return ""
    enclosing = [path for path, size in data.items() if size >= _NEARLY_ALL * total and "/" in path]
    return max(enclosing, key=len, default="")


def _sizes_alone(sums: Mapping[str, int]) -> dict[str, int]:
    """The bytes in each folder without those in its own folders; there may be thousands."""
    own_sizes = dict(sums)
    for path, size in sums.items():
        parent = posixpath.dirname(path)
        if parent in own_sizes:
            own_sizes[parent] -= size
    return own_sizes


def _is_of_host(host: Host, mount: Mount) -> bool:
    """Whether a mount's path in the container is a folder of the host, and below its top.

    `/data:/export` is for data that the container hands out, whatever else it keeps in its own
    /data.
    """
    path = mount.destination
    statuses = path_statuses(host, [path])
    return path.count("/") > 1 and path in statuses and statuses[path].type == "folder"


def _meant_folders(layer: _Layer, idle_mounts: Iterable[_IdleMount]) -> Iterator[MeantFolder]:
    """The folders of a home that empty mounts are meant for, small ones too: settings are small."""
    for idle in idle_mounts:
        path = _folder_in_home(idle, layer, least=1)
        if path:
            yield MeantFolder(idle.mount, f"/{path}")


def _folder_in_home(idle: _IdleMount, layer: _Layer, *, least: int = LEAST) -> str:
    """The folder of a home with the data for an empty mount; "" for none, and for a filled one."""
    if not idle.is_empty:
        return ""
    large = [path for path, size in layer.sums.items() if size >= least]
    intended = [path for path in large if idle.name in _names_meant_for(path)]
    return only([path for path in intended if not _is_mounted(layer.container, f"/{path}")]) or ""


def _names_meant_for(path: str) -> tuple[str, ...]:
    """The names of mounts that are meant for a folder of a home; none for another folder."""
    match = _OF_A_HOME.fullmatch(path)
    return _MEANT[match["kind"]] if match is not None else ()


def _fits(idle: _IdleMount, path: str, sums: Mapping[str, int]) -> bool:
    """Whether a folder with a usual name has an entry of the mount too, or the mount none."""
    if idle.is_empty or idle.name not in _USUAL:
        return True
    beginning = f"{path}/"
    below = [folder for folder in sums if folder.startswith(beginning)]
    names = {folder.removeprefix(beginning).partition("/")[0] for folder in below}
    return not names.isdisjoint(idle.entries)


def _sums(sizes: Mapping[str, int]) -> dict[str, int]:
    """The bytes below each folder, with those of the folders in it."""
    sums: dict[str, int] = {}
    for path, size in sizes.items():
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
