"""Other places where the containers of this host may lie.

Disks that should be mounted, and other data roots.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Self

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import parse_flags, parse_text
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DEFAULT, DataRoot
from diagnose.evidence.machine.processes import Process
from diagnose.evidence.storage.mounts import Mounts, unescaped_path
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.model.findings import number_of
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text, folder_listing
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

FSTAB = "/etc/fstab"
UNIT_FOLDER = "/etc/systemd/system"
USUAL = (
    DEFAULT, "/data/docker", "/srv/docker", "/opt/docker", "/home/docker", "/mnt/docker",
    "/var/snap/docker/common/var-lib-docker",
)  # fmt: skip
"""Data roots on hosts that were moved away from the default, and that of the snap."""
BELOW_A_DISK = ("", "/docker", "/var/lib/docker", "/lib/docker", "/docker-data")
MOST_DISKS = 20
MOST_UNITS = 50
REMAPPED = LazyPattern(r"/\d+\.\d+$")
"""The folder that an engine with userns-remap keeps below its data root: UID.GID of its first
subordinate id."""
_ID = LazyPattern(r"[0-9a-f]{64}")
_WHERE = LazyPattern(r"^Where=(.+)$", re.MULTILINE)


class PlannedMount(msgspec.Struct, frozen=True):
    """A mount that the host's configuration asks for and that is not there."""

    point: str
    source: str
    declared_in: str
    """The file that asks for it."""


class OtherRoot(msgspec.Struct, frozen=True):
    """A folder that looks like another engine's data root and has containers."""

    path: str
    containers: int


class RunningEngine(msgspec.Struct, frozen=True):
    """Another engine of this host that lives and has no socket of its own.

    It wants the socket that the engine of the report serves: the docker command reaches one alone.
    """

    pid: int
    path: str
    """Its data root."""
    containers: int


class DataRootCandidates(msgspec.Struct, frozen=True):
    """The data root that the engine uses, and places that may be meant instead."""

    path: str
    """The data root in use."""
    containers: int
    """Containers that the engine has, running or not."""
    unmounted: tuple[PlannedMount, ...] = ()
    """Planned mounts at, above or below the data root that are not there."""
    others: tuple[OtherRoot, ...] = ()
    """Data roots beside it, read only where the engine has no container; those of other living
    engines are left out."""
    running: tuple[RunningEngine, ...] = ()
    """Other living engines that have containers."""


class UnmountedRoot(msgspec.Struct, frozen=True):
    """Planned mounts at, above or below the data root that are not there."""

    planned: tuple[PlannedMount, ...] = ()


@evidence
def unmounted_root(
    host: Host, root: DataRoot, daemon: Daemon, mounts: Mounts
) -> UnmountedRoot | Unavailable:
    """The data root's disk that should be mounted and is not.

    By fstab and mount units alone, so that it is known of an engine that does not start.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    return UnmountedRoot(
        tuple(
            mount for mount in planned_mounts(host) if _is_missing(mount.point, root.path, mounts)
        )
    )


@evidence
def data_root_candidates(
    host: Host,
    root: DataRoot,
    daemon: Daemon,
    mounts: Mounts,
    containers: Containers,
    unmounted: UnmountedRoot,
) -> DataRootCandidates | Unavailable:
    """The places that may be the intended data root.

    From fstab and mount units; for an engine without containers, also other folders that look like
    one.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    count = len(containers) + number_of(containers.unexamined)
    engines = _other_engines(host, daemon)
    taken = frozenset(settings.data_root for _, settings in engines)
    other_folders = () if count else tuple(_other_roots(host, root.path, mounts, taken))
    running = tuple(_running_engines(host, root.path, engines))
    return DataRootCandidates(root.path, count, unmounted.planned, other_folders, running)


def planned_mounts(host: Host) -> Iterator[PlannedMount]:
    """All mounts that fstab and the units of systemd ask for at boot."""
    yield from planned_in_fstab(file_text(host, FSTAB))
    names = folder_listing(host, UNIT_FOLDER).names
    units = [name for name in names if name.endswith(".mount")]
    for name in units[:MOST_UNITS]:
        path = f"{UNIT_FOLDER}/{name}"
        unit = file_text(host, path)
        if where := _WHERE.search(unit):
            source = re.search(r"^What=(.+)$", unit, re.MULTILINE)
            yield PlannedMount(where[1].strip(), source[1].strip() if source else "", path)


def planned_in_fstab(text: str) -> Iterator[PlannedMount]:
    """The mounts that fstab(5) asks for at boot.

    `noauto` lines are for a person, and swap has no mount point.
    """
    for line in text.splitlines():
        words = line.split()
        if len(words) < 4 or words[0].startswith("#") or not words[1].startswith("/"):
            continue
        if "noauto" not in words[3].split(","):
            point = unescaped_path(words[1])
            yield PlannedMount(point.rstrip("/") or "/", words[0], FSTAB)


def _is_missing(point: str, root: str, mounts: Mounts) -> bool:
    """Whether a planned mount for the data root, or a folder of it, is missing."""
    if point == "/" or not (is_within(root, point) or is_within(point, root)):
        return False
    return all(mounted.point != point for mounted in mounts)


class _EngineSettings(msgspec.Struct, frozen=True):
    """The settings of an engine by its command line, and by the file that this names."""

    data_root: str
    has_own_socket: bool
    """Whether an option or the file says where it listens."""

    @classmethod
    def of(cls, host: Host, process: Process) -> Self:
        flags = parse_flags((process.cmdline or [])[1:])
        roots = [*flags.get("data-root", ()), *flags.get("graph", ())]
        is_set = bool(flags.get("host"))
        for path in flags.get("config-file", ()):
            values = parse_text(file_text(host, path)).values
            is_set = is_set or bool(values.get("hosts"))
            configured = values.get("data-root")
            if isinstance(configured, str):
                roots.append(configured)
        return cls((roots[-1] if roots else DEFAULT).rstrip("/"), is_set)


def taken_roots(host: Host, daemon: Daemon) -> frozenset[str]:
    """The data roots of other engines that live here."""
    return frozenset(settings.data_root for _, settings in _other_engines(host, daemon))


def _other_engines(host: Host, daemon: Daemon) -> list[tuple[Process, _EngineSettings]]:
    """The other engines that live here, with their settings."""
    return [(process, _EngineSettings.of(host, process)) for process in daemon.processes.others]


def _running_engines(
    host: Host, root: str, engines: Iterable[tuple[Process, _EngineSettings]]
) -> Iterator[RunningEngine]:
    """The other engines of root that have containers, and no socket of their own."""
    for process, settings in engines:
        if process.uid or settings.has_own_socket or settings.data_root == root:
            continue
        containers = _count_of_containers(host, settings.data_root)
        if containers:
            yield RunningEngine(process.pid, settings.data_root, containers)


def _other_roots(
    host: Host, root: str, mounts: Mounts, taken_roots: frozenset[str]
) -> Iterator[OtherRoot]:
    """The folders that look like a data root, with the containers in them; each folder once."""
    paths = [
        path for path in likely_roots(root, mounts) if path not in taken_roots and path != root
    ]
    stats = host.ask(StatPaths([f"{path}/containers" for path in paths]))
    if isinstance(stats, Failed):
        return
    known_places: set[tuple[str, int]] = set()
    for path in [*paths, *_remapped_below(host, root)]:
        status = stats.get(f"{path}/containers")
        if status is not None:
            is_known = (status.dev, status.ino) in known_places
            if status.type != "folder" or is_known:
                continue
            known_places.add((status.dev, status.ino))
        count = _count_of_containers(host, path)
        if count:
            yield OtherRoot(path, count)


def _count_of_containers(host: Host, root: str) -> int:
    listing = folder_listing(host, f"{root}/containers")
    return sum(bool(_ID.fullmatch(name)) for name in listing.names)


def likely_roots(root: str, mounts: Mounts) -> Iterable[str]:
    """The likely data roots of this host, by common paths and its disks. root: the one in use."""
    disks = [
        mount.point
        for mount in mounts
        if mount.source.startswith("/dev/") and mount.point not in ("/", root)
    ]
    paths = dict.fromkeys(USUAL)
    if REMAPPED.search(root):
        paths[REMAPPED.sub("", root)] = None
    for point in dict.fromkeys(disks[:MOST_DISKS]):
        if not is_within(point, root):
            paths |= dict.fromkeys(f"{point}{name}" for name in BELOW_A_DISK)
    return paths


def _remapped_below(host: Host, root: str) -> list[str]:
    """Data roots of the time when this engine remapped its users, below the one in use."""
    names = folder_listing(host, root).names
    return [f"{root}/{name}" for name in names if REMAPPED.fullmatch(f"/{name}")]
