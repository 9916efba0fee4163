"""Calls that fail now, as running containers print them: refused, unanswered, without a name."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import (
    NONE,
    ComplaintLine,
    Complaints,
    complaints,
)
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.names.failed_names import failed_name
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.phrases import quoted
from diagnose.programs.log_message import is_no_loss
from diagnose.registry import evidence

Kind = Literal["dns", "refused", "unreachable", "timeout"]
_KINDS: tuple[Kind, ...] = ("dns", "refused", "unreachable", "timeout")
"""The clearest first: a line may have several."""

_OF_A_CLIENT = LazyPattern(
    r"client (?:timed out|prematurely|closed|\S+ (?:has exceeded|timed out|disconnect))"
    r"|(?:from|reading|to|sending to|waiting for) (?:the )?client"
    r"|keep-?alive|\bidle\b|inactivity|proxying upgraded connection"
    r"|(?:lock|statement|query|session|transaction|request|read|write|script)\b[^:]{0,20} time"
    r"|\b(?:asked|posted|said|says|typed|writes|wrote)\b\W{0,3}[\"“]"
    r"|acme-challenge/|\.(?:in-addr|ip6)\.arpa\b|\bIP address \S+ could not be resolved",
    re.IGNORECASE,
)
"""A client of this program, such as the authority that certifies its name, or whose address has no
name; a text by a user; or a limit of time that is not a call's."""
_OF_A_CALL = LazyPattern(
    r"connect|dial|ETIMEDOUT|upstream|quic|handshake|no answer|SYN", re.IGNORECASE
)
_MAIL_TAKEN = LazyPattern(
    r"relay=\S{1,300}\]:25,.{0,200}\bstatus=sent\b|\bT=remote_smtp\b.{0,400}\bC=\"250\b"
)
"""Another mail server has taken a message at port 25, as Postfix and Exim say."""
SETTLED_S = 180.0
"""A container that was started this long ago listens by now."""
MOST_PLACES = 5
"""A program that misses more places looks for some: a scanner, a monitor, one that shares files."""
LEAST = 3
"""Minimum number of lines among the last ones that are not a single mishap."""
_SLACK_S = 15.0
_INTERVALS = 3
"""A program that fails each minute failed within the last three; one that waits for a neighbour to
start has got over it, and is silent."""


class LoggedFailure(msgspec.Struct, frozen=True):
    """Calls of one container to one place that fail in one way."""

    container: Container
    kind: Kind
    host: str
    """An address or a name; empty where the lines name none."""
    port: int
    line: str
    times: int
    of: int
    """Lines of the last minutes that were read."""
    first: float
    """Unix time of the first of these lines."""
    peer: Container | None = None
    """The running container that has the address or the name."""
    called: tuple[Container, ...] = ()
    """The intended containers, running or not."""
    complaints: Complaints = NONE
    """The complaints of all lines."""
    delivers_mail: bool = False
    """Whether its last lines say that a mail server took a message at port 25."""

    @property
    def place(self) -> str:
        """HOST:PORT, as far as it is known."""
        return f"{self.host}:{self.port}" if self.port else self.host


class LoggedFailures(Items[LoggedFailure], frozen=True):
    """The calls that fail again and again, and did so a moment ago."""

    unread: tuple[Unexamined, ...] = ()
    """Running containers whose log was not read."""


@evidence
def logged_failures(
    containers: Containers, recent_logs: RecentLogs, clock: Clock
) -> LoggedFailures:
    """The calls that fail repeatedly and did so a moment ago, by logs. Pure."""
    items: list[LoggedFailure] = []
    for container in containers.running:
        failures = list(_failures(container, containers, recent_logs, clock))
        if len({failure.place for failure in failures}) <= MOST_PLACES:
            items += [failure for failure in failures if not _may_yet_listen(failure.peer, clock)]
    return LoggedFailures(tuple(items), recent_logs.left_out(containers.running))


class _CallKind(NamedTuple):
    """The kind of failed calls, and their target."""

    kind: Kind
    host: str
    port: int


def _failures(
    container: Container, containers: Containers, recent_logs: RecentLogs, clock: Clock
) -> Iterator[LoggedFailure]:
    """The failed calls of one container, grouped by kind of failure and place."""
    lines = recent_logs.of_this_run(container)
    groups: dict[_CallKind, list[RecentLine]] = {}
    for line in lines:
        kind = _kind(line.text)
        if kind is not None:
            host, port = (failed_name(line.text), 0) if kind == "dns" else place_in(line.text)
            groups.setdefault(_CallKind(kind, host, port), []).append(line)
    delivers_mail = any(_MAIL_TAKEN.search(line.text) for line in lines) if groups else False
    for (kind, host, port), group in groups.items():
        if _goes_on(group, clock):
            text = quoted(group[-1].text)
            times = len(group)
            first = group[0].at
            peer = _peer(host, container, containers)
            called = (peer,) if peer is not None else _containers_named(host, container, containers)
            yield LoggedFailure(
                container,
                kind=kind,
                host=host,
                port=port,
                line=text,
                times=times,
                of=len(lines),
                first=first,
                peer=peer,
                called=called,
                complaints=complaints([ComplaintLine(line.text, line in group) for line in lines]),
                delivers_mail=delivers_mail,
            )


def _may_yet_listen(peer: Container | None, clock: Clock) -> bool:
    return peer is not None and (clock.age(peer.started_at) or 0.0) < SETTLED_S


def _containers_named(
    host: str, caller: Container, containers: Containers
) -> tuple[Container, ...]:
    """The containers that have a name on a network of the caller's, running or not."""
    return tuple(
        other
        for other in containers.by_dns_name.get(host, ())
        if other.id != caller.id and other.shared_networks(caller)
    )


def _peer(host: str, caller: Container, containers: Containers) -> Container | None:
    """The running container that is called, by its address or its name."""
    for name in caller.endpoints:
        peer = containers.by_place.get((name, host))
        if peer is not None:
            return peer
    return next(
        (other for other in _containers_named(host, caller, containers) if other.is_running), None
    )


def _goes_on(lines: Sequence[RecentLine], clock: Clock) -> bool:
    """Whether the failures are several, and the next one is not overdue."""
    if len(lines) < LEAST:
        return False
    interval = (lines[-1].at - lines[0].at) / (len(lines) - 1)
    return clock.is_within(lines[-1].at, _SLACK_S + _INTERVALS * interval)


def _kind(text: str) -> Kind | None:
    """The kind of failure in a line; None for a line that is not about a call of its program."""
    signs_of_line = signs(text)
    kind = next((kind for kind in _KINDS if kind in signs_of_line), None)
    if kind is None or _OF_A_CLIENT.search(text) is not None or is_no_loss(text):
        return None
    if kind == "timeout" and _OF_A_CALL.search(text) is None and not place_in(text).port:
        return None
    return kind
