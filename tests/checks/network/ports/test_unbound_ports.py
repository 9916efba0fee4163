"""Ports of the host's network that a running program does not get, in evidence and check."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.unbound_ports import UnboundPorts, unbound_ports
from diagnose.model import Severity
from diagnose.programs.telling_line import TellingLine
from tests.checks.network.evidence import container
from tests.judging import judge

HOST = {"NetworkMode": "host"}
LINE = "(network.c.309) can't bind to socket: 0.0.0.0:80 Address already in use"
APACHE = Listener("tcp", "0.0.0.0", 80, 12, "apache2", None)
WEB = container("web", HostConfig=HOST, Config={"Image": "web:1"})
COPY = container("copy", HostConfig=HOST, Config={"Image": "web:1"})
OTHER = container("other", HostConfig=HOST, Config={"Image": "proxy:1"})


def _unbound(line: str = LINE, listeners: tuple[Listener, ...] = (APACHE,)) -> UnboundPorts:
    errors = RepeatedErrors((RepeatedError(WEB, TellingLine(line), 6, 6),))
    return unbound_ports(errors, Listeners(listeners), Containers((WEB, COPY, OTHER)))


@pytest.mark.parametrize(
    ("line", "listeners", "ports"),
    [
        (LINE, (APACHE,), [80]),
        ("listen tcp :53: bind: address already in use", (APACHE,), []),
        ("OSError: [Errno 98] error while binding on ('0.0.0.0', port 80)", (APACHE,), [80]),
        ("connect to 0.0.0.0:80 failed", (APACHE,), []),
        (f"2019-03-28 20:07:11: {LINE}", (APACHE,), [80]),
        (LINE, (), []),
        (LINE, (Listener("tcp", "0.0.0.0", 80, 9, "web", WEB.id),), []),
        (LINE, (Listener("tcp", "0.0.0.0", 80, 9, "web", COPY.id),), []),
        (LINE, (Listener("tcp", "0.0.0.0", 80, 9, "nginx", OTHER.id),), [80]),
        (LINE, (Listener("udp", "0.0.0.0", 80, 9, "nginx", None),), []),
    ],
)
def test_who_has_the_port_that_a_running_program_wants(
    line: str, listeners: tuple[Listener, ...], ports: list[int]
) -> None:
    assert [unbound.port for unbound in _unbound(line, listeners)] == ports


@pytest.mark.parametrize(
    ("more", "severity"),
    [((), Severity.critical), ((Listener("tcp", "0.0.0.0", 81, 9, "web", WEB.id),), "warning")],
)
def test_a_program_that_listens_elsewhere_too_is_a_warning(
    more: tuple[Listener, ...], severity: Any
) -> None:
    listeners = (APACHE, *more)
    (finding,) = judge(
        "network.host-port-conflict",
        containers=Containers((WEB, COPY, OTHER)),
        words=LogTails({}, {}),
        listeners=Listeners(listeners),
        unbound_ports=_unbound(listeners=listeners),
    ).findings
    assert finding.severity == Severity[str(severity)]
    assert "port 80 of the host is held by apache2" in finding.summary
    assert finding.variables == {"container": "web", "held_port": "80"}
