"""Mounts of running containers whose source was deleted, replaced or covered since their start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table, mount_table_of, parse
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

DELETED = "//deleted"
"""What the kernel appends to the root of a mount whose file or folder was deleted or replaced
(fs/d_path.c)."""
ENDED = ("gone", "missing")
"""Why a container that has ended since it was listed has no mount table."""


class StaleMount(msgspec.Struct, frozen=True):
    """A mount of a running container whose source was deleted or replaced since its start."""

    container: Container
    mount: Mount
    covered_by: str = ""
    """The disk that was mounted over the source since then, at which point; "" for a source that
    was deleted or replaced."""
    point: str = ""
    is_hidden: bool = False
    """The engine does not see that disk either: it runs in a mount namespace of its own."""


class StaleMounts(Items[StaleMount], frozen=True):
    """As the containers' own mount tables tell."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def stale_mounts(
    host: Host, containers: Containers, mounts: Mounts | None, daemon: Daemon | None
) -> StaleMounts:
    """The mount table of each running container with bind mounts.

    Reading it touches no file system; where the tables differ, stat decides.
    """
    stale: list[StaleMount] = []
    unexamined: list[Unexamined] = []
    with_bind_mounts = [container for container in containers.running if container.bind_mounts]
    for container, table in host.ask_about(with_bind_mounts, mount_table_of):
        if not isinstance(table, Failed):
            stale += _stale_mounts_of(container, parse(table.text), mounts)
        elif table.reason not in ENDED:
            unexamined.append(Unexamined(container.subject, f"its mount table: {table}"))
    confirmed = _marked(host, daemon, list(_confirmed(host, stale)))
    return StaleMounts(tuple(confirmed), tuple(unexamined))


def _stale_mounts_of(
    container: Container, table: Iterable[Mounted], mounts: Mounts | None
) -> Iterator[StaleMount]:
    """Where a container's own mount table differs from its configuration and from the host."""
    inside = {mounted.point: mounted for mounted in table}
    for mount in container.bind_mounts:
        own = inside.get(mount.destination)
        if own is None:
            continue
        if own.root.endswith(DELETED):
            yield StaleMount(container, mount)
        elif cover := _covering_mount(mount, own, mounts):
            yield StaleMount(container, mount, cover.source, cover.point)


def _marked(host: Host, daemon: Daemon | None, stale: Sequence[StaleMount]) -> list[StaleMount]:
    """The mounts; those under a disk that the engine does not see are marked as hidden."""
    if not any(item.point for item in stale):
        return list(stale)
    visible = _points_of_engine(host, daemon)
    if visible is None:
        return list(stale)
    return [
        replace(item, is_hidden=bool(item.point) and item.point not in visible) for item in stale
    ]


def _points_of_engine(host: Host, daemon: Daemon | None) -> set[str] | None:
    """The mount points that the engine itself sees; None if that is not known."""
    engine = daemon.processes.engine if daemon is not None else None
    if engine is None:
        return None
    table = host.ask(mount_table(engine.pid))
    return None if isinstance(table, Failed) else {mounted.point for mounted in parse(table.text)}


def _covering_mount(mount: Mount, own: Mounted, mounts: Mounts | None) -> Mounted | None:
    """The mount of the host that holds the source by its name, if the container sees what lies
    beneath that mount."""
    if mounts is None or not mount.has_host_path:
        return None
    mounted = mounts.of(mount.source)
    if mounted is None or mounted.dev == own.dev:
        return None
    if mounted.point == "/" or mounted.fstype == "autofs":
        return None
    beneath = mounts.of(mounted.point.rpartition("/")[0] or "/")
    return mounted if beneath is not None and beneath.dev == own.dev else None


def _confirmed(host: Host, stale: Sequence[StaleMount]) -> Iterator[StaleMount]:
    """Without those whose source leads elsewhere through a link, and those that cannot be seen."""
    covered = {path for item in stale if item.point for path in (item.mount.source, item.point)}
    seen = _statuses(host, covered)
    for item in stale:
        if not item.point or _is_same_device(seen.get(item.mount.source), seen.get(item.point)):
            yield item


def _statuses(host: Host, paths: Collection[str]) -> dict[str, PathStatus]:
    """What each path leads to; nothing where the host does not say."""
    if not paths:
        return {}
    answer = host.ask(StatPaths(sorted(paths), follow=True))
    return {} if isinstance(answer, Failed) else answer


def _is_same_device(source: PathStatus | None, point: PathStatus | None) -> bool:
    """Whether both paths were seen, and lie on one device."""
    if source is None or point is None:
        return False
    return bool(source.dev) and source.dev == point.dev
