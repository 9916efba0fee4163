"""Mounts of running containers whose source was deleted, replaced or covered since their start."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table, mount_table_of, parse
from diagnose.evidence.storage.volumes.volume_sources import BoundVolumes
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import PathStatus
from diagnose.registry import evidence

DELETED = "//deleted"
"""Suffix that the kernel appends to the root of a mount whose file or folder was deleted or
replaced (fs/d_path.c)."""
ENDED = ("gone", "missing")
"""Reasons why a container that has ended since it was listed has no mount table."""


class StaleMount(msgspec.Struct, frozen=True):
    """A mount of a running container whose source was deleted or replaced since its start."""

    container: Container
    mount: Mount
    covered_by: str = ""
    """The disk that was mounted over the source since then, at which point; "" for a source that
    was deleted or replaced."""
    point: str = ""
    is_hidden: bool = False
    """Whether the engine does not see that disk either: it runs in a mount namespace of its own."""
    held: str = ""
    """The disk that the container still has from its start, where the host has another one by now
    (`covered_by`), or none."""
    held_from: str = ""
    """The host's mount point of that disk at the start."""
    led_to: str = ""
    """The target of the source at the start, where a link leads elsewhere by now; "" for a source
    that is reached as before."""
    is_read_only: bool = False
    """Whether it is read-only alone because the host's mount was at the start, and is no longer."""


class StaleMounts(Items[StaleMount], frozen=True):
    """The mounts in which a container's own mount table differs from its settings or the host."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def stale_mounts(
    host: Host,
    containers: Containers,
    mounts: Mounts | None,
    daemon: Daemon | None,
    bound: BoundVolumes | None = None,
) -> StaleMounts:
    """The mount table of each running container that has a folder or a file of the host.

    By a bind mount, or by a volume that is one.
    Reading it touches no file system; where the tables differ, stat decides.
    """
    stale: list[StaleMount] = []
    unexamined: list[Unexamined] = []
    folders = bound.by_name if bound is not None else {}
    of_host = {container.id: _host_mounts(container, folders) for container in containers.running}
    users = [container for container in containers.running if of_host[container.id]]
    for container, table in host.ask_about(users, mount_table_of):
        if not isinstance(table, Failed):
            stale += _stale_mounts_of(container, of_host[container.id], parse(table.text), mounts)
        elif table.reason not in ENDED:
            unexamined.append(Unexamined(container.subject, f"its mount table: {table}"))
    by_link = [mount for mount in stale if mount.led_to]
    others = list(_confirmed_stale(host, (mount for mount in stale if not mount.led_to)))
    confirmed = [
        *_with_hidden_marked(host, mounts, daemon, others),
        *_whose_link_was_switched(host, by_link),
    ]
    return StaleMounts(tuple(confirmed), tuple(unexamined))


def _host_mounts(container: Container, folders: Mapping[str, str]) -> list[Mount]:
    """The bind mounts, and volumes that are one, with the folder of the host as their source."""
    volumes = [
        replace(mount, source=folders[mount.name])
        for mount in container.mounts
        if mount.type == "volume" and mount.name in folders
    ]
    return [*container.bind_mounts, *volumes]


def _stale_mounts_of(
    container: Container, of_host: Iterable[Mount], table: Iterable[Mounted], mounts: Mounts | None
) -> Iterator[StaleMount]:
    """The mounts of a container whose own table differs from its configuration or from the host."""
    inside = by_key((mounted.point, mounted) for mounted in table)
    for mount in of_host:
        at_destination = inside.get(mount.destination)
        if not at_destination:
            continue
        uppermost = at_destination[-1]
        if uppermost.root.endswith(DELETED):
            yield StaleMount(container, mount)
        elif cover := _covering_mount(mount, uppermost, mounts):
            yield StaleMount(container, mount, cover.source, cover.point)
        elif len(at_destination) == 1 and (now := _differing_mount(mount, uppermost, mounts)):
            point = _point_at_start(mount, uppermost)
            covered_by = now.source if now.point == point else ""
            yield StaleMount(
                container, mount, covered_by, now.point, held=uppermost.source, held_from=point
            )
        elif led_to := _path_behind_link(mount, uppermost, mounts):
            yield StaleMount(container, mount, led_to=led_to)
        elif _was_read_only(mount, uppermost, mounts):
            yield StaleMount(container, mount, is_read_only=True)


def _was_read_only(mount: Mount, mounted_inside: Mounted, mounts: Mounts | None) -> bool:
    """Whether a writable mount is read-only in the container, and the host can write there.

    A container's mount is made with the flags that the host's one has at that time, and keeps them.
    """
    if mounts is None or not mount.rw or not mount.has_host_path:
        return False
    mounted = mounts.of(mount.source)
    is_same = mounted is not None and mounted.dev == mounted_inside.dev
    if mounted is None or not is_same or not mounted_inside.has_flag_ro:
        return False
    return not mounted.has_flag_ro and not mounted.has_read_only_superblock


def _path_behind_link(mount: Mount, mounted: Mounted, mounts: Mounts | None) -> str:
    """The host path of the container's mount, if a link in the source leads there; else "".

    The kernel follows a link when it mounts.
    """
    mount_of_source = (
        mounts.of(mount.source) if mounts is not None and mount.has_host_path else None
    )
    if mounts is None or mount_of_source is None:
        return ""
    at_start = next((path for at in mounts if (path := _as_seen_by(at, mounted))), "")
    literal = _path_in_filesystem(mount_of_source, mount.source)
    return "" if (mount_of_source.dev, literal) == (mounted.dev, mounted.root) else at_start


def _as_seen_by(at: Mounted, mounted: Mounted) -> str:
    """The path of the container's mount by a mount of the host; "" where it does not lie there."""
    root = at.root.rstrip("/")
    if at.dev != mounted.dev or not mounted.root.startswith(f"{root}/"):
        return ""
    return f"{at.point.rstrip('/')}{mounted.root.removeprefix(root)}"


def _path_in_filesystem(mounted: Mounted, path: str) -> str:
    """A path of the host as its file system names it."""
    below = path.removeprefix(mounted.point.rstrip("/"))
    return f"{mounted.root.rstrip('/')}{below}" or "/"


def _whose_link_was_switched(host: Host, stale: Sequence[StaleMount]) -> Iterator[StaleMount]:
    """The items whose source and former place are both there, and are not the same any more."""
    paths = {path for bound in stale for path in (bound.mount.source, bound.led_to)}
    statuses = _statuses(host, paths)
    for bound in stale:
        now = statuses.get(bound.mount.source)
        then = statuses.get(bound.led_to)
        if now is None or then is None:
            continue
        is_known = bool(now.ino and then.ino)
        if is_known and (now.dev, now.ino) != (then.dev, then.ino):
            yield bound


def _with_hidden_marked(
    host: Host, mounts: Mounts | None, daemon: Daemon | None, stale: Sequence[StaleMount]
) -> list[StaleMount]:
    """The stale mounts; a mount under a disk that the engine does not see is marked as hidden.

    A disk that the container still has counts only where the engine sees the same as the host: an
    engine in a mount namespace of its own gives its containers its own view.
    """
    if not any(bound.point for bound in stale):
        return list(stale)
    visible = _mounts_of_engine(host, daemon)
    if visible is None:
        return [bound for bound in stale if not bound.held]
    return [
        replace(bound, is_hidden=_is_hidden(bound, visible))
        for bound in stale
        if not bound.held or _is_seen_alike(bound.mount.source, mounts, visible)
    ]


def _is_hidden(bound: StaleMount, visible: Mounts) -> bool:
    return bool(bound.point) and not bound.held and not visible.has_point(bound.point)


def _is_seen_alike(path: str, mounts: Mounts | None, visible: Mounts) -> bool:
    """Whether the host and the engine have the same device at this path."""
    of_host = mounts.of(path) if mounts is not None else None
    of_engine = visible.of(path)
    return of_host is not None and of_engine is not None and of_host.dev == of_engine.dev


def _mounts_of_engine(host: Host, daemon: Daemon | None) -> Mounts | None:
    """The mounts that the engine itself sees; None if they are not known."""
    engine = daemon.processes.engine if daemon is not None else None
    if engine is None:
        return None
    table = host.ask(mount_table(engine.pid))
    return None if isinstance(table, Failed) else Mounts(tuple(parse(table.text)))


def _differing_mount(
    mount: Mount, mounted_inside: Mounted, mounts: Mounts | None
) -> Mounted | None:
    """The host's mount of the source by name, if the container has another device there."""
    if mounts is None or not mount.has_host_path:
        return None
    mounted = mounts.of(mount.source)
    if mounted is None or mounted.dev == mounted_inside.dev or mounted.fstype == "autofs":
        return None
    return mounted


def _point_at_start(mount: Mount, mounted: Mounted) -> str:
    """The mount point of the container's device on the host when the container started.

    The kernel keeps the path within the device: the rest of the source is the mount point.
    """
    return mount.source.removesuffix(mounted.root.rstrip("/")) or "/"


def _covering_mount(mount: Mount, mounted_inside: Mounted, mounts: Mounts | None) -> Mounted | None:
    """The host's mount over the source, if the container sees the folder beneath."""
    mounted = _differing_mount(mount, mounted_inside, mounts)
    if mounts is None or mounted is None or mounted.point == "/":
        return None
    beneath = mounts.of(posixpath.dirname(mounted.point))
    return mounted if beneath is not None and beneath.dev == mounted_inside.dev else None


def _confirmed_stale(host: Host, items: Iterable[StaleMount]) -> Iterator[StaleMount]:
    """The stale mounts without those whose source is a link to elsewhere, and unreadable ones."""
    stale = list(items)
    covered = {path for bound in stale if bound.point for path in (bound.mount.source, bound.point)}
    statuses = _statuses(host, covered)
    for bound in stale:
        if not bound.point or _is_same_device(
            statuses.get(bound.mount.source), statuses.get(bound.point)
        ):
            yield bound


def _statuses(host: Host, paths: Collection[str]) -> dict[str, PathStatus]:
    """The status of each path, links followed; empty where the host does not answer."""
    if not paths:
        return {}
    return path_statuses(host, sorted(paths), follow=True)


def _is_same_device(source: PathStatus | None, point: PathStatus | None) -> bool:
    """Whether both paths were seen, and lie on one device."""
    if source is None or point is None:
        return False
    return bool(source.dev) and source.dev == point.dev
