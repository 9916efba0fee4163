"""The largest container log, where it was renamed while the engine wrote it."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.evidence.containers.logs.written_logs import WrittenLogs
from diagnose.evidence.items import Items
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.registry import evidence


class RenamedLog(msgspec.Struct, frozen=True):
    """The log of a container that the engine writes under another name than its own."""

    container: str
    path: str
    """The name that the file has now."""
    bytes: int
    """The size of all files of this container's log."""


class RenamedLogs(Items[RenamedLog], frozen=True):
    """The renamed log that takes most of the data root's disk; empty where the largest log was not
    renamed."""


@evidence
def renamed_logs(
    usage: DiskUsage, containers: Containers, logs: LogFiles, written: WrittenLogs
) -> RenamedLogs:
    """The largest log alone: to empty a smaller one does not help a full disk."""
    parts = (part for part in usage.parts if part.name == "container logs")
    largest = next((subject for part in parts for subject in part.subjects), None)
    if largest is None:
        return RenamedLogs()
    name, size = largest
    container = containers.by_name.get(name)
    log = logs.of(container) if container is not None else None
    path = written.instead_of(log.path) if log is not None else ""
    return RenamedLogs((RenamedLog(name, path, size),) if path else ())
