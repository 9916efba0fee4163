"""The files that containers' logs are written to, and how big they are."""

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

ROTATED_MAX = 20
"""Rotated files that are looked for at most per container."""
BATCH = 400


class LogFile(msgspec.Struct, frozen=True):
    """A container's log."""

    path: str
    """The file written now."""
    bytes: int = 0
    """The file's size."""
    on_disk: int = 0
    """Its size with rotated files, in blocks on the disk, in bytes."""
    missing: bool = False
    """Whether there is no such file."""
    failed: str = ""
    """The reason why the file could not be seen; "" if it could."""
    written: float | None = None
    """When it was last written to, or the newest of the rotated files, in Unix time; None where
    that is not known."""


class LogFiles(ByContainer[LogFile], frozen=True):
    """The log files by container id; containers whose driver writes no file are left out."""


def path_of(container: Container, data_root: str) -> str:
    """The file that a container's log goes to, or "" if its driver keeps none."""
    kind = container.host_config.log_config.type
    if kind == "json-file":
        return container.log_path
    if kind == "local":
        return f"{data_root}/containers/{container.id}/local-logs/container.log"
    return ""


@evidence
def log_files(host: Host, containers: Containers, root: DataRoot) -> LogFiles | Unavailable:
    """The log files of containers, with a few questions: a thousand files take 3 ms."""
    paths = {
        container.id: [path, *_rotated_names(path, container)]
        for container in containers
        if (path := path_of(container, root.path))
    }
    every = [path for files in paths.values() for path in files]
    stats: dict[str, PathStatus] = {}
    batches = [every[at : at + BATCH] for at in range(0, len(every), BATCH)]
    for _, answer in host.ask_in_order(batches, StatPaths):
        if isinstance(answer, Failed):
            return Unavailable.of(answer)
        stats |= answer
    return LogFiles({id: _log_file(files, stats) for id, files in paths.items()})


def _rotated_names(path: str, container: Container) -> list[str]:
    """The names that the driver gives the older files of a log."""
    older_files = min(container.host_config.log_config.older_files, ROTATED_MAX)
    numbers = range(1, older_files + 1)
    return [f"{path}.{number}{end}" for number in numbers for end in ("", ".gz")]


def _log_file(paths: Sequence[str], stats: Mapping[str, PathStatus]) -> LogFile:
    """The log of these files: the first is written now, the others are older."""
    current = stats[paths[0]]
    statuses = (stats[path] for path in paths)
    present = [status for status in statuses if not status.failed]
    return LogFile(
        paths[0],
        current.size,
        sum(status.blocks_bytes for status in present),
        missing=current.failed == "missing",
        failed="" if current.failed == "missing" else current.failed,
        written=max((status.mtime for status in present if status.mtime is not None), default=None),
    )
