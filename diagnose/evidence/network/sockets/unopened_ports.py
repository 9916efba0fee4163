"""Ports that programs on the host's network could not open, where their rights show the reason.

A program that opens several sockets may continue when one fails, and says no more than that:
chronyd's `Could not open NTP socket on 0.0.0.0:123`.
"""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail, read_tails
from diagnose.evidence.items import Items
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import Failed, Unexamined
from diagnose.programs.failures.host.kernel_settings import PORT_START
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

MOST = 10
"""Logs that are read."""
_NET_BIND_SERVICE = 1 << 10
"""The bit of capabilities(7) that opens low ports."""
_UNOPENED = LazyPattern(
    r"""
    (?:
          \b(?:could\ not|cannot|couldn't|can't|failed\ to|unable\ to)\s+
            (?:open|bind|listen|create)\b
        | \b(?:error|failed|failure)\s+(?:opening|binding|listening|creating)\b
        | \bEACCES\b
      ).{0,80}?(?:\.\d{1,3}:|[\]*\s]:|\bport\s)(?P<port>[1-9]\d{0,3})(?![\d.:])
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A port below 10000 that a program could not open: "failed to listen on 0.0.0.0:53"."""
_OF_A_CALL = LazyPattern(
    r"\bconnect|\bsession\b|://|(?<![\d.])(?!0\.0\.0\.0|127\.)\d{1,3}(?:\.\d{1,3}){3}",
    re.IGNORECASE,
)
"""A port of another machine: `failed to open connection to 192.0.2.9:443`."""
_DENIED = LazyPattern(
    r"\b(?:bind|listen)\w*\b.{0,80}?(?:\.\d{1,3}:|[\]*\s]:|\bport\s)(?P<port>[1-9]\d{0,3})\b.{0,40}"
    r"\bpermission denied",
    re.IGNORECASE,
)
"""Go: `listen udp 0.0.0.0:53: bind: permission denied`."""


class UnopenedPort(msgspec.Struct, frozen=True):
    """A port at which nothing listens, and a running container whose process may not open it."""

    container: Container
    port: int
    line: str
    first: int
    """The first port that users without a right may open."""
    uid: int


class UnopenedPorts(Items[UnopenedPort], frozen=True):
    """The lowest such port of each container."""

    unexamined: tuple[Unexamined, ...] = ()
    """Containers on the host's network whose log was not read."""


class _RefusedPort(msgspec.Struct, frozen=True):
    """A port that a log reports as refused, and the line."""

    port: int
    line: str


@evidence
def unopened_ports(
    host: Host, containers: Containers, listeners: Listeners | None
) -> UnopenedPorts:
    """The logs of containers on the host's network are read: they may say it at their start alone.

    Within a network of its own a container may open each port, unless an option forbids it.
    """
    if listeners is None:
        return UnopenedPorts()
    on_host = [container for container in containers.running if container.shares_host_network]
    examined = on_host[:MOST]
    logs = read_tails(host, examined)
    refused_by_id = present({id: _refused_port(tail) for id, tail in logs.tails.items()})
    first_free = _first_port(host) if refused_by_id else 0
    ports = (
        _unopened_port(host, container, refused_by_id[container.id], first_free, listeners)
        for container in examined
        if container.id in refused_by_id
    )
    unread = (
        Unexamined(container.subject, f"its log: {logs.unread[container.id]}")
        for container in examined
        if container.id in logs.unread
    )
    return UnopenedPorts(tuple(filter(None, ports)), tuple(unread))


def _unopened_port(
    host: Host, container: Container, refused: _RefusedPort, first_free: int, listeners: Listeners
) -> UnopenedPort | None:
    """The port, if nothing listens there by now, and the process has no right to open it."""
    port = refused.port
    is_taken = listeners.on("tcp", "", port) or listeners.on("udp", "", port)
    if not 0 < port < first_free or is_taken:
        return None
    process = host.ask(InspectProcess(container.state.pid))
    if isinstance(process, Failed) or process.uid is None or process.capabilities is None:
        return None
    if int(process.capabilities, 16) & _NET_BIND_SERVICE:
        return None
    return UnopenedPort(container, port, refused.line, first_free, process.uid)


def _refused_port(tail: LogTail) -> _RefusedPort | None:
    """The lowest such port, with the last line about it."""
    lines = (*tail.earlier, *tail.lines)
    refused_ports = []
    for line in lines:
        match = _match(line)
        if match is not None:
            refused_ports.append(_RefusedPort(int(match["port"]), line))
    return min(reversed(refused_ports), key=lambda refused: refused.port, default=None)


def _match(line: str) -> re.Match[str] | None:
    denied = _DENIED.search(line)
    unopened = _UNOPENED.search(line) if denied is None else None
    if unopened is not None and _is_of_a_call(unopened[0]):
        return None
    return denied or unopened


def _is_of_a_call(words: str) -> bool:
    """Whether the port is one of another machine, to which the program calls and does not bind."""
    call_names = ("bind", "listen")
    return (
        not any(verb in words.lower() for verb in call_names)
        and _OF_A_CALL.search(words) is not None
    )


def _first_port(host: Host) -> int:
    """The first port of the host's network that needs no right; 0 where that is not known."""
    answer = host.ask(ReadSysctls([PORT_START]))
    value = "" if isinstance(answer, Failed) else answer.get(PORT_START) or ""
    return int(value) if value.isdigit() else 0
