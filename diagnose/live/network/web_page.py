"""One GET for the first page of a web server, from inside its own network namespace.

It is sent where the program listens, so that it measures the program and not the way to it. It
carries no cookie and no credential. TLS is not verified: what is wrong with a certificate is judged
elsewhere. What the decision costs and shows: `.github/decisions/first-page.md`.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from diagnose.live import Refused
from diagnose.live.network.server_socket import sending_socket
from diagnose.questions.web_pages import PageOutcome
from diagnose.version import __version__

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.live.engine.http import Reply
    from diagnose.questions.web_pages import RequestPage

PATIENCE_S = 5.0
"""For everything: connections, TLS, redirects. Nobody waits longer for a page."""
HEAD_PATIENCE_S = 2.0
"""For the header of a page that is none of entry: a stream of events begins at once, or never."""
FIRST = "/"
MOST_REDIRECTS = 5
BODY_BYTES = 8 * 1024
"""Of an error. A page without an error needs less: it only says whose it is."""
FINE_BODY_BYTES = 1024
_COOKIE_MARKS = frozenset({"domain", "path", "samesite", "secure"})
LONGEST_HEADER = 300
"""Characters of a header that are kept."""
_UPGRADES = "upgrade-insecure-requests"
"""By this a site has browsers ask by HTTPS for what its pages name by http://."""
LOOK_S = 1.0
"""How long is waited for the list of connections where no answer came."""
_ERROR = 400
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{0,20}}")
"""Of a host, as TLS takes it."""
_TARGET = re.compile(r"/[!-~]{0,2000}")
"""What a redirect may lead to: no space and no control character."""
_WANTS_TLS = re.compile(
    r"to (?:an )?HTTPS server|to HTTPS port|SSL-enabled server port|requires TLS", re.IGNORECASE
)
"""How nginx, Go, Apache and HAProxy answer a plain request where they speak TLS."""
_USUAL_PORTS = {"http": 80, "https": 443}
_OUTCOMES: dict[int, PageOutcome] = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "closed",
    errno.EPIPE: "closed",
    errno.ETIMEDOUT: "silent",
}
"""What became of a request, by the error of the socket."""


class _OtherSchemeError(Exception):
    """The server wants TLS where it was not spoken, or the other way round."""


def request_page(live: Live, question: RequestPage) -> dict[str, Any]:
    """The answer of a server to a GET.

    Shape: `PageReply`. Errors: Refused("not allowed") after --no-probe, Refused("forbidden"),
    Refused("gone"), Refused("malformed") for a host name or an address that is none.
    """
    if not live.options.probe:
        raise Refused("not allowed", "probes are turned off by --no-probe")
    if not _NAME.fullmatch(question.name):
        raise Refused("malformed", "no name of a host")
    if not _TARGET.fullmatch(question.target):
        raise Refused("malformed", "no path")
    visit = _Visit(live, question)
    try:
        return visit.reply(tls=question.tls)
    except _OtherSchemeError:
        return visit.reply(tls=not question.tls)


class _Page(NamedTuple):
    """An answer, and where it was asked for."""

    target: str
    reply: Reply


class _TimedStream:
    """A socket, or TLS over one, whose calls together last until a deadline."""

    def __init__(self, stream: socket.socket, ends: float) -> None:
        self._stream = stream
        self._ends = ends

    def settimeout(self, seconds: float, /) -> None:
        """Nothing: each call has what is left."""

    def sendall(self, data: bytes, /) -> None:
        self._wait()
        self._stream.sendall(data)

    def recv(self, size: int, /) -> bytes:
        self._wait()
        return self._stream.recv(size)

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        self._stream.close()

    def _wait(self) -> None:
        seconds_left = self._ends - time.monotonic()
        if seconds_left <= 0:
            raise TimeoutError
        self._stream.settimeout(seconds_left)


class _Visit:
    """The requests of one question, which share its time."""

    def __init__(self, live: Live, question: RequestPage) -> None:
        self._live = live
        self._question = question
        self._begun = time.monotonic()
        self._is_first = question.target == FIRST
        self._ends = self._begun + (PATIENCE_S if self._is_first else HEAD_PATIENCE_S)
        self._asked = question.target

    def reply(self, *, tls: bool) -> dict[str, Any]:
        """The answer over TLS or without it, as the question has it recorded."""
        at = time.time()
        pages: list[_Page] = []
        outcome: PageOutcome = "answered"
        looked: dict[str, Any] = {}
        try:
            is_circle = self._follow(pages, tls=tls)
        except (OSError, EOFError) as error:
            outcome = _outcome_of(error)
            is_circle = False
            if outcome == "silent":
                looked = self._looked_at()
        last = pages[-1] if pages and outcome == "answered" else None
        return {
            "outcome": outcome,
            "at": round(at, 3),
            "ms": round((time.monotonic() - self._begun) * 1000, 1),
            "tls": tls,
            "path": self._asked,
            "redirects": max(len(pages) - 1, 0),
            "is_circle": is_circle,
            "sets_cookie": any("set-cookie" in page.reply.headers for page in pages),
            **(_page(last.reply) if last is not None else {}),
            **looked,
        }

    @property
    def _seconds_left(self) -> float:
        """Seconds."""
        return self._ends - time.monotonic()

    def _follow(self, pages: list[_Page], *, tls: bool) -> bool:
        """Ask for `/`, and for what its redirects lead to; whether they lead back."""
        target: str | None = self._question.target
        while target is not None and len(pages) <= MOST_REDIRECTS and self._seconds_left > 0:
            self._asked = target
            pages.append(_Page(target, self._get(target, tls=tls)))
            target = self._next_target(pages[-1], tls=tls)
            if any(page.target == target for page in pages):
                return True
        return False

    def _get(self, target: str, *, tls: bool) -> Reply:
        """One answer on a connection of its own. _OtherSchemeError where the server wants it."""
        from diagnose.live.engine.http import Connection

        question = self._question
        socket_request = {
            "server": question.address,
            "port": question.port,
            "transport": "tcp",
            "pid": question.pid,
            "start": None,
        }
        with sending_socket(self._live, question, socket_request) as (address, kernel):
            kernel.settimeout(max(self._seconds_left, 0.001))
            kernel.connect(address)
            stream = self._with_tls(kernel) if tls else kernel
            connection = Connection(_TimedStream(stream, self._ends))
            try:
                most = BODY_BYTES if self._is_first else 0
                connection.ask(target, most, cut=True, headers=self._headers(tls=tls))
                reply = connection.take()
            except (Refused, OSError, EOFError) as error:
                # a body that never ends, as of a stream of events, is an answer all the same
                reply = connection.begun()
                if reply is None:
                    raise self._error_of_answer(error, tls=tls) from error
            finally:
                stream.close()
        assert reply is not None  # it is waited for
        is_first = not tls and not self._question.tls
        if is_first and reply.status == _ERROR and _WANTS_TLS.search(_text(reply.body)):
            raise _OtherSchemeError
        return reply

    def _error_of_answer(self, error: Exception, *, tls: bool) -> Exception:
        """The error for an answer that is not HTTP. TLS answers a plain request with an alert."""
        if not isinstance(error, Refused):
            return error
        is_alert = "x15\\x03" in str(error.failed.detail)
        if is_alert and not tls and not self._question.tls:
            return _OtherSchemeError()
        return EOFError("no http")

    def _with_tls(self, kernel: socket.socket) -> socket.socket:
        """TLS over a connection; what the certificate says is not looked at."""
        import ssl  # 10 ms, and most servers in containers speak plain HTTP

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        kernel.settimeout(max(self._seconds_left, 0.001))
        try:
            return context.wrap_socket(kernel, server_hostname=self._question.name)
        except ssl.SSLError as error:
            is_plain = "WRONG_VERSION_NUMBER" in str(error) or "HTTP_REQUEST" in str(error)
            if is_plain and self._question.tls:
                raise _OtherSchemeError from error
            raise EOFError("no http") from error

    def _headers(self, *, tls: bool) -> str:
        lines = [f"Host: {self._place(tls=tls)}", f"User-Agent: diagnose/{__version__}"]
        if self._question.forwarded:
            lines += [f"X-Forwarded-Host: {self._question.name}", "X-Forwarded-Proto: https"]
            lines.append("X-Forwarded-Port: 443")
        return "".join(f"{line}\r\n" for line in [*lines, "Accept: */*", "Connection: close"])

    def _place(self, *, tls: bool) -> str:
        """The name and the port by which clients call."""
        port = self._question.outer_port or self._question.port
        is_usual = port == _USUAL_PORTS[_scheme(tls=tls)] or self._question.forwarded
        return self._question.name if is_usual else f"{self._question.name}:{port}"

    def _next_target(self, page: _Page, *, tls: bool) -> str | None:
        """The path to which a redirect leads on the same host and port. None where it leads
        elsewhere."""
        location = page.reply.headers.get("location", "")
        if page.reply.status not in _REDIRECTS or not location:
            return None
        scheme = "https" if self._question.forwarded else _scheme(tls=tls)
        base = f"{scheme}://{self._place(tls=tls)}{page.target}"
        try:
            url = urlsplit(urljoin(base, location))
            port = url.port or _USUAL_PORTS.get(url.scheme, 0)
            home = urlsplit(base)
            own_port = home.port or _USUAL_PORTS[home.scheme]
        except ValueError:
            return None
        is_same = (url.scheme, url.hostname, port) == (home.scheme, home.hostname, own_port)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        return target if is_same and _TARGET.fullmatch(target) else None

    def _looked_at(self) -> dict[str, Any]:
        """Whether the program has read the request, and serves others meanwhile.

        The connection is closed by now, and the list still shows what was left unread: a program
        that does not read does not close its end either.
        """
        pid = self._question.pid
        port = self._question.port
        with contextlib.suppress(Refused, OSError, TimeoutError):
            helper = self._live.helper("network")
            rows = helper.call("netns.waiting-clients", {"pid": pid}, LOOK_S)
            at_port = [row for row in rows if row["port"] == port]
            unread = [row["unread"] for row in at_port if row["peer"] == self._question.address]
            sent = [row["port_sent"] for row in at_port if row["port_sent"] is not None]
            return {"unread": max(unread, default=0), "quiet_s": min(sent, default=None)}
        return {}


def _scheme(*, tls: bool) -> str:
    return "https" if tls else "http"


def _outcome_of(error: BaseException) -> PageOutcome:
    if isinstance(error, TimeoutError):
        return "silent"
    if isinstance(error, OSError):
        return _OUTCOMES.get(error.errno or 0, "unreachable")
    return "no http" if str(error) == "no http" else "closed"


def _page(reply: Reply) -> dict[str, Any]:
    """The part of a reply that is kept: its status, a few headers, and the beginning of its
    text."""
    headers = reply.headers
    kind = headers.get("content-type", "")
    is_text = not kind or kind.startswith("text/") or any(word in kind for word in ("json", "xml"))
    most = BODY_BYTES if reply.status >= _ERROR else FINE_BODY_BYTES
    return {
        "status": reply.status,
        "server": headers.get("server", ""),
        "kind": kind,
        "location": headers.get("location", "") if reply.status in _REDIRECTS else "",
        "buffering": headers.get("x-accel-buffering", "")[:LONGEST_HEADER],
        "cookie_marks": _cookie_marks(headers.get("set-cookie", "")),
        "alternatives": headers.get("alt-svc", "")[:LONGEST_HEADER],
        "upgrades": _UPGRADES in headers.get("content-security-policy", ""),
        "body": _text(reply.body[:most]) if is_text else "",
    }


def _cookie_marks(header: str) -> str:
    """The attributes of a cookie that say when a browser keeps it; never its name or its value.

    Of several cookies in one header the first one counts.
    """
    parts = (part.strip() for part in header.partition(",")[0].split(";")[1:])
    marks = [part for part in parts if part.partition("=")[0].lower() in _COOKIE_MARKS]
    return "; ".join(marks)[:LONGEST_HEADER]


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
