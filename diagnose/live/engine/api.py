"""The questions to the engine's API: each `api.*` question is one GET on a connection of ours.

Path and parameters of a request are in the question's policy (`diagnose/questions/`). `id` is an
id or a name. HTTP errors are Refused: 404 gone, 401 and 403 forbidden, others refused, with the
engine's message. Times are relative to the engine's clock. Paths have the version of the API in
front, unless the engine has given up every version that we know.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET

from diagnose.live import Live, Refused
from diagnose.live.engine import endpoint as places
from diagnose.live.engine.client import Engine, accepted, message, parsed_version
from diagnose.live.engine.http import Reply, Request
from diagnose.live.engine.long_list import LONG_BYTES, short_rows
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.containers import ListContainers, ReadContainerFile, ReadLogs, ReadLogsSince
from diagnose.questions.disk_usage import MeasureDiskUsage
from diagnose.questions.engine import ListEvents, PingEngine
from diagnose.questions.question import typed
from diagnose.recording.limits import cut

if TYPE_CHECKING:
    from tarfile import TarInfo

BODY_BYTES = 64 * 1024 * 1024
"""20 times the container list of 5,000 containers (660 bytes each)."""

LOG_BYTES = 4 * 1024 * 1024
"""What is read of a log to reach its newest lines: json-file splits lines at 16 KiB, so 50 of them
are 0.8 MB."""

PING_SHARE = 0.2
"""Of the budget: the time that it takes to tell why an engine is silent comes after its silence."""
PING_SECONDS = 0.5

SETTLE_S = 1.5
"""How long a busy engine may take to notice that a process has ended: 20.10 and 26.1, which lose
five containers a second, were seen to list one as running 0.3 s after it was gone."""
SETTLE_BUSY_S = 3.0
"""On a host with BUSY_LOAD processes for each processor, where 28.5 was seen to take longer."""
BUSY_LOAD = 4.0

WRITTEN_S = 0.15
"""What a line takes from a program to the engine's log, with some to spare."""
WRITTEN_BUSY_S = 0.6
"""The same where many processes wait for a processor."""

_MODE_SOCKET = 1 << 24
"""The bit of Go's os.ModeSocket."""

OWN_ARGUMENTS = frozenset({"id", "bytes", "lines", "since_s", "round"})
"""Arguments that are ours, not parameters of the query."""


def engine(live: Live) -> Engine:
    """The engine of this run. Raises `Refused` for one that is unclear, or must not be woken."""
    endpoint = places.may_connect(live)
    patience_s = min(
        live.deadline(PingEngine()), max(PING_SECONDS, PING_SHARE * live.options.budget_s)
    )
    client: Engine = live.keep("engine", lambda: Engine(endpoint, patience_s))
    return client


def ping(live: Live, question: PingEngine) -> Json:  # noqa: ARG001 - the signature of every collector
    """The headers of /_ping; a value that the engine does not give is None.

    Its version stands in `Server: Docker/28.5.2 (linux)`.
    """
    reply = engine(live).greeting()
    headers = reply.headers
    if not parsed_version(headers.get("api-version", "")) and reply.body.strip() != b"OK":
        raise Refused("malformed", f"what answers is no container engine: {message(reply)}")
    server = headers.get("server", "")
    product, _, version = server.partition(" ")[0].partition("/")
    return {
        "api_version": headers.get("api-version"),
        "server": server or None,
        "engine_version": version if product == "Docker" and version else None,
        "libpod": headers.get("libpod-api-version"),
        "swarm": headers.get("swarm"),
        "docker_experimental": headers.get("docker-experimental") == "true",
        "builder_version": headers.get("builder-version"),
        "os": headers.get("ostype"),
        "date": headers.get("date"),
    }


def get(live: Live, question: AnyQuestion) -> Json:
    """Answer a question by one GET; those of the lane `api` are answered by `many`."""
    client = engine(live)
    return _read(live, client, question, client.get(question, _request(live, client, question)))


def settled(live: Live, question: AnyQuestion) -> Json:
    """The engine's answer after a pause, in which it may notice a change or end what it had
    begun."""
    is_busy = os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
    time.sleep(SETTLE_BUSY_S if is_busy else SETTLE_S)
    return get(live, question)


def written(live: Live, question: ReadLogs) -> Json:
    """A log once what a program has just written has reached it."""
    is_busy = os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)
    time.sleep(WRITTEN_BUSY_S if is_busy else WRITTEN_S)
    return get(live, question)


def many(
    live: Live, pull: Callable[[], AnyQuestion | None]
) -> Iterator[tuple[AnyQuestion, Json | Exception]]:
    """The answers to the questions that `pull` gives until it gives None, or what prevented them.

    Several are asked at once.
    """
    client = engine(live)
    for question, reply in client.many(pull, lambda question: _request(live, client, question)):
        try:
            yield (
                question,
                reply if isinstance(reply, Exception) else _read(live, client, question, reply),
            )
        except Exception as error:  # noqa: BLE001 - an answer that cannot be read
            yield question, error


def _request(live: Live, client: Engine, question: AnyQuestion) -> Request:
    plain = typed(live.restored(question))
    limit = _longest_body(plain)
    now = client.clock if isinstance(plain, ListEvents | ReadLogsSince) else 0.0
    target = client.prefix + target_of(plain, client.version, now)
    return Request(target, live.deadline(question), limit or BODY_BYTES, cut=limit is not None)


def _longest_body(question: AnyQuestion) -> int | None:
    """The number of bytes at which a body is cut, where its beginning is enough.

    None for one that must be whole.
    """
    if isinstance(question, ReadLogs | ReadLogsSince):
        return max(question.bytes, LOG_BYTES)
    if isinstance(question, ReadContainerFile):
        return question.bytes + 16 * 1024
    return None


def _read(live: Live, client: Engine, question: AnyQuestion, reply: Reply) -> Json:
    if reply.status == 400 and b"is too old" in reply.body and not client.knows_no_version_of_ours:
        client.knows_no_version_of_ours = True
        reply = client.get(question, _request(live, client, question))
    answer = _decoded_answer(typed(question), accepted(reply))
    longest = question.policy.longest
    return cut(answer, longest) if len(reply.body) > longest else answer


def _decoded_answer(question: AnyQuestion, reply: Reply) -> Json:
    """The answer in a reply: one JSON value, unless the question has a reader of its own."""
    if isinstance(question, ListEvents):
        return _json_lines(reply)
    if isinstance(question, ReadLogs):
        return _logs(reply, question.tail, question.bytes)
    if isinstance(question, ReadLogsSince):
        return _logs(reply, question.lines, question.bytes)
    if isinstance(question, ReadContainerFile):
        return _archive(question, reply)
    if isinstance(question, ListContainers) and len(reply.body) > LONG_BYTES:
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return short_rows(reply.body)
    return _json(reply)


def _json(reply: Reply) -> Json:
    if not reply.body:
        raise Refused("malformed", "the answer is empty")
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("malformed", f"the answer is not JSON: {error}") from error


def _json_lines(reply: Reply) -> Json:
    try:
        return msgspec.json.Decoder().decode_lines(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("malformed", f"the answer is not JSON: {error}") from error


def _logs(reply: Reply, most_lines: int, most_bytes: int) -> Json:
    """The last lines of a container, each after its RFC 3339 time, in the engine's order.

    Shape: `ContainerLog`.
    """
    streams: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
    both: list[bytes] = []
    body = reply.body
    if _is_frame(body):
        at = 0
        while _is_frame(body[at : at + 8]):
            size = int.from_bytes(body[at + 4 : at + 8], "big")
            part = body[at + 8 : at + 8 + size]
            streams[body[at] or 1].append(part)
            if body[at] != 3:
                both.append(part)
            at += 8 + size
    else:
        both.append(body)
        streams[1].append(body)
    text = b"".join(both)
    newest_lines = _newest_lines(text, most_lines, most_bytes)
    return {
        "text": _text(newest_lines),
        "stdout": _text(_newest_lines(b"".join(streams[1]), most_lines, most_bytes)),
        "stderr": _text(_newest_lines(b"".join(streams[2]), most_lines, most_bytes)),
        "error": _text(b"".join(streams[3])),
        "truncated": reply.cut or len(text) > len(newest_lines),
    }


def _newest_lines(text: bytes, most_lines: int, most_bytes: int) -> bytes:
    """The end of a log, of as many bytes and lines as were asked for, whatever the engine sends:
    2,000 short lines of each of 13 containers took 9 s to read."""
    lines = text[-most_bytes:].rsplit(b"\n", most_lines + 1)
    return b"\n".join(lines[-most_lines - 1 :])


def _is_frame(head: bytes) -> bool:
    """Whether a multiplexed frame begins here.

    Stream 0 to 3, three zero bytes, a size (moby pkg/stdcopy).
    """
    return len(head) >= 8 and head[0] <= 3 and head[1:4] == b"\0\0\0"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _archive(question: ReadContainerFile, reply: Reply) -> Json:
    """One path of a container's file system, no link followed, and a file's first bytes.

    {"type": "file" | "directory" | "link" | "socket" | "other", "size", "mode": permission bits,
    "uid", "gid", "mtime", "link_target", "text": in UTF-8, or else "hex", "truncated",
    "capabilities": in hex}; text and hex are None for what is no file. Of a socket only its type
    is known. What is text is given as text alone, since secrets are looked for in text.
    """
    stat = _path_stat(reply)
    if _is_socket(stat):
        return {"type": "socket"}
    member, data = _first_member(reply.body, question.bytes)
    linked = stat.get("linkTarget")
    said = linked if isinstance(linked, str) and linked else _readable_name(member.linkname)
    target = said if member.issym() else None
    text = _utf8(data)
    return {
        "type": _kind(member),
        "size": member.size,
        "mode": member.mode & 0o7777,
        "uid": member.uid,
        "gid": member.gid,
        "mtime": member.mtime,
        "link_target": target,
        "text": text,
        "hex": data.hex() if data is not None and text is None else None,
        "truncated": data is not None and len(data) < member.size,
        "capabilities": _capabilities(member),
    }


class _Member(NamedTuple):
    """The first member of a tar archive."""

    info: TarInfo
    data: bytes | None
    """Its beginning, if it is a file."""


def _first_member(archive: bytes, most: int) -> _Member:
    """With at most so many bytes of a file. Raises Refused("malformed")."""
    import io
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r|") as archive_file:
            member = archive_file.next()
            if member is None:
                raise Refused("malformed", "the archive is empty")
            file = archive_file.extractfile(member) if member.isreg() else None
            return _Member(member, file.read(min(most, member.size)) if file else None)
    except tarfile.TarError as error:
        raise Refused("malformed", f"the archive cannot be read: {error}") from error


def _kind(member: TarInfo) -> str:
    if member.isreg():
        return "file"
    if member.isdir():
        return "directory"
    return "link" if member.issym() else "other"


def _capabilities(member: TarInfo) -> str | None:
    """A file's attribute security.capability, which the engine sends with it."""
    value = member.pax_headers.get("SCHILY.xattr.security.capability")
    return value.encode("utf-8", "surrogateescape").hex() if value else None


def _utf8(data: bytes | None) -> str | None:
    """The text of a file; None for what is no file, or no UTF-8.

    A character of which only the beginning was read is left out.
    """
    if data is None:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return None


def _readable_name(name: str) -> str:
    """A name out of a tar archive without what no text can hold.

    Bytes that are not UTF-8 are replaced.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _path_stat(reply: Reply) -> dict[str, Json]:
    """The stat of the path that the engine sends in a header beside its archive."""
    try:
        decoded = msgspec.json.decode(
            base64.b64decode(reply.headers.get("x-docker-container-path-stat", ""))
        )
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _is_socket(stat: Mapping[str, Json]) -> bool:
    """Whether the path is a Unix socket, which no tar archive can hold: it is empty."""
    mode = stat.get("mode")
    return isinstance(mode, int) and bool(mode & _MODE_SOCKET)


def target_of(question: AnyQuestion, version: tuple[int, int] | None, now: float) -> str:
    """The path and the query of a request to an engine of this API version.

    now: the engine's Unix time, for events and recent lines.
    """
    path = question.policy.path.replace("{id}", quote(str(getattr(question, "id", "")), safe="/:@"))
    query: list[tuple[str, str]] = []
    if isinstance(question, ListEvents):
        query += [("since", f"{now - question.since_s:.3f}"), ("until", f"{now:.3f}")]
    if isinstance(question, ReadLogsSince):
        query.append(("since", f"{now - question.since_s:.3f}"))
    arguments = {
        name: getattr(question, name)
        for name in question.__struct_fields__
        if name not in OWN_ARGUMENTS
    }
    for name, value in {**question.policy.parameters, **arguments}.items():
        if (
            value is not None
            and value is not UNSET
            and not _is_unknown_parameter(question, name, version)
        ):
            values = value if isinstance(value, list | tuple) else [value]
            query += [(name, _parameter(element)) for element in values]
    return f"{path}?{urlencode(query)}" if query else path


def _is_unknown_parameter(
    question: AnyQuestion, name: str, version: tuple[int, int] | None
) -> bool:
    """Whether the engine is too old for a parameter of /system/df."""
    since = {"type": (1, 42), "verbose": (1, 52)}.get(name)
    if since is None or not isinstance(question, MeasureDiskUsage):
        return False
    return version is None or version < since


def _parameter(value: Json) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else json.dumps(value)
