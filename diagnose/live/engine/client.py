"""One engine: the way to it, what it said of itself, and what its replies mean."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from diagnose.live import Refused, failure
from diagnose.live.engine import endpoint as places
from diagnose.live.engine.fast_lane import FastLane
from diagnose.live.engine.http import Reply, Request
from diagnose.model import Failed
from diagnose.phrases import unix_of_http
from diagnose.questions import AnyQuestion
from diagnose.questions.engine import PingEngine

NEWEST = (1, 55)
"""The newest API version whose answers we know (engine 29.6)."""

MESSAGE_CHARACTERS = 300
PING = PingEngine()


class Engine:
    """One engine: its answer to /_ping, and the way to it.

    patience_s: how long /_ping may take. knows_no_version_of_ours: it has answered that; paths have
    no version from then on.
    """

    def __init__(self, endpoint: places.EngineEndpoint, patience_s: float) -> None:
        self.where = endpoint
        self._patience_s = patience_s
        self._lane = _lane(endpoint)
        self._greeting: Reply | Failed | None = None
        self._greeting_at = 0.0
        self._lock = threading.Lock()
        self.knows_no_version_of_ours = False

    def get(self, question: AnyQuestion, request: Request) -> Reply:
        """The reply to one question, whatever its status. Raises what `many` would give."""
        waiting = iter([question])
        ((_, outcome),) = self._lane.many(lambda: next(waiting, None), lambda _: request, at_once=1)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def many(
        self, pull: Callable[[], AnyQuestion | None], request: Callable[[AnyQuestion], Request]
    ) -> Iterator[tuple[AnyQuestion, Reply | Exception]]:
        """Replies and failures, as they come, to the questions that `pull` gives.

        Replies whatever their status. Ends when `pull` gives None and no request is under way.
        """
        return self._lane.many(pull, request)

    def greeting(self) -> Reply:
        """The reply to /_ping, asked once.

        A failure is kept too: an engine that hangs is left alone.
        """
        with self._lock:
            if self._greeting is None:
                try:
                    self._greeting = accepted(
                        self.get(PING, Request("/_ping", self._patience_s, 64 * 1024))
                    )
                    self._greeting_at = time.time()
                except Exception as error:  # noqa: BLE001 - kept, and raised for each caller
                    self._greeting = failure(error)
            if isinstance(self._greeting, Failed):
                raise Refused(self._greeting.reason, self._greeting.detail)
            return self._greeting

    @property
    def version(self) -> tuple[int, int] | None:
        """The API version to speak: the engine's, capped at `NEWEST`.

        None when /_ping does not say.
        """
        announced = parsed_version(self.greeting().headers.get("api-version", ""))
        return min(announced, NEWEST) if announced else None

    @property
    def prefix(self) -> str:
        """The prefix of each path: the version to speak, if there is one that both know."""
        version = self.version
        return (
            f"/v{version[0]}.{version[1]}" if version and not self.knows_no_version_of_ours else ""
        )

    @property
    def clock(self) -> float:
        """The engine's Unix time; its Date header has whole seconds: up to two apart is not
        skew."""
        now = unix_of_http(self.greeting().headers.get("date"))
        ahead = now - self._greeting_at if now is not None else 0.0
        return time.time() + (ahead if abs(ahead) > 2 else 0.0)


class _Lane(Protocol):
    """A way to the engine."""

    def many(
        self,
        pull: Callable[[], AnyQuestion | None],
        request: Callable[[AnyQuestion], Request],
        at_once: int = ...,
    ) -> Iterator[tuple[AnyQuestion, Reply | Exception]]: ...


def _lane(endpoint: places.EngineEndpoint) -> _Lane:
    """Our fast lane behind a local socket, docker-py to every other engine."""
    if endpoint.scheme == "unix":
        return FastLane(endpoint.address)
    from diagnose.live.engine.docker_py import DockerLane  # 106 ms

    return DockerLane(endpoint.base_url, endpoint.tls)


def parsed_version(text: str) -> tuple[int, int] | None:
    """(1, 41) of "1.41"; None where it is not a version."""
    major, _, minor = text.partition(".")
    are_numbers = major.isdigit() and minor.isdigit()
    if not are_numbers or not text.isascii() or len(text) >= 12:
        return None
    return int(major), int(minor)


def accepted(reply: Reply) -> Reply:
    """The reply, if it is one of success.

    Raises `Refused` with the engine's message: gone, forbidden, or refused.
    """
    if 200 <= reply.status < 300:
        return reply
    detail = f"HTTP {reply.status}: {message(reply)}"
    if reply.status == 404:
        raise Refused("gone", detail)
    raise Refused("forbidden" if reply.status in (401, 403) else "refused", detail)


def message(reply: Reply) -> str:
    """The error message of a reply: "message" of its body (Docker), or its text on one line,
    cut."""
    try:
        decoded = msgspec.json.decode(reply.body)
        text = decoded["message"] if isinstance(decoded["message"], str) else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        text = reply.body.decode("utf-8", errors="replace")
    return " ".join(text.split())[:MESSAGE_CHARACTERS]
