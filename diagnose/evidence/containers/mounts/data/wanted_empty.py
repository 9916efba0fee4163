"""Folders in which a program creates its data only while they are empty, and their entries."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import ByContainer
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

_NAMED = "postgres-lost-found"
"""The known failure that names the folder."""
SHOWN = 5
_OF_A_DATABASE = frozenset({"PG_VERSION", "base", "global", "pg_wal", "pg_xact"})


class FullFolder(msgspec.Struct, frozen=True):
    """A folder of the host, and its entries, hidden files too."""

    source: str
    names: tuple[str, ...]

    @property
    def is_of_a_database(self) -> bool:
        """Whether the folder holds the files of a database: a new one would begin beside them."""
        return not _OF_A_DATABASE.isdisjoint(self.names)


class WantedEmpty(ByContainer[FullFolder], frozen=True):
    """The folder that a container's program calls not empty."""


@evidence
def wanted_empty(host: Host, containers: Containers, log_tails: LogTails) -> WantedEmpty:
    """The mounted folders that their program reports as not empty: `ls` hides dot files."""
    sources = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        path = failure.values.get("path", "") if failure and failure.name == _NAMED else ""
        mount = container.mount_at(path) if path else None
        if mount is not None and mount.has_host_path:
            sources[container.id] = mount.source
    listings = host.answers_about(sorted(set(sources.values())), ListFolder)
    return WantedEmpty(
        {
            id: FullFolder(source, tuple(listings[source].names))
            for id, source in sources.items()
            if source in listings and listings[source].names
        }
    )
