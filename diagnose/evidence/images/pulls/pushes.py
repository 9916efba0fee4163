"""Pushes that failed, from the engine's log."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, first_of
from diagnose.model import Unavailable
from diagnose.registry import evidence

Why = Literal["size", "denied", "space", "server", "plain", "unreachable", "other"]
WHY: Mapping[Why, LazyPattern] = {
    "size": LazyPattern(r"413 Request Entity Too Large|HTTP 413|Payload Too Large", re.IGNORECASE),
    "space": LazyPattern(r"no space left on device|insufficient storage|quota", re.IGNORECASE),
    "denied": LazyPattern(
        r"denied|unauthorized|authentication required|no basic auth|insufficient_scope"
        r"|\b40[135] [A-Z]",
        re.IGNORECASE,
    ),
    "plain": LazyPattern(
        r"dial tcp (?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]):80: |\"http://[^\":/]{1,253}/v2/"
    ),
    "unreachable": LazyPattern(
        r"dial tcp|no such host|i/o timeout|connection (?:refused|reset)|no route to host|x509:"
        r"|\bEOF\b"
    ),
    "server": LazyPattern(r"\b5\d\d [A-Z]|HTTP status: 5|internal server error|blob upload"),
}
"""The reasons, of which the first that fits counts. The engine uses TLS with a registry: it goes to
port 80 where the registry answers with an address of http:// for the upload. With one that is
configured as insecure it uses HTTP itself, most often at another port."""
_FIRST_QUESTION = '/v2/"'
"""The end of the address that is asked before any upload."""
_FAILED = LazyPattern(
    r"^Upload failed(?:, retrying)?:? ?(?P<upload>.*)"
    r"|^Not continuing with push after error:? ?(?P<ended>.*)"
    r"|Handler for POST \S*/images/\S+/push returned error: (?P<refused>.*)",
    re.DOTALL,
)
"""20.10, 26.1 and 28.5; the engine tries an upload five times before it gives up."""

_BROKEN_OFF = LazyPattern(r"context canceled")
"""Somebody ended the docker command that pushed."""


class FailedPush(msgspec.Struct, frozen=True):
    """All failures of one kind."""

    why: Why
    last: LogLine
    """The newest line."""
    said: str
    """The error of the registry or the network."""
    times: int
    first: float
    """Unix time of the oldest one."""


class FailedPushes(Items[FailedPush], frozen=True):
    """The failed pushes by kind; empty where none failed."""


def push_error(line: LogLine) -> str | None:
    """The reason in a line about a push that failed, or soon fails; None for other lines."""
    match = _FAILED.search(line.text)
    if match is None or _BROKEN_OFF.search(line.text):
        return None
    return next((text.strip() for text in match.groups() if text), "")


def classify(error_text: str) -> Why:
    """The kind of a failure by its text."""
    kinds = [why for why, pattern in WHY.items() if pattern.search(error_text)]
    if kinds[:1] == ["plain"] and _FIRST_QUESTION in error_text:
        kinds = ["unreachable"]
    return first_of(kinds, "other")


def _is_push(event: Event) -> bool:
    return event.type == "image" and event.action == "push"


@evidence
def failed_pushes(
    log: DaemonLog, clock: Clock, options: Options, events: Events | Unavailable
) -> FailedPushes:
    """The pushes after which none went well: the log has failures, the events successes."""
    done = max(
        (event.at for event in (events if isinstance(events, Events) else ()) if _is_push(event)),
        default=0.0,
    )
    errors = [
        (line, error_text)
        for line in log.since(max(clock.wall - options.since_s, done))
        if (error_text := push_error(line)) is not None
    ]
    pushes = []
    for why, failures_of_kind in by_key(
        (classify(error_text), (line, error_text)) for line, error_text in errors
    ).items():
        first = failures_of_kind[0][0]
        last = failures_of_kind[-1][0]
        assert first.at is not None
        pushes.append(
            FailedPush(why, last, failures_of_kind[-1][1], len(failures_of_kind), first.at)
        )
    return FailedPushes(tuple(pushes))
