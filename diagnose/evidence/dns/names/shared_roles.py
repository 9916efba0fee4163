"""Names that containers with different work have on one network, and their callers. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.names.service_names import called_names, names_on
from diagnose.evidence.images.listing import name_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

_OF_A_COPY = LazyPattern(
    r"(?:^|[^a-z])(?:replicas?|slave|standby|secondary|follower|read[-_]?only)(?=$|[^a-z])", 2
)
"""Names for the copy of a database."""
_STARTS_COPY = LazyPattern(
    r"(?:^|[^a-z])(?:replicaof|slaveof|(?:super[-_])?read[-_]only|primary_conninfo)(?=$|[^a-z])", 2
)
"""Options of a command; `wal_level=replica` and `hot_standby` are a primary's too."""
_ROLE = LazyPattern(r"(?:^|_)(?:MODE|ROLE|TYPE)$")
"""Variables that say what a database is: POSTGRESQL_REPLICATION_MODE=slave."""
_REFUSES_WRITES = LazyPattern(
    r"""(?xi)
    cannot\ execute\ \w+\ in\ a\ read-only\ transaction  # PostgreSQL
    | READONLY\ You\ can't\ write\ against\ a\ read\ only  # Redis
    | running\ with\ the\ --(?:super-)?read-only\ option  # MySQL
    | \b(?:NotWritablePrimary|not\ (?:master|primary))\b  # MongoDB
    """
)
LEAST = 2


class SharedByRoles(msgspec.Struct, frozen=True):
    """A name of containers with different work on one network, and its callers."""

    network: str
    name: str
    owners: tuple[Container, ...]
    callers: tuple[Container, ...]
    reason: str
    """The difference between them, in words."""
    leaving: Container | None
    """The container that should not have the name: the copy of a database whose callers want to
    write."""
    line: str = ""
    """The line of a caller that has reached the wrong one; "" without one."""


def shared_by_roles(
    network: str, containers: Containers, recent_logs: RecentLogs | None
) -> Iterator[SharedByRoles]:
    """The names on a network whose owners differ, and that a container calls."""
    members = list(containers.running_on(network))
    shared = {
        name: tuple(owners)
        for name, owners in names_on(network, members).items()
        if len(owners) > 1 and _is_of_one_side(owners)
    }
    called = called_names(members) if shared else {}
    for name, owners in shared.items():
        reason = _difference(owners)
        ids = {owner.id for owner in owners}
        callers = tuple(caller for caller in called.get(name, ()) if caller.id not in ids)
        if reason and callers:
            line = next(filter(None, (_refusal(caller, recent_logs) for caller in callers)), "")
            leaving = _copy(owners) if line else None
            yield SharedByRoles(
                network,
                name,
                owners=owners,
                callers=callers,
                reason=reason,
                leaving=leaving,
                line=line,
            )


def _is_of_one_side(owners: Sequence[Container]) -> bool:
    """Whether no two projects of compose share the name: that has a check of its own."""
    return len({owner.compose_project for owner in owners} - {""}) <= 1


def _difference(owners: Sequence[Container]) -> str:
    """The difference between the owners of a name; "" for copies of one service."""
    first, *other_owners = owners
    image = name_of(first.config.image)
    if any(name_of(other.config.image) != image for other in other_owners):
        return "they run different images"
    if _copy(owners) is not None:
        return "one is a copy that takes no writes, by its own settings"
    if any(other.image != first.image for other in other_owners):
        return "they run different releases of one image"
    return ""


def _copy(owners: Sequence[Container]) -> Container | None:
    """The only one that is called a copy, by its name, its command or a variable's value."""
    copies = [owner for owner in owners if _is_called_copy(owner)]
    return only(copies) if len(copies) < len(owners) else None


def _is_called_copy(container: Container) -> bool:
    roles = (value for name, value in container.config.environment if _ROLE.search(name))
    return any(_OF_A_COPY.search(text) is not None for text in (container.name, *roles)) or any(
        _STARTS_COPY.search(word) is not None for word in container.config.words
    )


def _refusal(caller: Container, recent_logs: RecentLogs | None) -> str:
    """The last line in which a caller was refused its writes, if it was repeatedly."""
    texts = recent_logs.texts_of(caller) if recent_logs is not None else ()
    lines = [text for text in texts if _REFUSES_WRITES.search(text)]
    return lines[-1] if len(lines) >= LEAST else ""
