"""The engine's events as they happen, through docker-py whatever the endpoint is.

For what follows a host, not for a run.
"""

import json
from collections.abc import Iterator, Mapping

import msgspec
from docker.types import CancellableStream

from diagnose.live import Live, Refused
from diagnose.live.engine import api, docker_py
from diagnose.live.engine.http import too_large
from diagnose.model import Json

EVENT_BYTES = 1024 * 1024
"""A line of /events that is longer is not an event."""

CONNECT_S = 5.0


class EventStream:
    """Each event as the API has it, redacted.

    Iteration ends when the engine closes the stream, or `close` is called.

    The engine may be silent for hours: iterate in a thread of its own, and ask /_ping beside it.
    Raises `Refused` like any question to the engine, from the constructor and from the iteration.
    (`APIClient.events` takes an error of the engine for an empty stream.)
    """

    def __init__(self, live: Live, filters: Mapping[str, list[str]] | None = None) -> None:
        engine = api.engine(live)
        client = docker_py.connect(engine.where.base_url, engine.where.tls)
        response = client.get(
            f"{client.base_url}{engine.prefix}/events",
            params={"filters": json.dumps(filters or {})},
            stream=True,
            timeout=(CONNECT_S, None),
            allow_redirects=False,
        )
        if response.status_code != 200:
            response.close()
            raise Refused("refused", f"HTTP {response.status_code}: the engine gives no events")
        self._live = live
        self._stream = CancellableStream(response.raw.stream(EVENT_BYTES), response)

    def close(self) -> None:
        """End the iteration, from any thread."""
        self._stream.close()

    def __iter__(self) -> Iterator[Json]:
        rest = b""
        try:
            for part in self._stream:
                *lines, rest = (rest + part).split(b"\n")
                for line in filter(None, lines):
                    event = msgspec.json.decode(line)
                    yield self._live.redactor.answer("api.events", {}, [event])[0]
                if len(rest) > EVENT_BYTES:
                    raise too_large(len(rest))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refused("malformed", f"an event is not JSON: {error}") from error
