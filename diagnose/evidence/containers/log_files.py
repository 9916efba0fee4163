"""The files that containers' logs are written to, and how big they are."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

ROTATED_MAX = 20
"""Rotated files that are looked for at most per container."""
BATCH = 400


class _Stat(msgspec.Struct):
    failed: str | None = None
    size: int = 0
    blocks_bytes: int = 0
    dev: str = ""


class LogFile(msgspec.Struct, frozen=True):
    """A container's log. path: the file written now. bytes: its size; on_disk: with rotated files, as blocks.
    missing: it is not there.

    failed: why it could not be seen ("" if it could).
    """

    path: str
    bytes: int = 0
    on_disk: int = 0
    missing: bool = False
    failed: str = ""


class LogFiles(msgspec.Struct, frozen=True, dict=True):
    """By container id; containers whose driver writes no file are not here."""

    by_id: Mapping[str, LogFile]

    @functools.cached_property
    def hidden(self) -> str:
        """Why logs could not be seen, if none could."""
        reasons = {log.failed for log in self.by_id.values()}
        return reasons.pop() if len(reasons) == 1 else ""


def path_of(container: Container, data_root: str) -> str:
    """The file that a container's log goes to, or "" if its driver keeps none."""
    kind = container.host_config.log_config.type
    if kind == "json-file":
        return container.log_path
    if kind == "local":
        return f"{data_root}/containers/{container.id}/local-logs/container.log"
    return ""


def rotations(container: Container) -> int:
    """How many older files the driver keeps beside the current one (json-file keeps 1 file, local 5, unless
    configured otherwise)."""
    options = container.host_config.log_config.config or {}
    default = "5" if container.host_config.log_config.type == "local" else "1"
    files = options.get("max-file", default)
    return min(int(files) - 1, ROTATED_MAX) if files.isdigit() else 0


@evidence
def log_files(host: Host, containers: Containers, root: DataRoot) -> LogFiles | Unavailable:
    """A few questions for all of them: a thousand files take 3 ms."""
    wanted: dict[str, tuple[str, list[str]]] = {}
    for container in containers:
        path = path_of(container, root.path)
        if path:
            older = [f"{path}.{number}{end}" for number in range(1, rotations(container) + 1) for end in ("", ".gz")]
            wanted[container.id] = (path, older)
    paths = [each for path, older in wanted.values() for each in (path, *older)]
    stats: dict[str, _Stat] = {}
    batches = [question("file.stats", paths=paths[at : at + BATCH]) for at in range(0, len(paths), BATCH)]
    for _, answer in host.ask_many(batches):
        if isinstance(answer, Failed):
            return Unavailable.of(answer)
        stats |= convert(answer, dict[str, _Stat])
    found = {}
    for id_, (path, older) in wanted.items():
        now = stats[path]
        seen = [stats[each] for each in (path, *older) if stats[each].failed is None]
        found[id_] = LogFile(
            path,
            now.size,
            sum(each.blocks_bytes for each in seen),
            missing=now.failed == "missing",
            failed="" if now.failed in (None, "missing") else str(now.failed),
        )
    return LogFiles(found)
