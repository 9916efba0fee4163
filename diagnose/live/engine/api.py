"""The questions to the engine's API: each `api.*` question is one GET on a connection of ours.

Path and parameters of a request are in the question's policy (`diagnose/questions/`). `id` is an
id or a name. HTTP errors are Refused: 404 gone, 401 and 403 forbidden, others refused, with the
engine's message. Times are relative to the engine's clock. Paths have the version of the API in
front, unless the engine has given up every version that we know.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET

from diagnose.live import Live, Refused
from diagnose.live.engine import endpoint as places
from diagnose.live.engine.archive import archived_path
from diagnose.live.engine.client import Engine, accepted, message, parsed_version
from diagnose.live.engine.http import Reply, Request
from diagnose.live.engine.long_list import LONG_BYTES, short_rows
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from diagnose.questions.container_logs import ReadLogs, ReadLogsSince
from diagnose.questions.containers import ListContainers, ReadContainerFile
from diagnose.questions.disk_usage import MeasureDiskUsage
from diagnose.questions.engine import ListEvents, PingEngine
from diagnose.questions.question import typed
from diagnose.recording.limits import cut

if TYPE_CHECKING:
    pass

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
        raise Refused("malformed", f"what answers is not a container engine: {message(reply)}")
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
        return archived_path(question, reply)
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
