"""One GET for the first page: real servers on this machine, and what is made of their answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from diagnose.live import Live, Refused
from diagnose.live.network import web_page
from diagnose.questions.run import Options
from diagnose.questions.web_pages import RequestPage

Answer = Callable[[bytes], bytes]


class Server:
    """A server that answers each connection by its request, and keeps what it was sent."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Server:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536))
                try:
                    connection.sendall(self._answer(self.requests[-1]))
                except TimeoutError:
                    self.requests.append(connection.recv(65536))


@pytest.fixture(autouse=True)
def _without_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is made here: entering a namespace has tests of its own."""

    @contextmanager
    def made(_live: Live, _question: RequestPage, wanted: Any) -> Iterator[Any]:
        with socket.socket() as kernel:
            yield (wanted["server"], wanted["port"]), kernel

    monkeypatch.setattr(web_page, "sending_socket", made)
    monkeypatch.setattr(web_page, "PATIENCE_S", 1.0)
    monkeypatch.setattr(web_page._Visit, "_looked_at", lambda _: {"unread": 0, "quiet_s": None})


def reply(server: Server, **fields: Any) -> dict[str, Any]:
    question = RequestPage(7, "127.0.0.1", server.port, **fields)
    return web_page.request_page(Live(Options()), question)


def head(status: str, *lines: str, body: str = "") -> bytes:
    shown = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 {status}\r\n{shown}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def test_an_error_and_what_it_says() -> None:
    page = "<h1>Server Error</h1>"
    with Server(
        lambda _: head("500 Bad", "Server: gunicorn", "Content-Type: text/html", body=page)
    ) as server:
        answer = reply(server, outer_port=8080)
    (request,) = server.requests
    assert (answer["outcome"], answer["status"], answer["server"]) == ("answered", 500, "gunicorn")
    assert answer["body"] == page
    assert request.startswith(b"GET / HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: diagnose/")
    assert b"\r\nConnection: close\r\n\r\n" in request
    assert b"Cookie" not in request
    assert b"Authorization" not in request


def test_a_redirect_on_the_same_host_is_followed() -> None:
    def answer(request: bytes) -> bytes:
        is_root = request.startswith(b"GET / ")
        return head("302 Found", "Location: /login") if is_root else head("500 Bad")

    with Server(answer) as server:
        answered = reply(server)
    assert (answered["status"], answered["path"], answered["redirects"]) == (500, "/login", 1)


ELSEWHERE = {
    "another host": "http://accounts.example.org/",
    "another port": "http://localhost:9/",
    "another scheme": "https://localhost/",
    "no address": "http://[::/",
}


@pytest.mark.parametrize("location", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_redirect_elsewhere_is_not_followed(location: str) -> None:
    with Server(lambda _: head("302 Found", f"Location: {location}")) as server:
        answered = reply(server)
    assert len(server.requests) == 1
    assert (answered["location"], answered["is_circle"]) == (location, False)


def test_a_circle_ends_at_its_first_repetition() -> None:
    with Server(lambda _: head("301 Moved", "Location: /", "Set-Cookie: a=b")) as server:
        answered = reply(server)
    assert len(server.requests) == 1
    assert (answered["is_circle"], answered["sets_cookie"]) == (True, True)


COOKIES = {
    "marks": ("sid=made-up; Path=/; Secure; SameSite=Strict", "Path=/; Secure; SameSite=Strict"),
    "a domain": ("sid=made-up; Domain=.shop.example; HttpOnly", "Domain=.shop.example"),
    "none": ("sid=made-up", ""),
    "a value like a mark": ("sid=made-up; x=made-up; Max-Age=9", ""),
}


@pytest.mark.parametrize(("header", "marks"), COOKIES.values(), ids=COOKIES)
def test_of_a_cookie_its_marks_are_kept_and_not_its_value(header: str, marks: str) -> None:
    with Server(lambda _: head("200 OK", f"Set-Cookie: {header}")) as server:
        answered = reply(server)
    assert answered["cookie_marks"] == marks
    assert "made-up" not in str(answered)


def test_redirects_without_end_are_followed_five_times() -> None:
    with Server(
        lambda request: head("302 Found", f"Location: {request.split()[1].decode()}x")
    ) as server:
        answered = reply(server)
    assert len(server.requests) == 1 + web_page.MOST_REDIRECTS
    assert answered["is_circle"] is False


OUTCOMES: dict[str, tuple[Answer, str]] = {
    "it says nothing": (lambda _: b"", "closed"),
    "no HTTP": (lambda _: b"220 mail.example.org ESMTP\r\n", "no http"),
    "half of a head": (lambda _: b"HTTP/1.1 200 OK\r\nServer", "no http"),
}


@pytest.mark.parametrize(("answer", "outcome"), OUTCOMES.values(), ids=OUTCOMES)
def test_no_answer(answer: Answer, outcome: str) -> None:
    with Server(answer) as server:
        assert reply(server)["outcome"] == outcome


def test_a_server_that_drips_is_silent() -> None:
    def answer(_: bytes) -> bytes:
        threading.Event().wait(3)
        return b""

    with Server(answer) as server:
        answered = reply(server)
    assert answered["outcome"] == "silent"
    assert 900 < answered["ms"] < 2500


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        question = RequestPage(7, "127.0.0.1", bound.getsockname()[1])
        answered = web_page.request_page(Live(Options()), question)
    assert answered["outcome"] == "refused"


def test_a_server_of_tls_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """nginx says so in words."""
    asked: list[bool] = []
    original = web_page._Visit._get

    def get(visit: web_page._Visit, target: str, *, tls: bool) -> Any:
        asked.append(tls)
        return original(visit, target, tls=False) if not tls else pytest.skip("no TLS here")

    monkeypatch.setattr(web_page._Visit, "_get", get)
    body = "<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port"
    with (
        Server(lambda _: head("400 Bad", body=body)) as server,
        pytest.raises(pytest.skip.Exception),
    ):
        reply(server)
    assert asked == [False, True]


def test_a_server_without_tls_is_asked_plainly() -> None:
    def answer(request: bytes) -> bytes:
        return head("200 OK", body="welcome") if request.startswith(b"GET") else head("400 Bad")

    with Server(answer) as server:
        answered = reply(server, tls=True)
    assert (answered["status"], answered["tls"]) == (200, False)


def test_no_request_without_probes_or_with_a_strange_name() -> None:
    question = RequestPage(7, "127.0.0.1", 9)
    with pytest.raises(Refused):
        web_page.request_page(Live(Options(probe=False)), question)
    with pytest.raises(Refused):
        web_page.request_page(Live(Options()), RequestPage(7, "127.0.0.1", 9, name="a\r\nX: b"))


@contextmanager
def endless(beginning: bytes, more: bytes = b"") -> Iterator[int]:
    """The port of a server whose answer never ends; more: what it repeats, or it is silent."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection = listening.accept()[0]
                kept.append(connection)
                connection.recv(65536)
                connection.sendall(beginning)
                while more:
                    connection.sendall(more)

    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
    for connection in kept:
        connection.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 9\r\n\r\n"
ENDLESS: dict[str, tuple[bytes, bytes, str, int]] = {
    "a stream of events": (HEAD + b"\r\ndata: 1\n\n", b"", "answered", 200),
    "a body that is cut off": (HEAD + b"Content-Length: 99\r\n\r\n", b"", "answered", 200),
    "a redirect without its body": (REDIRECT, b"", "answered", 302),
    "a body without end": (HEAD + b"\r\n", b"x" * 999, "answered", 200),
    "chunks without end": (HEAD + CHUNKED, b"1\r\nx\r\n", "answered", 200),
    "headers without end": (HEAD, b"X-More: more\r\n", "no http", 0),
    "a header of a megabyte": (HEAD + b"X-More: ", b"x" * 9999, "no http", 0),
    "announcements without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "no http", 0),
}


@pytest.mark.parametrize(("beginning", "more", "outcome", "status"), ENDLESS.values(), ids=ENDLESS)
def test_an_answer_without_end(beginning: bytes, more: bytes, outcome: str, status: int) -> None:
    with endless(beginning, more) as port:
        answered = web_page.request_page(Live(Options()), RequestPage(7, "127.0.0.1", port))
    assert (answered["outcome"], answered.get("status", 0)) == (outcome, status)
    assert answered["ms"] < 2000


def test_a_handshake_that_hangs_is_silent() -> None:
    with endless(b"") as port:
        question = RequestPage(7, "127.0.0.1", port, tls=True)
        answered = web_page.request_page(Live(Options()), question)
    assert (answered["outcome"], answered["ms"] < 2000) == ("silent", True)


@pytest.mark.parametrize("name", ["a..b", "a.b.", "x" * 64 + ".example.org"])
def test_a_name_that_tls_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        web_page.request_page(Live(Options()), RequestPage(7, "127.0.0.1", 9, name=name, tls=True))
