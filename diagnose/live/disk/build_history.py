"""The builds that BuildKit remembers, with the end of what a failed step printed.

From BuildKit 0.11 (engine 23) on, `history.db` keeps each build for two days or 50 builds, and
points to its log as a blob; `docker buildx history` reads the same over gRPC. Messages:
https://github.com/moby/buildkit/blob/master/api/services/control/control.proto.
"""

import enum
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from diagnose.live import Refused
from diagnose.live.disk.bolt import bucket
from diagnose.live.disk.opening import open_regular
from diagnose.live.disk.protobuf import Fields, fields, mapping, messages, number, text
from diagnose.model import Json

DATABASE = "buildkit/history.db"
_DATABASE_MAX = 32 << 20
_LOG_MAX = 8 << 20
_LOGS = 6
"""Logs of failed builds that are read, the newest ones."""
_LINES = 40
"""Last lines of a failed step that are kept."""
_WIDEST = 600
"""Characters of a line that are kept."""
_STORES = (
    "buildkit/content/blobs",
    "containerd/daemon/io.containerd.content.v1.content/blobs",
    "/var/lib/containerd/io.containerd.content.v1.content/blobs",
)
"""Where the blobs of logs lie: in BuildKit's own store, or in that of containerd, of which a
containerd image store is a part."""


class _Record(enum.IntEnum):
    """The fields of a BuildHistoryRecord that are read."""

    REF = 1
    FRONTEND_ATTRIBUTES = 3
    EXPORTERS = 4
    ERROR = 5
    COMPLETED_AT = 7
    LOGS = 8


class _Status(enum.IntEnum):
    """The parts of a log, which is a row of StatusResponse."""

    VERTEXES = 1
    LOGS = 3


class _Vertex(enum.IntEnum):
    """A step of the build."""

    DIGEST = 1
    NAME = 3
    ERROR = 7


class _VertexLog(enum.IntEnum):
    """The fields of a step's output."""

    VERTEX = 1
    MESSAGE = 4


_MESSAGE_OF_ERROR = 2
_ATTRIBUTES_OF_EXPORTER = 2
_DIGEST_OF_DESCRIPTOR = 2
_SECONDS = 1
_NANOSECONDS = 2


def builds(args: Json) -> Json:
    """See `files.builds`."""
    root = Path(args["path"])
    data = _content(root / DATABASE, _DATABASE_MAX)
    try:
        records = [fields(value) for _, value in bucket(data, b"_records")]
    except ValueError as error:
        raise Refused("malformed", f"{root / DATABASE}: {error}") from error
    records.sort(key=lambda record: -_end_of_build(record))
    rows = []
    logs = 0
    for record in records:
        row = _row(record)
        if row["error"] and logs < _LOGS:
            logs += 1
            row |= _failed_step(root, record)
        rows.append(row)
    return rows


def _row(record: Fields) -> dict[str, Json]:
    """One build as a row of the answer."""
    error = messages(record, _Record.ERROR)
    attributes = mapping(record, _Record.FRONTEND_ATTRIBUTES)
    return {
        "at": _end_of_build(record),
        "ref": text(record, _Record.REF),
        "names": _tags_to_get(record),
        "error": text(error[0], _MESSAGE_OF_ERROR) if error else "",
        "dockerfile": attributes.get("filename", ""),
        "target": attributes.get("target", ""),
    }


def _end_of_build(record: Fields) -> float:
    """Unix time of the end of a build; 0.0 while it runs."""
    ended = messages(record, _Record.COMPLETED_AT)
    if not ended:
        return 0.0
    return number(ended[0], _SECONDS) + number(ended[0], _NANOSECONDS) / 1e9


def _tags_to_get(record: Fields) -> list[str]:
    """The tags that the image was to get."""
    exporters = messages(record, _Record.EXPORTERS)
    exported = (
        mapping(exporter, _ATTRIBUTES_OF_EXPORTER).get("name", "") for exporter in exporters
    )
    return [name for names in exported for name in names.split(",") if name]


def _failed_step(root: Path, record: Fields) -> dict[str, Json]:
    """The step that failed, and the last lines that it printed; nothing if its log is gone."""
    try:
        log = list(_log(root, record))
    except (OSError, ValueError, Refused):
        return {}
    steps = [vertex for part in log for vertex in messages(part, _Status.VERTEXES)]
    failed = {
        text(vertex, _Vertex.DIGEST): text(vertex, _Vertex.NAME)
        for vertex in steps
        if text(vertex, _Vertex.ERROR)
    }
    if not failed:
        return {}
    digest, step = next(reversed(failed.items()))
    printed = [line for part in log for line in messages(part, _Status.LOGS)]
    of_step = (line for line in printed if text(line, _VertexLog.VERTEX) == digest)
    output = "".join(text(line, _VertexLog.MESSAGE) for line in of_step)
    lines = [line.rpartition("\r")[2].rstrip()[:_WIDEST] for line in output.split("\n")]
    return {"step": step, "lines": [line for line in lines if line][-_LINES:]}


def _log(root: Path, record: Fields) -> Iterator[Fields]:
    """The messages of a build's log: each follows its length in four bytes."""
    descriptor = messages(record, _Record.LOGS)
    where = text(descriptor[0], _DIGEST_OF_DESCRIPTOR) if descriptor else ""
    kind, _, digest = where.partition(":")
    if not digest.isalnum() or not kind.isalnum():
        return
    data = b""
    for store in _STORES:
        try:
            data = _content(root / store / kind / digest, _LOG_MAX)
            break
        except OSError:
            continue
    at = 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if at + size > len(data):
            return
        yield fields(data[at : at + size])
        at += size


def _content(path: Path, most: int) -> bytes:
    with os.fdopen(open_regular(str(path)), "rb") as file:
        return file.read(most)
