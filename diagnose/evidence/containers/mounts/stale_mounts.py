"""Mounts of running containers whose source was deleted, replaced or covered since their start."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.storage.mounts import Mounted, Mounts, parse
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

DELETED = "//deleted"
"""What the kernel appends to the root of a mount whose file or folder was deleted or replaced
(fs/d_path.c)."""


class StaleMount(msgspec.Struct, frozen=True):
    """A mount of a running container whose source was deleted or replaced since its start.

    covered_by: the disk that was mounted over the source since then, at which point; "" for
    a source that was deleted or replaced.
    """

    container: Container
    mount: Mount
    covered_by: str = ""
    point: str = ""
    is_hidden: bool = False
    """The engine does not see that disk either: it runs in a mount namespace of its own."""


class StaleMounts(msgspec.Struct, frozen=True):
    """As the containers' own mount tables tell."""

    items: tuple[StaleMount, ...]
    unexamined: tuple[Unexamined, ...] = ()


@evidence
def stale_mounts(
    host: Host, containers: Containers, mounts: Mounts | None, daemon: Daemon | None
) -> StaleMounts:
    """The mount table of each running container with bind mounts.

    Reading it touches no file system; where the tables differ, stat decides.
    """
    mounting = [
        container
        for container in containers.running
        if any(mount.type == "bind" for mount in container.mounts or ())
    ]
    stale: list[StaleMount] = []
    missing: list[Unexamined] = []
    for container, table in host.ask_about(
        mounting, lambda container: ReadFile(f"/proc/{container.state.pid}/mountinfo")
    ):
        if isinstance(table, Failed):
            if table.reason not in ("gone", "missing"):
                missing.append(Unexamined(container.subject, f"its mount table: {table}"))
            continue
        inside = {mounted.point: mounted for mounted in parse(table.text)}
        for mount in container.mounts or ():
            own = inside.get(mount.destination)
            if mount.type != "bind" or own is None:
                continue
            if own.root.endswith(DELETED):
                stale.append(StaleMount(container, mount))
            elif mounts is not None and (cover := _cover(mount, own, mounts)):
                stale.append(StaleMount(container, mount, cover.source, cover.point))
    confirmed = tuple(_confirmed(host, stale))
    visible = _points_of_engine(host, daemon) if any(item.point for item in confirmed) else None
    return StaleMounts(
        tuple(
            replace(item, is_hidden=visible is not None and item.point not in visible)
            if item.point
            else item
            for item in confirmed
        ),
        tuple(missing),
    )


def _points_of_engine(host: Host, daemon: Daemon | None) -> set[str] | None:
    """The mount points that the engine itself sees; None if that is not known."""
    engine = daemon.processes.engine if daemon is not None else None
    if engine is None:
        return None
    table = host.ask(ReadFile(f"/proc/{engine.pid}/mountinfo"))
    return None if isinstance(table, Failed) else {mounted.point for mounted in parse(table.text)}


def _cover(mount: Mount, own: Mounted, mounts: Mounts) -> Mounted | None:
    """The mount of the host that holds the source by its name, if the container sees what lies
    beneath that mount."""
    mounted = mounts.of(mount.source) if mount.source.startswith("/") else None
    if (
        mounted is None
        or mounted.point == "/"
        or mounted.dev == own.dev
        or mounted.fstype == "autofs"
    ):
        return None
    beneath = mounts.of(mounted.point.rpartition("/")[0] or "/")
    return mounted if beneath is not None and beneath.dev == own.dev else None


def _confirmed(host: Host, stale: list[StaleMount]) -> Iterator[StaleMount]:
    """Without those whose source leads elsewhere through a link, and those that cannot be seen."""
    covered = {path for item in stale if item.point for path in (item.mount.source, item.point)}
    if not covered:
        yield from stale
        return
    answer = host.ask(StatPaths(sorted(covered), follow=True))
    seen = {} if isinstance(answer, Failed) else answer
    for item in stale:
        if not item.point:
            yield item
        else:
            source, point = seen.get(item.mount.source), seen.get(item.point)
            if source and point and source.dev and source.dev == point.dev:
                yield item
