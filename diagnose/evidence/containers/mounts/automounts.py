"""Folders that the host mounts on demand, below bind mounts that do not follow it."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.stale_mounts import ENDED
from diagnose.evidence.items import Items
from diagnose.evidence.storage.mounts import Mounted, Mounts, mount_table_of, parse
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.registry import evidence

FOLLOWING = frozenset({"shared", "rshared", "slave", "rslave"})
"""Propagation of bind mounts in which the container sees later mounts of the host."""
_LOOPS = LazyPattern(r"Too many levels of symbolic links|\bELOOP\b")
"""The kernel's error there for a process whose mounts are not those of the automounter."""
_PATH = LazyPattern(r"(?<![\w.:/-])/[\w.@+-]+/")


class UnseenAutomount(msgspec.Struct, frozen=True):
    """A place that is mounted on demand, of which a container has the trigger alone."""

    container: Container
    mount: Mount
    """The bind mount with the automount."""
    point: str
    """The place on the host."""
    missing: str = ""
    """The mount below it on the host that the container does not have; "" for none now."""
    complaint: str = ""
    """A recent line of the container's log in which a path there cannot be opened."""

    @property
    def path_inside(self) -> str:
        """The same place in the container."""
        return f"{self.mount.destination.rstrip('/')}{self.point[len(self.mount.source) :]}"


class UnseenAutomounts(Items[UnseenAutomount], frozen=True):
    """The automounts that containers do not see: for each bind mount, the first place in it."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def unseen_automounts(
    host: Host, containers: Containers, mounts: Mounts, logs: RecentLogs | None
) -> UnseenAutomounts:
    """The automounts below bind mounts that their containers do not see.

    Mount tables are read only of containers with such a bind mount. The kernel's own automounts
    below /proc are left out, and monitors that have the whole host.
    """
    points = [
        mounted.point
        for mounted in mounts
        if mounted.fstype == "autofs" and not is_within(mounted.point, "/proc")
    ]
    if not points:
        return UnseenAutomounts()
    places = {
        container.id: list(_private_mounts(container, points)) for container in containers.running
    }
    owners = [container for container in containers.running if places[container.id]]
    unseen: list[UnseenAutomount] = []
    unexamined: list[Unexamined] = []
    for container, table in host.ask_about(owners, mount_table_of):
        if isinstance(table, Failed):
            if table.reason not in ENDED:
                unexamined.append(Unexamined(container.subject, f"its mount table: {table}"))
            continue
        inside = list(parse(table.text))
        for mount, point in places[container.id]:
            automount = _unseen_automount(
                container, mount, point=point, inside=inside, mounts=mounts, logs=logs
            )
            if automount is not None:
                unseen.append(automount)
    return UnseenAutomounts(tuple(unseen), tuple(unexamined))


def _may_be_of(folder: str, line: str) -> bool:
    """Whether a line may be about a path below a folder: it names one, or no path.

    The kernel prints the same for links that lead back to each other.
    """
    return _LOOPS.search(line) is not None and (folder in line or not _PATH.search(line))


def _private_mounts(container: Container, points: list[str]) -> Iterator[tuple[Mount, str]]:
    """The bind mounts with an automount that is private to the host, with the first one."""
    for mount in container.bind_mounts:
        if mount.source == "/" or mount.propagation in FOLLOWING:
            continue
        below = [point for point in points if is_within(point, mount.source)]
        if below:
            yield mount, below[0]


def _unseen_automount(
    container: Container,
    mount: Mount,
    point: str,
    inside: list[Mounted],
    mounts: Mounts,
    logs: RecentLogs | None,
) -> UnseenAutomount | None:
    """The automount, if the container has its trigger, and lacks the mount there or reports it."""
    automount = UnseenAutomount(container, mount, point)
    if not any(
        entry.fstype == "autofs" and entry.point == automount.path_inside for entry in inside
    ):
        return None
    devices = {entry.dev for entry in inside}
    unseen = [
        mounted.point
        for mounted in mounts
        if mounted.point != point and is_within(mounted.point, point) and mounted.dev not in devices
    ]
    lines = logs.of_this_run(container) if logs is not None else ()
    complaints = [line.text for line in lines if _may_be_of(automount.path_inside, line.text)]
    if not unseen and not complaints:
        return None
    return msgspec.structs.replace(
        automount,
        missing=unseen[0] if unseen else "",
        complaint=complaints[-1] if complaints else "",
    )
