"""The engine's collectors against servers that misbehave on purpose: real sockets, one small thread
each."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose.live import Live, Refused
from diagnose.live.engine import api, fast_lane
from diagnose.live.engine.http import Connection
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.question import policies
from diagnose.questions.run import Options
from tests.live.servers import (
    PING,
    Ask,
    Script,
    Server,
    chunked,
    drips,
    drips_headers,
    endless,
    endless_headers,
    never,
    reply,
    says,
    says_and_hangs_up,
    served,
)
from tests.questions import question

DEADLINE_S = policies()["api.container"].deadline
BUSY_S = 10.0
"""So late a busy machine may wake a thread; without a deadline the servers go on for 30 s or more.
"""
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
    "error whose message is not text": (
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
    "status is not a number": (b"HTTP/1.1 abc\r\n\r\n", "malformed", "not HTTP"),
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
    "chunk size is not a number": (
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
    answer = ask(server.live(is_patient=False), question("api.info"))
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
    live = serve(script).live(is_patient=False)
    begin = time.monotonic()
    answer = ask(live, question("api.container", id="x"))
    took = time.monotonic() - begin
    assert isinstance(answer, Failed)
    assert answer.reason == "timed out"
    assert took < DEADLINE_S + BUSY_S


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

    live = serve(script).live(is_patient=False)
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
        serve(script).live(is_patient=False), inspects("stuck", "drips", *map(str, range(50)))
    ):
        came[asked.args["id"]] = answer, time.monotonic() - begin
    late = {id for id, (answer, _) in came.items() if isinstance(answer, Failed)}
    assert late == {"stuck", "drips"}
    assert max(at for id, (_, at) in came.items() if id not in late) < DEADLINE_S
    assert "no answer in time" in came["stuck"][0].detail
    assert "only" in came["drips"][0].detail
    assert max(at for _, at in came.values()) < DEADLINE_S + BUSY_S


def test_question_that_comes_while_others_are_stuck_is_asked_at_once(
    serve: Callable[[Script], Server],
) -> None:
    def script(connection: socket.socket, target: str) -> None:
        if "stuck" in target:
            time.sleep(30)
        names_itself(connection, target)

    waiting = [*inspects("late"), None, *inspects("stuck")]
    first, *_ = (
        serve(script)
        .live(is_patient=False)
        .serve("api", lambda: waiting.pop() if waiting else None)
    )
    assert first == (*inspects("late"), {"Id": "late"})


def test_kept_connections_that_were_closed_are_replaced(serve: Callable[[Script], Server]) -> None:
    def script(connection: socket.socket, target: str) -> None:
        names_itself(connection, target)
        connection.shutdown(socket.SHUT_RDWR)

    asked = inspects(*map(str, range(20)))
    assert dict(served(serve(script).live(is_patient=False), asked)) == {
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
    assert took < 2 * policies()["api.ping"].deadline


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
