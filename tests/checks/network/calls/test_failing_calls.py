"""Connections to networks of Docker that fail, by sockets and by lines of a log."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.calls.failing_calls import failing_calls
from diagnose.evidence.network.networks import Networks
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container, links, network
from tests.checks.network.lost_calls import APP, CLOCK, NETWORKS, losses
from tests.judging import judge, rows


def test_a_socket_that_waits_is_a_failing_call() -> None:
    """An address of a network that the caller is not on, and one that nobody has any more."""
    back = network("back", "172.19.0.0/16", "172.19.0.1")
    away = container("away", NetworkSettings={"Networks": {"back": {"IPAddress": "172.19.0.9"}}})
    waiting = losses(WaitingCall("172.19.0.9", 80, 2), WaitingCall("172.18.0.77", 80, 2))
    members = Containers((APP, away))
    nets = Networks((network(), back))
    calls = failing_calls(members, nets, RecentLogs(), links(), waiting, CLOCK, None)
    given = {"failing_calls": calls, "containers": members}
    assert rows(judge("network.peer-on-other-network", **given)) == [("critical", "app")]
    assert rows(judge("network.peer-address-stale", **given)) == [("critical", "app")]


@pytest.mark.parametrize(
    "line",
    [
        'connection to server at "172.18.0.77", port 5432 failed: No route to host',
        "connect to db (172.18.0.77) port 5432: No route to host",
        "dial tcp 172.18.0.77:5432: connect: no route to host",
    ],
)
def test_a_line_of_a_log_is_a_failing_call(line: str) -> None:
    logs = RecentLogs({APP.id: (RecentLine(CLOCK.wall, line), RecentLine(CLOCK.wall, line))})
    calls = failing_calls(Containers((APP,)), NETWORKS, logs, links(), None, CLOCK, None)
    (call,) = calls.items
    assert (call.address, call.port, call.times) == ("172.18.0.77", 5432, 2)


DB = container("db", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.9"}}})
CURL = "curl: (7) Failed to connect to db port 5432 after {} ms: {} to server"


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (CURL.format(0, "Couldn't connect"), True),
        (CURL.format(63, "Could not connect"), True),
        ("curl: (7) Failed to connect to db port 5432: Connection refused", True),
        ("curl: (7) Failed to connect to db port 5432 after 3062 ms: No route to host", False),
    ],
)
def test_a_line_of_curl_names_the_neighbour(line: str, refused: bool) -> None:
    logs = RecentLogs({APP.id: (RecentLine(CLOCK.wall, line),)})
    calls = failing_calls(Containers((APP, DB)), NETWORKS, logs, links(), None, CLOCK, None)
    (call,) = calls.items
    assert (call.address, call.port, call.refused) == ("172.18.0.9", 5432, refused)


@pytest.mark.parametrize(("port", "times"), [(56701, 1), (56702, 0)])
def test_a_high_port_counts_where_the_peer_publishes_it(port: int, times: int) -> None:
    """Another high port beside an address may be the caller's own."""
    published = {"80/tcp": [{"HostIp": "", "HostPort": "56701"}]}
    ends = {"shop": {"IPAddress": "172.18.0.9"}}
    site = container("site", NetworkSettings={"Networks": ends, "Ports": published})
    line = f"dial tcp 172.18.0.9:{port}: connect: connection refused"
    logs = RecentLogs({APP.id: (RecentLine(CLOCK.wall, line),)})
    calls = failing_calls(Containers((APP, site)), NETWORKS, logs, links(), None, CLOCK, None)
    assert [call.port for call in calls] == [port] * times


WITHOUT_REASON = [
    "Connection to node -1 (db/172.18.0.9:5432) could not be established. Broker may not be available.",
    "PSQLException: Connection to db:5432 refused. Check that the hostname and port are correct",
    "ERROR 2003 (HY000): Can't connect to MySQL server on 'db:5432' (111)",
    "Failed to connect to broker at amqp://db:5432: [Errno 111]",
    "Npgsql.NpgsqlException (0x80004005): Failed to connect to 172.18.0.9:5432",
    "It was not possible to connect to the redis server(s) db:5432/Interactive",
    "Could not connect to server http://db:5432",
    "Unable to revive connection: http://db:5432/",
    "ERROR Error connecting to node db:5432 (id: 1 rack: null)",
]


@pytest.mark.parametrize("line", WITHOUT_REASON)
def test_a_line_without_a_reason_is_a_failing_call(line: str) -> None:
    """Whether somebody listens at that port of the neighbour, the host itself shows."""
    logs = RecentLogs({APP.id: (RecentLine(CLOCK.wall, line),)})
    calls = failing_calls(Containers((APP, DB)), NETWORKS, logs, links(), None, CLOCK, None)
    (call,) = calls.items
    assert (call.address, call.port, call.refused) == ("172.18.0.9", 5432, True)


def test_slow_failures_of_curl_are_none_of_a_neighbour() -> None:
    line = CURL.format(3062, "Couldn't connect")
    logs = RecentLogs({APP.id: (RecentLine(CLOCK.wall, line),)})
    assert not failing_calls(
        Containers((APP, DB)), NETWORKS, logs, links(), None, CLOCK, None
    ).items


@pytest.mark.parametrize(
    ("address", "subnet", "fixed", "is_outside"),
    [
        ("172.18.5.20", "172.18.0.0/16", "", True),
        ("172.18.0.77", "172.18.0.0/16", "", False),
        ("172.18.5.20", "172.18.0.0/16", "172.18.5.9", False),
        ("10.5.5.20", "10.5.0.0/16", "", False),
        ("192.168.107.100", "192.168.96.0/20", "", True),
    ],
    ids=["far", "near", "fixed addresses", "a subnet that a person chose", "the second pool"],
)
def test_an_address_that_the_engine_never_gave(
    address: str, subnet: str, fixed: str, is_outside: bool
) -> None:
    end = {"IPAMConfig": {"IPv4Address": fixed}} if fixed else {}
    app = container("app", NetworkSettings={"Networks": {"shop": end}})
    line = RecentLine(CLOCK.wall, f"dial tcp {address}:80: i/o timeout")
    logs = RecentLogs({app.id: (line, line)})
    nets = Networks((network("shop", subnet, ""),))
    calls = failing_calls(Containers((app,)), nets, logs, links(), None, CLOCK, Info())
    (call,) = calls.items
    assert call.is_outside == is_outside
    given = {"failing_calls": calls, "containers": Containers((app,))}
    assert bool(rows(judge("network.peer-address-stale", **given))) != is_outside


WGET = "wget: can't connect to remote host (172.18.0.9): Connection refused"
SETTINGS = {
    "a URL in its command": ({"Args": ["-c", "wget http://db:8080/health"]}, {}, [8080]),
    "a URL without a port": ({"Args": ["-c", "wget http://db/health"]}, {}, [80]),
    "a variable": ({}, {"Env": ["STORE=db:5432"]}, [5432]),
    "several ports": ({}, {"Env": ["STORE=db:5432", "ADMIN=db:8080"]}, []),
    "another name": ({}, {"Env": ["STORE=dbx:5432"]}, []),
    "nothing": ({}, {}, []),
}


@pytest.mark.parametrize(("made", "config", "ports"), SETTINGS.values(), ids=SETTINGS)
def test_the_port_of_a_line_without_one(
    made: dict[str, Any], config: dict[str, Any], ports: list[int]
) -> None:
    caller = container(
        "caller",
        NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.5"}}},
        Path="sh",
        Config=config,
        **made,
    )
    logs = RecentLogs({caller.id: (RecentLine(CLOCK.wall, WGET),)})
    members = Containers((caller, DB))
    calls = failing_calls(members, NETWORKS, logs, links(), None, CLOCK, None)
    assert [call.port for call in calls] == ports
    assert all(call.refused and call.address == "172.18.0.9" for call in calls)
