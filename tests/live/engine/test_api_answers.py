"""What the engine's answers become: pings, paths, events, logs and archives."""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.live import Refused
from diagnose.live.engine import api, event_stream
from diagnose.model import Failed
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.question import policies
from diagnose.recording.limits import cut
from tests.live.servers import PING, Ask, Script, Server, chunked, never, reply, says
from tests.questions import question

PINGS: dict[str, tuple[bytes, dict[str, Any] | str]] = {
    "engine 20.10": (
        PING,
        {
            "api_version": "1.41",
            "engine_version": "20.10.24+dfsg1",
            "libpod": None,
            "docker_experimental": False,
        },
    ),
    "podman 4.3": (
        reply(
            b"OK",
            headers="Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\nServer: Libpod/4.3.1 (linux)\r\n",
        ),
        {
            "api_version": "1.41",
            "engine_version": None,
            "libpod": "4.3.1",
            "server": "Libpod/4.3.1 (linux)",
        },
    ),
    "no version": (reply(b"OK"), {"api_version": None, "server": None}),
    "a web server": (reply(b"<html>It works</html>", headers="Server: nginx\r\n"), "malformed"),
    "status 500": (reply(b"", "500 Oops"), "refused"),
}


@pytest.mark.parametrize(("raw", "expected"), PINGS.values(), ids=PINGS)
def test_what_the_headers_of_a_ping_say(
    tmp_path: Path, raw: bytes, expected: dict[str, Any] | str
) -> None:
    class Pinged(Server):
        def _serve(self, connection: socket.socket) -> None:
            with connection:
                connection.recv(4096)
                connection.sendall(raw)

    server = Pinged(tmp_path / "p.sock", never)
    answer = server.live().ask(question("api.ping"))
    server.close()
    if isinstance(expected, str):
        assert isinstance(answer, Failed)
        assert answer.reason == expected
    else:
        assert {key: answer[key] for key in expected} == expected


TARGETS = {
    "list": ("api.containers", {}, "/v1.41/containers/json?all=1"),
    "inspect": ("api.container", {"id": "abc"}, "/v1.41/containers/abc/json"),
    "inspect again": ("api.recheck", {"id": "abc"}, "/v1.41/containers/abc/json"),
    "image with a tag": (
        "api.image",
        {"id": "reg:5000/a/b:1@sha256:00"},
        "/v1.41/images/reg:5000/a/b:1@sha256:00/json",
    ),
    "hostile id": (
        "api.container",
        {"id": "a b\r\nX: ?#"},
        "/v1.41/containers/a%20b%0D%0AX:%20%3F%23/json",
    ),
    "type is not for API 1.41": ("api.system_df", {"type": ["volume"]}, "/v1.41/system/df"),
    "filters": (
        "api.tasks",
        {"filters": {"node": ["self"]}},
        "/v1.41/tasks?filters=%7B%22node%22%3A+%5B%22self%22%5D%7D",
    ),
}


@pytest.mark.parametrize(("kind", "args", "target"), TARGETS.values(), ids=TARGETS)
def test_a_question_is_one_get_of_the_api(
    serve: Callable[[Script], Server], kind: str, args: dict[str, Any], target: str
) -> None:
    server = serve(says(reply(b"{}")))
    assert server.live().ask(question(kind, **args)) == {}
    assert server.targets == ["/_ping", target]


def test_every_api_kind_has_a_path() -> None:
    pathless = {
        kind for kind, policy in policies().items() if kind.startswith("api.") and not policy.path
    }
    assert pathless == {"api.ping"}


def test_events_end_now_and_are_lines(serve: Callable[[Script], Server]) -> None:
    server = serve(says(chunked(b'{"Action":"oom"}\n', b'{"Action":"die"}\n')))
    answer = server.live().ask(question("api.events", since_s=60))
    assert [event["Action"] for event in answer] == ["oom", "die"]
    query = dict(pair.split("=") for pair in server.targets[1].partition("?")[2].split("&"))
    assert float(query["until"]) - float(query["since"]) == pytest.approx(60, abs=0.01)
    assert float(query["until"]) == pytest.approx(time.time(), abs=5)


def test_events_are_followed_until_they_are_closed(
    ask: Ask, serve: Callable[[Script], Server]
) -> None:
    """Redacted as they come, over a local socket and over TCP; whoever follows ends it from another
    thread."""

    def script(connection: socket.socket, target: str) -> None:
        attributes = {"name": "web", "DB_PASSWORD": "made-up-3f9a1c77"}
        lines = [
            json.dumps({"Action": action, "Actor": {"Attributes": attributes}})
            for action in ("start", "die")
        ]
        text = "\n".join(lines).encode() + b"\n"
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (text[:50], text[50:]):  # a chunk need not be a line
            connection.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        time.sleep(30)

    server = serve(script)
    followed = event_stream.EventStream(server.live(), {"type": ["container"]})
    threading.Timer(0.5, followed.close).start()
    came = list(followed)
    assert [event["Action"] for event in came] == ["start", "die"]
    assert "made-up-3f9a1c77" not in str(came)
    assert server.targets[1].startswith("/v1.41/events?filters=%7B%22type%22")


BROKEN_EVENTS = {
    "not JSON": (chunked(b"hello\n"), "malformed"),
    "one line without an end": (chunked(b"x" * (event_stream.EVENT_BYTES + 1)), "too large"),
    "an error of the engine": (reply(b'{"message":"no"}', "500 Oops"), "refused"),
}


@pytest.mark.parametrize(("raw", "reason"), BROKEN_EVENTS.values(), ids=BROKEN_EVENTS)
def test_events_that_are_none(serve: Callable[[Script], Server], raw: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        list(event_stream.EventStream(serve(says(raw)).live()))
    assert refused.value.failed.reason == reason


def frame(stream: int, text: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text


LOGS = {
    "two streams": (
        frame(1, b"a\n") + frame(2, b"b\n") + frame(1, b"c\n"),
        "a\nb\nc\n",
        "a\nc\n",
        "b\n",
    ),
    "a terminal": (b"a\r\nb\r\n", "a\r\nb\r\n", "a\r\nb\r\n", ""),
    "nothing": (b"", "", "", ""),
    "frame cut short": (frame(1, b"abc")[:-1], "ab", "ab", ""),
    "not UTF-8": (frame(2, b"\xff\n"), "�\n", "", "�\n"),
}


@pytest.mark.parametrize(("raw", "text", "stdout", "stderr"), LOGS.values(), ids=LOGS)
def test_logs_are_split_into_their_streams(
    serve: Callable[[Script], Server], raw: bytes, text: str, stdout: str, stderr: str
) -> None:
    answer = serve(says(reply(raw))).live().ask(question("api.logs", id="x"))
    assert (answer["text"], answer["stdout"], answer["stderr"]) == (text, stdout, stderr)
    assert answer["truncated"] is False


def test_newest_of_a_log_is_kept(serve: Callable[[Script], Server]) -> None:
    server = serve(says(chunked(frame(1, b"x" * 5000), frame(2, b"y" * 500))))
    live = server.live()
    answer = live.ask(question("api.logs", id="x", bytes=1000))
    assert (answer["text"], answer["truncated"]) == ("x" * 500 + "y" * 500, True)
    assert (answer["stdout"], answer["stderr"]) == ("x" * 1000, "y" * 500)
    assert live.ask(question("api.logs", id="x"))["text"] == "x" * 5000 + "y" * 500


def test_no_more_lines_are_kept_than_were_asked_for(serve: Callable[[Script], Server]) -> None:
    lines = b"".join(b"%d\n" % number for number in range(500))
    live = serve(says(reply(frame(1, lines) + frame(2, lines)))).live()
    answer = live.ask(question("api.logs", id="x", tail=2))
    assert (answer["text"], answer["truncated"]) == ("498\n499\n", True)
    assert (answer["stdout"], answer["stderr"]) == ("498\n499\n", "498\n499\n")
    assert live.ask(question("api.logs", id="x", tail=1000))["truncated"] is False


def test_endless_log_is_cut(serve: Callable[[Script], Server]) -> None:
    def script(connection: socket.socket, target: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"400\r\n" + frame(1, b"z" * 1016) + b"\r\n")

    answer = serve(script).live().ask(question("api.logs", id="x", bytes=100))
    assert (answer["text"], answer["truncated"]) == ("z" * 100, True)


@pytest.mark.parametrize(("load", "least_s"), [(0.0, 0.2), (1000.0, 0.4)])
def test_the_settled_engine_is_asked_later(
    serve: Callable[[Script], Server], monkeypatch: pytest.MonkeyPatch, load: float, least_s: float
) -> None:
    """A busy one still later."""
    monkeypatch.setattr(api, "SETTLE_S", 0.2)
    monkeypatch.setattr(api, "SETTLE_BUSY_S", 0.4)
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
    live = serve(says(reply(b"{}"))).live()
    begin = time.monotonic()
    assert live.ask(question("api.settled", id="x")) == {}
    assert time.monotonic() - begin >= least_s


def test_engine_that_gave_up_our_versions_is_asked_without(
    serve: Callable[[Script], Server],
) -> None:
    def script(connection: socket.socket, target: str) -> None:
        old = b'{"message":"client version 1.41 is too old. Minimum supported API version is 1.60"}'
        connection.sendall(
            reply(old, "400 Bad Request") if target.startswith("/v") else reply(b"[]")
        )

    server = serve(script)
    assert server.live().ask(question("api.networks")) == []
    assert server.targets == ["/_ping", "/v1.41/networks", "/networks"]


def test_error_of_the_engine_inside_the_logs(serve: Callable[[Script], Server]) -> None:
    answer = (
        serve(says(reply(frame(1, b"a\n") + frame(3, b"broken"))))
        .live()
        .ask(question("api.logs", id="x"))
    )
    assert (answer["text"], answer["error"]) == ("a\n", "broken")


def tar(
    name: str,
    content: bytes = b"",
    kind: bytes = tarfile.REGTYPE,
    target: str = "",
    pax: Mapping[str, str] | None = None,
) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.type, member.linkname, member.uid = (
            len(content),
            0o755,
            kind,
            target,
            1000,
        )
        member.pax_headers = dict(pax or {})
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def test_archive_gives_the_first_bytes_of_a_file(serve: Callable[[Script], Server]) -> None:
    answer = (
        serve(says(chunked(tar("x" * 300, b"#!/bin/sh\r\n" + b"a" * 100_000))))
        .live()
        .ask(question("api.archive", id="c", path="/x", bytes=11))
    )
    assert (answer["text"], answer["hex"]) == ("#!/bin/sh\r\n", None)
    assert (answer["type"], answer["mode"], answer["uid"], answer["size"]) == (
        "file",
        0o755,
        1000,
        100_011,
    )
    assert answer["truncated"] is True


def test_archive_of_a_link_and_of_a_binary(serve: Callable[[Script], Server]) -> None:
    stat = base64.b64encode(
        json.dumps({"name": "sh", "linkTarget": "/bin/busybox"}).encode()
    ).decode()
    header = f"X-Docker-Container-Path-Stat: {stat}\r\n"
    link = serve(
        says(reply(tar("sh", kind=tarfile.SYMTYPE, target="busybox"), headers=header))
    ).live()
    answer = link.ask(question("api.archive", id="c", path="/bin/sh"))
    assert (answer["type"], answer["link_target"], answer["text"]) == ("link", "/bin/busybox", None)
    odd = serve(says(reply(tar("sh", kind=tarfile.SYMTYPE, target="a\udcff")))).live()
    assert odd.ask(question("api.archive", id="c", path="/sh"))["link_target"] == "a\ufffd"
    binary = serve(says(reply(tar("elf", b"\x7fELF\x02\xff")))).live()
    answer = binary.ask(question("api.archive", id="c", path="/elf"))
    assert (answer["text"], answer["hex"], answer["link_target"]) == (None, "7f454c4602ff", None)


def test_archive_that_ends_within_a_character(serve: Callable[[Script], Server]) -> None:
    script = serve(says(chunked(tar("x", "# é".encode())))).live()
    answer = script.ask(question("api.archive", id="c", path="/x", bytes=3))
    assert (answer["text"], answer["hex"]) == ("# ", None)


def test_archive_of_a_long_file_is_recorded_whole(serve: Callable[[Script], Server]) -> None:
    data = b"\xff" * 64 * 1024
    file = serve(says(chunked(tar("x", data)))).live()
    asked = ReadContainerFile("c", "/x", bytes=64 * 1024)
    answer = file.ask(asked)
    assert cut(answer, policies()["api.archive"].longest) == answer
    assert asked.decode(answer).data == data


def test_archive_of_a_socket(serve: Callable[[Script], Server]) -> None:
    mode = 1 << 24 | 0o755  # os.ModeSocket of Go
    stat = base64.b64encode(json.dumps({"name": "app.sock", "mode": mode}).encode()).decode()
    header = f"X-Docker-Container-Path-Stat: {stat}\r\n"
    answer = serve(says(reply(b"", headers=header))).live()
    assert answer.ask(question("api.archive", id="c", path="/app.sock")) == {"type": "socket"}


def test_archive_of_a_file_with_capabilities(serve: Callable[[Script], Server]) -> None:
    attribute = bytes.fromhex("0100000200400000000000000000000000000000")
    name = "SCHILY.xattr.security.capability"
    held = tar("vault", b"\x7fELF", pax={name: attribute.decode("utf-8", "surrogateescape")})
    answer = serve(says(reply(held))).live().ask(question("api.archive", id="c", path="/vault"))
    assert answer["capabilities"] == attribute.hex()


@pytest.mark.parametrize("raw", [b"", b"no tar at all" * 100], ids=["empty", "rubbish"])
def test_archive_that_is_none(serve: Callable[[Script], Server], raw: bytes) -> None:
    answer = serve(says(reply(raw))).live().ask(question("api.archive", id="c", path="/x"))
    assert isinstance(answer, Failed)
    assert answer.reason == "malformed"
