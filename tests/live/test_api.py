"""The engine's hands against servers that misbehave on purpose: real sockets, one small thread
each."""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import tarfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.live import Live, Refused
from diagnose.live.engine import api, events, fast_lane
from diagnose.live.engine.http import Connection
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.question import policies
from diagnose.questions.run import Options
from tests.questions import question

Script = Callable[[socket.socket, str], None]
"""What a server does with one request: the connection and the request's target."""

PING = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\nDocker-Experimental: false\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)


class Server:
    """A server on a unix socket that keeps connections alive; it notes how many, and the
    targets."""

    def __init__(self, path: Path, script: Script) -> None:
        self.path = path
        self.url = f"unix://{path}"
        self.targets: list[str] = []
        self.connections = 0
        self._script = script
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(16)
        self._listeners = [listener]
        self._serve_on(listener)

    def listen_on_tcp(self) -> str:
        """Its address for docker-py, which asks every engine that is not behind a local socket."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self._serve_on(listener)
        return f"tcp://127.0.0.1:{listener.getsockname()[1]}"

    @property
    def is_on_tcp(self) -> bool:
        return len(self._listeners) > 1

    def _serve_on(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while True:
                data = connection.recv(4096)
                if not data:
                    return
                head += data
                while b"\r\n\r\n" in head:
                    request, _, head = head.partition(b"\r\n\r\n")
                    target = request.split(b" ")[1].decode()
                    self.targets.append(target)
                    if target == "/_ping":
                        connection.sendall(PING)
                    else:
                        self._script(connection, target)

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def live(self) -> Live:
        return Live(Options(host=self.url))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Script], Server]]:
    servers: list[Server] = []

    def start(script: Script) -> Server:
        servers.append(Server(tmp_path / f"{len(servers)}.sock", script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Ask = Callable[[Live, AnyQuestion], Any]


@pytest.fixture(params=["one question", "one of many", "through docker-py"])
def ask(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The ways in which the engine is asked: a question by itself, as those of the api lane are,
    and as a remote engine is."""
    if request.param == "through docker-py":
        monkeypatch.setattr(
            Server, "live", lambda server: Live(Options(host=server.listen_on_tcp()))
        )
    if request.param != "one of many":
        return lambda live, asked: live.ask(asked)
    return lambda live, asked: dict(served(live, [asked]))[asked]


def served(live: Live, asked: Iterable[AnyQuestion]) -> Iterator[tuple[AnyQuestion, Any]]:
    waiting = iter(asked)
    return live.serve("api", lambda: next(waiting, None))


def reply(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(raw: bytes) -> Script:
    return lambda connection, target: connection.sendall(raw)


def says_and_hangs_up(raw: bytes) -> Script:
    def script(connection: socket.socket, target: str) -> None:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_RDWR)

    return script


def chunked(*chunks: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"


def drips(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.1)


def drips_headers(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: b\r\n")
        time.sleep(0.1)


def endless(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def endless_headers(connection: socket.socket, target: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: b\r\n" * 1000)


def never(connection: socket.socket, target: str) -> None:
    time.sleep(30)


ANSWERS = {
    "counted body": (reply(b'{"a": 1}'), {"a": 1}),
    "chunked body": (chunked(b'{"a"', b": [1", b", 2]}"), {"a": [1, 2]}),
    "chunk with an extension": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x="y"\r\n[]\r\n0\r\nTrailer: 1\r\n\r\n',
        [],
    ),
    "header names in any case": (b"HTTP/1.1 200 OK\r\ncOnTeNt-LeNgTh:2\r\n\r\n{}", {}),
    "null": (reply(b"null"), None),
}


@pytest.mark.parametrize(("raw", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_body_is_decoded_and_connection_kept(
    ask: Ask, serve: Callable[[Script], Server], raw: bytes, expected: object
) -> None:
    server = serve(says(raw))
    live = server.live()
    assert [ask(live, question("api.info")) for _ in range(3)] == [expected] * 3
    assert server.connections == 1


LONGER_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n"
FAILURES = {
    "HTML with status 500": (
        reply(b"<html>\n<b>oops</b>", "500 Oops"),
        "refused",
        "HTTP 500: <html> <b>oops</b>",
    ),
    "404 with the engine's message": (
        reply(b'{"message":"No such container: x"}', "404 Not Found"),
        "gone",
        "HTTP 404: No such container: x",
    ),
    "403 of a socket proxy": (reply(b"<h1>403</h1>", "403 Forbidden"), "forbidden", "HTTP 403"),
    "401": (reply(b"", "401 Unauthorized"), "forbidden", "HTTP 401"),
    "redirect is not followed": (
        reply(b"", "301 Moved", "Location: /x\r\n"),
        "refused",
        "HTTP 301",
    ),
    "error whose message is no text": (
        reply(b'{"message":[1]}', "500 Oops"),
        "refused",
        "HTTP 500: ",
    ),
    "error with half a surrogate": (
        reply(b'{"message":"a\\ud800"}', "500 Oops"),
        "refused",
        "HTTP 500: {",
    ),
    "error whose body is a list": (reply(b"[1]", "500 Oops"), "refused", "HTTP 500: [1]"),
    "not JSON": (reply(b"hello"), "malformed", "not JSON"),
    "nothing": (reply(b""), "malformed", "empty"),
    "truncated JSON": (reply(b'{"a": '), "malformed", "not JSON"),
    "invalid UTF-8": (reply(b'{"a": "\xff\xfe"}'), "malformed", "not JSON"),
    "nested 100,000 deep": (reply(b"[" * 100_000), "malformed", "not JSON"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed", "not HTTP"),
    "status is no number": (b"HTTP/1.1 abc\r\n\r\n", "malformed", "not HTTP"),
    "negative length": (
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "malformed",
        "Content-Length",
    ),
    "length beyond any memory": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "too large",
        "",
    ),
    "chunk size is no number": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "malformed",
        "chunk",
    ),
    "negative chunk size": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n",
        "malformed",
        "chunk",
    ),
    "chunk longer than it says": (LONGER_CHUNK, "malformed", "chunk"),
}


@pytest.mark.parametrize(("raw", "reason", "detail"), FAILURES.values(), ids=FAILURES)
def test_unreadable_answer_says_why(
    ask: Ask, serve: Callable[[Script], Server], raw: bytes, reason: str, detail: str
) -> None:
    server = serve(says(raw))
    answer = ask(server.live(), question("api.info"))
    assert isinstance(answer, Failed)
    if (
        raw == LONGER_CHUNK and server.is_on_tcp
    ):  # http.client skips what follows a chunk, and waits for more
        reason, detail = "timed out", ""
    assert answer.reason == reason
    assert detail in answer.detail


HANG_UPS = {
    "inside the headers": (b"HTTP/1.1 200 OK\r\nConte", "malformed"),
    "inside a counted body": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1,", "malformed"),
    "inside a chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1",
        "malformed",
    ),
    "without an answer": (b"", "refused"),
}


@pytest.mark.parametrize(("raw", "reason"), HANG_UPS.values(), ids=HANG_UPS)
def test_connection_closed_early(
    ask: Ask, serve: Callable[[Script], Server], raw: bytes, reason: str
) -> None:
    answer = ask(serve(says_and_hangs_up(raw)).live(), question("api.info"))
    assert isinstance(answer, Failed)
    assert answer.reason == reason


def test_body_up_to_the_end_of_the_connection(ask: Ask, serve: Callable[[Script], Server]) -> None:
    server = serve(says_and_hangs_up(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[1]"))
    live = server.live()
    assert ask(live, question("api.info")) == [1]
    assert ask(live, question("api.info")) == [1]


def test_connection_closed_between_two_questions_is_replaced(
    ask: Ask, serve: Callable[[Script], Server]
) -> None:
    server = serve(says_and_hangs_up(reply(b"{}")))
    live = server.live()
    assert [ask(live, question("api.info")) for _ in range(3)] == [{}, {}, {}]
    assert server.connections == 3


@pytest.mark.parametrize("script", [drips, drips_headers, never])
def test_total_deadline_holds(ask: Ask, serve: Callable[[Script], Server], script: Script) -> None:
    live = serve(script).live()
    begin = time.monotonic()
    answer = ask(live, question("api.container", id="x"))
    took = time.monotonic() - begin
    assert isinstance(answer, Failed)
    assert answer.reason == "timed out"
    assert took < policies()["api.container"].deadline + 0.6


@pytest.mark.parametrize(
    ("script", "reason"), [(endless, "too large"), (endless_headers, "malformed")]
)
def test_endless_answer_is_cut_off(
    ask: Ask, serve: Callable[[Script], Server], script: Script, reason: str
) -> None:
    answer = ask(serve(script).live(), question("api.containers"))
    assert isinstance(answer, Failed)
    assert answer.reason == reason


def test_stuck_answer_leaves_the_next_question_alone(
    ask: Ask, serve: Callable[[Script], Server]
) -> None:
    def script(connection: socket.socket, target: str) -> None:
        if "stuck" in target:
            time.sleep(30)
        connection.sendall(reply(b"{}"))

    live = serve(script).live()
    assert isinstance(ask(live, question("api.container", id="stuck")), Failed)
    assert ask(live, question("api.container", id="well")) == {}


def inspects(*ids: str) -> list[AnyQuestion]:
    return [question("api.container", id=id_) for id_ in ids]


def names_itself(connection: socket.socket, target: str) -> None:
    connection.sendall(chunked(json.dumps({"Id": target.split("/")[-2]}).encode()))


def test_many_questions_go_over_few_connections(serve: Callable[[Script], Server]) -> None:
    server = serve(names_itself)
    asked = inspects(*map(str, range(200)))
    answers = dict(served(server.live(), asked))
    assert answers == {question: {"Id": question.args["id"]} for question in asked}
    assert server.connections == fast_lane.AT_ONCE


def test_stuck_answers_hold_up_nobody_else(serve: Callable[[Script], Server]) -> None:
    def script(connection: socket.socket, target: str) -> None:
        if "drips" in target:
            drips(connection, target)
        elif "stuck" in target:
            time.sleep(30)
        names_itself(connection, target)

    begin = time.monotonic()
    came = {}
    for asked, answer in served(
        serve(script).live(), inspects("stuck", "drips", *map(str, range(50)))
    ):
        came[asked.args["id"]] = answer, time.monotonic() - begin
    late = {id for id, (answer, _) in came.items() if isinstance(answer, Failed)}
    assert late == {"stuck", "drips"}
    assert max(at for id, (_, at) in came.items() if id not in late) < 1
    assert "not a byte" in came["stuck"][0].detail
    assert "no end" in came["drips"][0].detail
    assert max(at for _, at in came.values()) < policies()["api.container"].deadline + 0.6


def test_question_that_comes_while_others_are_stuck_is_asked_at_once(
    serve: Callable[[Script], Server],
) -> None:
    def script(connection: socket.socket, target: str) -> None:
        if "stuck" in target:
            time.sleep(30)
        names_itself(connection, target)

    waiting = [*inspects("late"), None, *inspects("stuck")]
    first, *_ = serve(script).live().serve("api", lambda: waiting.pop() if waiting else None)
    assert first == (*inspects("late"), {"Id": "late"})


def test_kept_connections_that_were_closed_are_replaced(serve: Callable[[Script], Server]) -> None:
    def script(connection: socket.socket, target: str) -> None:
        names_itself(connection, target)
        connection.shutdown(socket.SHUT_RDWR)

    asked = inspects(*map(str, range(20)))
    assert dict(served(serve(script).live(), asked)) == {
        question: {"Id": question.args["id"]} for question in asked
    }


def test_engine_that_dies_meanwhile_refuses_the_rest(serve: Callable[[Script], Server]) -> None:
    server: Server

    def script(connection: socket.socket, target: str) -> None:
        server.path.unlink()
        connection.shutdown(socket.SHUT_RDWR)

    server = serve(script)
    answers = [answer for _, answer in served(server.live(), inspects(*map(str, range(10))))]
    assert {answer.reason for answer in answers} <= {"refused", "missing"}
    assert len(answers) == 10


def test_nothing_is_sent_after_a_failed_ping(tmp_path: Path) -> None:
    path = tmp_path / "frozen.sock"
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(path))
        frozen.listen(1)
        live = Live(Options(host=f"unix://{path}"))
        begin = time.monotonic()
        answers = [
            live.ask(question(kind))
            for kind in ("api.ping", "api.info", "api.containers", "api.ping")
        ]
        took = time.monotonic() - begin
    assert [answer.reason for answer in answers] == ["timed out"] * 4
    assert took < policies()["api.ping"].deadline + 0.3


def test_full_queue_of_connections_is_a_timeout(tmp_path: Path) -> None:
    path = tmp_path / "full.sock"
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as other:
        full.bind(str(path))
        full.listen(0)
        other.connect(str(path))
        answer = Live(Options(host=f"unix://{path}")).ask(question("api.ping"))
    assert isinstance(answer, Failed)
    assert answer.reason == "timed out"


def test_socket_that_nobody_serves(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    cases = {
        f"unix://{path}": "refused",
        f"unix://{tmp_path}/none.sock": "missing",
        "unix:///" + "x" * 200: "malformed",
    }
    for url, reason in cases.items():
        answer = Live(Options(host=url)).ask(question("api.ping"))
        assert isinstance(answer, Failed)
        assert answer.reason == reason, url
        assert url.removeprefix("unix://") in answer.detail


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
def test_ping(tmp_path: Path, raw: bytes, expected: dict[str, Any] | str) -> None:
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
def test_target(
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
    followed = events.EventStream(server.live(), {"type": ["container"]})
    threading.Timer(0.5, followed.close).start()
    came = list(followed)
    assert [event["Action"] for event in came] == ["start", "die"]
    assert "made-up-3f9a1c77" not in str(came)
    assert server.targets[1].startswith("/v1.41/events?filters=%7B%22type%22")


BROKEN_EVENTS = {
    "not JSON": (chunked(b"hello\n"), "malformed"),
    "one line without an end": (chunked(b"x" * (events.EVENT_BYTES + 1)), "too large"),
    "an error of the engine": (reply(b'{"message":"no"}', "500 Oops"), "refused"),
}


@pytest.mark.parametrize(("raw", "reason"), BROKEN_EVENTS.values(), ids=BROKEN_EVENTS)
def test_events_that_are_none(serve: Callable[[Script], Server], raw: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        list(events.EventStream(serve(says(raw)).live()))
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
def test_logs(
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


def tar(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
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
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def test_archive_gives_the_first_bytes_of_a_file(serve: Callable[[Script], Server]) -> None:
    answer = (
        serve(says(chunked(tar("x" * 300, b"#!/bin/sh\r\n" + b"a" * 100_000))))
        .live()
        .ask(question("api.archive", id="c", path="/x", bytes=11))
    )
    assert answer["text"] == "#!/bin/sh\r\n"
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


@pytest.mark.parametrize("raw", [b"", b"no tar at all" * 100], ids=["empty", "rubbish"])
def test_archive_that_is_none(serve: Callable[[Script], Server], raw: bytes) -> None:
    answer = serve(says(reply(raw))).live().ask(question("api.archive", id="c", path="/x"))
    assert isinstance(answer, Failed)
    assert answer.reason == "malformed"


def test_engines_clock_counts_when_it_is_another(tmp_path: Path) -> None:
    class Late(Server):
        def _serve(self, connection: socket.socket) -> None:
            with connection:
                while connection.recv(4096):
                    date = b"Date: Mon, 23 Nov 2020 10:00:00 GMT\r\n"
                    connection.sendall(PING.replace(b"Api-", date + b"Api-", 1))

    server = Late(tmp_path / "l.sock", never)
    engine = api.engine(server.live())
    assert engine.clock == pytest.approx(1606125600, abs=5)
    server.close()


WELL_FORMED = [
    reply(
        b'{"Names": ["/web"], "State": "running"}',
        headers="Api-Version: 1.51\r\nConnection: keep-alive\r\n",
    ),
    chunked(b'[{"Id": "ab"}', b', {"Id": "cd"}]'),
    b"HTTP/1.0 200 OK\r\n\r\n[]",
]


@settings(max_examples=200, deadline=None)
@given(
    raw=st.sampled_from(WELL_FORMED),
    cuts=st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 20), st.binary(max_size=8)), max_size=4
    ),
)
def test_mutated_answers_raise_nothing_unexpected(
    raw: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    """Bytes replaced, lost and added anywhere: a reply, or one of the exceptions that the reader
    promises."""
    for at, lost, added in cuts:
        raw = raw[:at] + added + raw[at + lost :]
    near, far = socket.socketpair()
    with near, far:
        far.sendall(raw)
        far.shutdown(socket.SHUT_WR)
        connection = Connection(near)
        with suppress(OSError, EOFError, Refused):
            connection.ask("/x", 1000)
            found = connection.take()
            assert found is not None
            assert 0 <= found.status <= 999
            assert len(found.body) <= 1000
