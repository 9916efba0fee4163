"""What containers that hold the engine's socket say of it in their logs."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Failed
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock", "/var/run", "/run"})
TOO_OLD = re.compile(
    r"client version (?P<client>[\d.]+) is too old\. Minimum supported API version is (?P<least>[\d.]+)"
)
"""The engine's answer, which clients log as they get it (the same words from 20.10 to 29)."""
MOST = 10
"""A host has a proxy, a dashboard and an updater; more logs are not read for this."""
LINES = 100
BYTES = 64 * 1024


class TurnedAway(msgspec.Struct, frozen=True):
    """A container whose log says that the engine turned it away, with the last line that does."""

    container: Container
    client: str
    least: str
    line: str


class SocketClients(msgspec.Struct, frozen=True):
    """holders: the running containers with the socket. turned_away: those of them that speak too old an API."""

    holders: tuple[Container, ...]
    turned_away: tuple[TurnedAway, ...] = ()


class _Said(msgspec.Struct):
    text: str = ""


@evidence
def socket_clients(host: Host, containers: Containers) -> SocketClients:
    """A log that cannot be read tells nothing: such a client is not known to be turned away."""
    holders = tuple(
        each
        for each in containers
        if each.state.status in ("running", "restarting") and any(m.source in SOCKETS for m in each.mounts or ())
    )
    asked = {question("api.logs", id=each.id, tail=LINES, bytes=BYTES): each for each in holders[:MOST]}
    found = []
    for each, answer in host.ask_many(asked):
        lines = [] if isinstance(answer, Failed) else msgspec.convert(answer, _Said).text.splitlines()
        match = next((match for line in reversed(lines) if (match := TOO_OLD.search(line))), None)
        if match is not None:
            found.append(TurnedAway(asked[each], match["client"], match["least"], match[0]))
    return SocketClients(holders, tuple(sorted(found, key=lambda each: each.container.name)))
