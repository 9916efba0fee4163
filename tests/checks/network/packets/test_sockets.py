"""The checks in checks/network/packets/sockets.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.full_queues import FullQueue, FullQueues, full_queues
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.model import Unavailable
from diagnose.programs.telling_line import TellingLine
from diagnose.questions.netns import NetnsView
from tests.checks.network.evidence import container
from tests.hosts import Made
from tests.judging import judge, rows

APP = container("app")
QUEUES = {
    "full": ((3, 2), (3, 2), [("warning", "app")]),
    "full for a moment": ((3, 2), (0, 2), []),
    "gone": ((3, 2), None, []),
    "as long as it may be": ((2, 2), (2, 2), []),
    "empty": ((0, 128), (0, 128), []),
}


def socket_of(waiting: int, backlog: int | None) -> Socket:
    return Socket("tcp", "0.0.0.0", 8080, waiting, backlog)


def listening(waiting: int, backlog: int | None) -> Namespaces:
    netns = ContainerNetns(
        APP, 1, links=(), addresses=(), routes=(), listeners=(socket_of(waiting, backlog),)
    )
    return Namespaces({APP.id: netns})


@pytest.mark.parametrize(("first", "second", "wanted"), QUEUES.values(), ids=QUEUES)
def test_accept_queue(
    first: tuple[int, int], second: tuple[int, int] | None, wanted: list[tuple[str, str]]
) -> None:
    view = NetnsView(
        1, links=[], addresses=[], routes=[], listeners=[socket_of(*second)] if second else []
    )
    host = Made({"netns.later": msgspec.to_builtins(view)})
    namespaces = listening(*first)
    result = judge(
        "network.accept-queue-full",
        namespaces=namespaces,
        full_queues=full_queues(host, namespaces),
    )
    assert rows(result) == wanted


def test_what_a_program_repeats_stands_beside_its_full_queue() -> None:
    error = RepeatedError(APP, TellingLine("pool: no connection to db is free"), 9, 12)
    result = judge(
        "network.accept-queue-full",
        namespaces=listening(3, 2),
        full_queues=FullQueues((FullQueue(APP, socket_of(3, 2)),)),
        repeated_errors=RepeatedErrors((error,)),
    )
    assert "its log repeats: pool: no connection to db is free" in result.findings[0].summary


def test_a_recording_without_queues_is_no_pass() -> None:
    result = judge(
        "network.accept-queue-full", namespaces=listening(0, None), full_queues=FullQueues()
    )
    assert result.verdict.value == "unknown"
    assert isinstance(result.why, str | Unavailable)


NOW = 1_000_000.0
NGINX = (
    "[crit] 29#29: *1 connect() to 10.0.0.9:80 failed (99: Cannot assign requested address) while"
)
LINES: dict[str, tuple[list[tuple[float, str]], list[tuple[str, str]]]] = {
    "twice, now": ([(5, NGINX), (2, NGINX)], [("critical", "app")]),
    "Node.js": (
        [(5, "Error: connect EADDRNOTAVAIL 10.0.0.9:80 - Local")] * 2,
        [("critical", "app")],
    ),
    "once": ([(5, NGINX)], []),
    "long ago": ([(200, NGINX), (190, NGINX)], []),
    "a server that cannot listen": (
        [(5, "bind() to 10.0.0.9:80 failed (99: Cannot assign requested address)")] * 2,
        [],
    ),
    "an IPv6 address": (
        [(5, "nc: can't connect to remote host (2001:db8:9::80): Cannot assign requested address")]
        * 2,
        [],
    ),
    "localhost": (
        [(5, "Error 99 connecting to localhost:6379. Cannot assign requested address.")] * 2,
        [],
    ),
    "a class of Ruby at a time": (
        [
            (
                5,
                "19:28:43 Errno::EADDRNOTAVAIL: connect(2) for api:80: cannot assign requested address",
            )
        ]
        * 2,
        [("critical", "app")],
    ),
    "a line of a file of PostgreSQL": (
        [(5, 'DETAIL:  Connection matched pg_hba.conf line 99: "host all all all md5"')] * 2,
        [],
    ),
    "another failure": ([(5, "connect() to 10.0.0.9:80 failed (111: Connection refused)")] * 2, []),
}


@pytest.mark.parametrize(("lines", "wanted"), LINES.values(), ids=LINES)
def test_local_ports(lines: list[tuple[float, str]], wanted: list[tuple[str, str]]) -> None:
    recent = tuple(RecentLine(NOW - age, text) for age, text in lines)
    result = judge(
        "network.local-ports-exhausted",
        containers=Containers((APP,)),
        recent_logs=RecentLogs({APP.id: recent}),
        clock=Clock(wall=NOW, booted=0.0),
    )
    assert rows(result) == wanted


@pytest.mark.parametrize(
    ("ports_used", "is_exhausted"), [({}, True), ({7: 28_000}, True), ({7: 3}, False)]
)
def test_a_namespace_with_hardly_any_socket_has_local_ports(
    ports_used: dict[int, int], is_exhausted: bool
) -> None:
    netns = ContainerNetns(APP, 7, links=(), addresses=(), routes=(), listeners=())
    result = judge(
        "network.local-ports-exhausted",
        containers=Containers((APP,)),
        recent_logs=RecentLogs({APP.id: (RecentLine(NOW - 5, NGINX), RecentLine(NOW - 2, NGINX))}),
        namespaces=Namespaces({APP.id: netns}),
        network_losses=NetworkLosses(ports_used=ports_used),
        clock=Clock(wall=NOW, booted=0.0),
    )
    assert bool(result.findings) is is_exhausted
