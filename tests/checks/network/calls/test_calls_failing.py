"""The check in checks/network/calls/calls_failing.py and its evidence.

Calls of the host's network, and calls over UDP.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.calls.host_calls import HostNetworkCalls, host_network_calls
from diagnose.evidence.network.calls.logged_failures import Kind, LoggedFailure, LoggedFailures
from diagnose.evidence.network.calls.udp_calls import UdpCalls, udp_calls
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import (
    CallWays,
    SeenCalls,
    UnansweredCalls,
    unanswered_calls,
)
from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses
from diagnose.model import Result, Unavailable
from diagnose.phrases import unix
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import UPLINK, container, links, network
from tests.hosts import Made
from tests.judging import judge, rows

API = container("api")
POD_BRIDGE = Interface(index=7, name="cni0", up=True, operstate="up", kind="bridge")
POD_ROUTES = Routes((Route("0.0.0.0", gateway="192.0.2.1", oif=2), Route("10.42.0.0", 24, oif=7)))
AGENT = container("agent", HostConfig={"NetworkMode": "host"}, NetworkSettings={"Networks": {}})
CLOCK = Clock(wall=1_800_000_000.0, booted=0.0)
NODE = "Error: connect ECONNREFUSED 192.0.2.80:5432"
NGINX = (
    "2026/11/27 19:28:43 [error] 29#29: *1 connect() failed (113: No route to host) while connecting "
    'to upstream, client: 192.0.2.7, server: , upstream: "http://172.18.0.9:8080/", host: "x:80"'
)

IDLE_WEBSOCKET = (
    "2026/11/28 10:00:01 [error] 77#77: *9 upstream timed out (110: Connection timed out) while "
    'proxying upgraded connection, client: 192.0.2.7, upstream: "http://172.18.0.9:8123/api/ws"'
)
ACME = (
    "challenge failed: 192.0.2.7: Fetching http://shop.example.com/.well-known/acme-challenge/x: "
    "Timeout during connect (likely firewall problem)"
)

PLACES = {
    "Node.js": (NODE, ("192.0.2.80", 5432)),
    "nginx": (NGINX, ("172.18.0.9", 8080)),
    "psycopg": (
        'connection to server at "192.0.2.80", port 5432 failed: Connection refused',
        ("192.0.2.80", 5432),
    ),
    "Go": ("dial tcp 10.0.0.5:6379: connect: connection refused", ("10.0.0.5", 6379)),
    "Go, while it reads": (
        "read tcp 172.18.0.5:41234->10.0.0.5:6379: i/o timeout",
        ("10.0.0.5", 6379),
    ),
    "Go over IPv6": (
        '{"msg":"dial tcp [fd7a:115c:a1e0:b1a:0:7:a01:109]:8080: connect: network is unreachable"}',
        ("fd7a:115c:a1e0:b1a:0:7:a01:109", 8080),
    ),
    "curl over IPv6": (
        "curl: (7) Failed to connect to 2001:db8::80 port 443: Network is unreachable",
        ("2001:db8::80", 443),
    ),
    "psycopg over IPv6, by an address": (
        'connection to server at "2001:db8:9::80", port 5432 failed: timeout expired',
        ("2001:db8:9::80", 5432),
    ),
    "psycopg over IPv6": (
        'connection to server at "db.rent.test" (2001:db8:9::80), port 5432 failed: unreachable',
        ("2001:db8:9::80", 5432),
    ),
    "a name beside a client over IPv6": (
        "client [2001:db8::7]:51234: Failed to connect to broker kafka:9092: refused",
        ("kafka", 9092),
    ),
    "Postfix": (
        "connect to mx.example.com[74.125.128.26]:25: Connection timed out",
        ("74.125.128.26", 25),
    ),
    "a URL": ("requests: https://api.example.com/v1 ETIMEDOUT", ("api.example.com", 443)),
    "a name": ("Failed to connect to broker kafka:9092: connection refused", ("kafka", 9092)),
    "the caller of a web server": (
        "192.0.2.1 - - [29/Nov/2026 00:08:59] redis: Timeout connecting to server",
        ("", 0),
    ),
    "behind its caller": (
        '10.1.0.9 - - [29/Nov/2026:00:08:59 +0000] "connect to 10.1.0.4:6379: timed out"',
        ("10.1.0.4", 6379),
    ),
    "an address alone": ("quic: timeout ip=198.41.192.77", ("198.41.192.77", 0)),
    "a source file": ("at connect (server.js:42) connection refused", ("", 0)),
    "a time": ("12:30:45 connection refused", ("", 0)),
    "the word port": ("connect timed out, host:broker.example, port:5347", ("", 0)),
}


@pytest.mark.parametrize(("line", "place"), PLACES.values(), ids=PLACES)
def test_the_place_that_a_line_names(line: str, place: tuple[str, int]) -> None:
    assert place_in(line) == place


def logs(lines: list[tuple[float, str]], of: Container = API) -> RecentLogs:
    return RecentLogs({of.id: tuple(RecentLine(CLOCK.wall - age, text) for age, text in lines)})


def failing(lines: list[tuple[float, str]], *others: Container) -> Result:
    return judge(
        "network.calls-failing",
        containers=Containers((API, *others)),
        recent_logs=logs(lines),
        unanswered_calls=None,
        repeated_errors=None,
        clock=CLOCK,
    )


def each(line: str, *ages: float) -> list[tuple[float, str]]:
    return [(age, line) for age in ages]


FAILURES: dict[str, tuple[list[tuple[float, str]], int]] = {
    "refused again and again": (each(NODE, 30, 20, 10), 1),
    "twice": (each(NODE, 20, 10), 0),
    "it has got over it": (each(NODE, 63, 62, 61, 60), 0),
    "once a minute": (each(NODE, 170, 110, 50), 1),
    "no way": (each("dial tcp 10.0.0.5:6379: connect: no route to host", 9, 6, 3), 1),
    "no place": (each("Connection refused, retrying", 9, 6, 3), 1),
    "a client that is slow": (each("client timed out (110: Connection timed out)", 9, 6, 3), 0),
    "a client that went away": (
        each("Client plug1 has exceeded timeout, disconnecting.", 9, 6, 3),
        0,
    ),
    "the name of a caller's address": (
        each("lookup 44.2.0.192.in-addr.arpa.: no such host", 9, 6, 3),
        0,
    ),
    "a caller's address that has no name": (
        each("IP address '10.0.0.7' could not be resolved: Name or service not known", 9, 6, 3),
        0,
    ),
    "it skips what is refused": (each(f"{NODE}, skipped", 9, 6, 3), 0),
    "it falls back": (each(f"{NODE}, falling back to the cache", 9, 6, 3), 0),
    "it tries again": (each(f"{NODE}, will retry", 9, 6, 3), 1),
    "an authority that calls from the internet": (each(ACME, 9, 6, 3), 0),
    "a WebSocket over which nobody spoke": (each(IDLE_WEBSOCKET, 9, 6, 3), 0),
    "a limit of a query": (each("canceling statement due to statement timeout", 9, 6, 3), 0),
    "a time that is not a call's": (each("job 7 timed out", 9, 6, 3), 0),
    "a scanner": (
        [(9 - at % 3, f"dial tcp 10.0.0.{at // 3}:22: connection refused") for at in range(21)],
        0,
    ),
    "calm": (each("GET / 200", 9, 6, 3), 0),
}


@pytest.mark.parametrize(("lines", "wanted"), FAILURES.values(), ids=FAILURES)
def test_calls_that_fail(lines: list[tuple[float, str]], wanted: int) -> None:
    assert rows(failing(lines)) == [("advice", "api")] * wanted


LOOKS = {
    "a place": (NODE, {"called": "192.0.2.80", "port": "5432", "refuser": "192.0.2.80"}),
    "itself": ("dial tcp 127.0.0.1:6379: connect: connection refused", {"self_called": "api"}),
    "a container": (
        "lookup db on 127.0.0.11:53: no such host",
        {"unknown_name": "db", "own_networks": "shop"},
    ),
    "a domain": (
        "lookup api.lab.test on 127.0.0.11:53: no such host",
        {"unresolved": "api.lab.test"},
    ),
    "no place": ("Connection refused, retrying", {}),
}


@pytest.mark.parametrize(("line", "looks"), LOOKS.values(), ids=LOOKS)
def test_what_is_looked_at_first(line: str, looks: dict[str, str]) -> None:
    (finding,) = failing(each(line, 9, 6, 3)).findings
    offered = finding.variables.items() - {("container", "api")}
    assert dict(offered) == looks


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('ERROR connection to "db", port 5432 failed: timed out', 0),
        ("sync: dial 192.0.2.80:5434: ECONNREFUSED", 1),
    ],
    ids=["no place", "a place"],
)
def test_an_error_that_is_quoted_already(line: str, wanted: int) -> None:
    result = judge(
        "network.calls-failing",
        containers=Containers((API,)),
        recent_logs=logs(each(line, 9, 6, 3)),
        unanswered_calls=None,
        clock=CLOCK,
    )
    assert rows(result) == [("advice", "api")] * wanted


def test_a_neighbour_that_has_just_started_may_yet_listen() -> None:
    started = "2027-01-15T07:59:00Z"
    assert unix(started) == CLOCK.wall - 60
    endpoint = {"Networks": {"shop": {"IPAddress": "172.18.0.9"}}}
    fresh = container("web", State={"StartedAt": started}, NetworkSettings=endpoint)
    old = container("web", NetworkSettings=endpoint)
    lines = each(NGINX, 9, 6, 3)
    assert rows(failing(lines, fresh)) == []
    (finding,) = failing(lines, old).findings
    assert [called.name for called in finding.calls] == ["web"]


def test_a_stopped_service_is_named_as_the_one_that_is_called() -> None:
    stopped = container("kafka", State={"Status": "exited", "Pid": 0})
    (finding,) = failing(each("broker kafka:9092: connection refused", 9, 6, 3), stopped).findings
    assert [called.name for called in finding.calls] == ["kafka"]


def test_what_was_restarted_a_moment_ago_is_told_as_a_whole() -> None:
    lines = each("broker kafka:9092: connection refused", 9, 6, 3)
    for age, wanted in ((60, []), (600, [("advice", "api")])):
        started = "2027-01-15T07:59:00Z" if age == 60 else "2027-01-15T07:50:00Z"
        assert unix(started) == CLOCK.wall - age
        again = container("api", State={"StartedAt": started}, RestartCount=3)
        result = judge(
            "network.calls-failing",
            containers=Containers((again,)),
            recent_logs=logs(lines, again),
            unanswered_calls=None,
            repeated_errors=None,
            clock=CLOCK,
        )
        assert rows(result) == wanted


def calls_of(
    of_host: HostNetworkCalls | None = None, udp: UdpCalls | None = None
) -> UnansweredCalls:
    return unanswered_calls(
        Made({}),
        Containers((API, AGENT)),
        SeenCalls(NetworkLosses(), host_network_calls=of_host, udp_calls=udp),
        CallWays(Networks((network(),))),
        None,
        CLOCK,
    )


def test_a_caller_on_the_hosts_network() -> None:
    call = {"address": "192.0.2.80", "port": 5432, "repeats": 2, "comm": "nc"}
    rows_of_host = [{**call, "container": AGENT.id}, {**call, "container": None, "port": 443}]
    host = Made({"net.host-calls": rows_of_host})
    of_host = host_network_calls(host, Containers((API, AGENT)))
    assert isinstance(of_host, HostNetworkCalls)
    result = judge("network.call-unanswered", unanswered_calls=calls_of(of_host))
    assert rows(result) == [("warning", "agent")]
    assert [finding.variables["port"] for finding in result.findings] == ["5432"]


def test_no_question_without_a_container_on_the_hosts_network() -> None:
    host = Made({})
    assert host_network_calls(host, Containers((API,))) == HostNetworkCalls(())
    assert host.asked == []


def test_many_mail_servers_are_one_call() -> None:
    calls = tuple(WaitingCall(f"74.125.128.{at}", 25, 2) for at in range(8))
    of_host = HostNetworkCalls((NamespaceLoss(AGENT, calls),), 1)
    (finding,) = judge("network.call-unanswered", unanswered_calls=calls_of(of_host)).findings
    assert "7 more addresses at that port" in finding.summary
    assert finding.variables["mailer"] == "agent"


QUIC = "failed to dial to edge with quic: timeout: no recent network activity ip=198.41.192.77"
FLOW = {
    "protocol": "udp",
    "src": "172.18.0.2",
    "dst": "198.41.192.77",
    "sport": 40000,
    "dport": 7844,
    "reply_src": "198.41.192.77",
}
TABLES = {
    "no answer": ([{**FLOW, "status": []}], 1),
    "one was answered": ([{**FLOW, "status": []}, {**FLOW, "status": ["seen_reply"]}], 0),
    "of another container": ([{**FLOW, "src": "172.18.0.7"}], 0),
    "nothing was sent": ([], 0),
}


@pytest.mark.parametrize(("entries", "wanted"), TABLES.values(), ids=TABLES)
def test_calls_over_udp(entries: list[dict[str, object]], wanted: int) -> None:
    host = Made({"conntrack": {"loaded": True, "entries": entries}})
    over_udp = udp_calls(host, Containers((API,)), logs(each(QUIC, 20, 5)), CLOCK)
    result = judge("network.call-unanswered", unanswered_calls=calls_of(udp=over_udp))
    assert rows(result) == [("warning", "api")] * wanted
    assert all(finding.variables["udp_port"] == "7844" for finding in result.findings)


def test_a_caller_of_its_own_container_blames_no_other_machine() -> None:
    line = "proxy error: dial tcp localhost:9000: connect: connection refused"
    (finding,) = failing(each(line, 9, 6, 3)).findings
    assert "its own address localhost:9000" in finding.summary
    assert "the machine answers" not in finding.summary
    assert "refuser" not in finding.variables


def test_processes_of_one_container_that_call_one_place_are_one_call() -> None:
    call = {"address": "192.0.2.80", "port": 5432, "repeats": 2, "container": AGENT.id}
    workers = [{**call, "comm": f"worker{number}"} for number in range(8)]
    of_host = host_network_calls(Made({"net.host-calls": workers}), Containers((API, AGENT)))
    assert isinstance(of_host, HostNetworkCalls)
    result = judge("network.call-unanswered", unanswered_calls=calls_of(of_host))
    assert rows(result) == [("warning", "agent")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("connect ETIMEDOUT 198.41.200.13:443 (https://cloud.home.example)", True,
                     id="the site's own name"),
        pytest.param("connect ETIMEDOUT 198.41.200.13:443 (https://api.example.com)", False,
                     id="a name of somebody else"),
        pytest.param("serving https://cloud.home.example", False, id="its own name, served"),
    ],
)  # fmt: skip
def test_a_site_that_is_called_by_its_public_name(line: str, expected: bool) -> None:
    ports = {"443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "443"}]}
    name = {"Env": ["OVERWRITEHOST=cloud.home.example"]}
    cloud = container("cloud", Config=name, NetworkSettings={"Ports": ports})
    waiting = (WaitingCall("198.41.200.13", 443, 2),)
    answer = unanswered_calls(
        Made({}),
        Containers((cloud,)),
        SeenCalls(
            NetworkLosses((NamespaceLoss(cloud, waiting),)), recent_logs=logs([(9, line)], cloud)
        ),
        CallWays(Networks((network(),))),
        None,
        CLOCK,
    )
    (finding,) = judge("network.call-unanswered", unanswered_calls=answer).findings
    assert ("hairpin" in finding.summary, "own_host" in finding.variables) == (expected, expected)


@pytest.mark.parametrize(
    ("protocol", "port", "variable"), [("udp", 7844, "edge"), ("tcp", 25, "mailer")]
)
def test_a_router_that_is_away_is_the_one_cure(
    protocol: Literal["tcp", "udp"], port: int, variable: str
) -> None:
    call = UnansweredCall(API, "198.41.192.77", port, 2, protocol=protocol)
    lost = msgspec.structs.replace(call, silent_router="192.0.2.1")
    for called, expected in ((call, True), (lost, False)):
        answer = UnansweredCalls((called,), 1)
        (finding,) = judge("network.call-unanswered", unanswered_calls=answer).findings
        assert (variable in finding.variables) is expected
        assert ("the router of this host" in finding.summary) is not expected


UNNAMED = "wget: bad address 'hub.lab.test'"
NO_NETWORK = container("lone", HostConfig={"NetworkMode": "none"}, NetworkSettings={"Networks": {}})
LACKING = {
    "no server": (API, ResolvConf(), "warning", {"rewritten"}),
    "a server": (API, ResolvConf(("192.0.2.53",)), "advice", set()),
    "no network": (NO_NETWORK, ResolvConf(), "warning", {"unconnected"}),
}


@pytest.mark.parametrize(("caller", "conf", "severity", "cure"), LACKING.values(), ids=LACKING)
def test_what_a_caller_lacks(
    caller: Container, conf: ResolvConf, severity: str, cure: set[str]
) -> None:
    missing = Unavailable("missing", "not there")
    result = judge(
        "network.calls-failing",
        containers=Containers((caller,)),
        recent_logs=logs([(age, UNNAMED) for age in (30, 20, 10, 1)], caller),
        resolvers=Resolvers(missing, missing, (), {caller.id: conf}),
        unanswered_calls=None,
        repeated_errors=None,
        clock=CLOCK,
    )
    assert rows(result) == [(severity, caller.name)]
    assert {"rewritten", "unconnected"} & set(result.findings[0].variables) == cure


@pytest.mark.parametrize(
    ("address", "severity"), [("10.42.0.20", "warning"), ("10.42.9.20", "advice")]
)
def test_a_call_that_is_led_to_another_program_s_net(address: str, severity: str) -> None:
    line = f"Error: connect EHOSTUNREACH {address}:5432"
    failure = LoggedFailure(API, "unreachable", address, 5432, line, 9, 9, CLOCK.wall - 30)
    result = judge(
        "network.calls-failing",
        logged_failures=LoggedFailures((failure,)),
        routes=POD_ROUTES,
        links=links(UPLINK, POD_BRIDGE),
        neighbours=Neighbours((Neighbour(address, "cni0", ""),)),
        clock=CLOCK,
    )
    assert rows(result) == [(severity, "api")]
    assert ("led_away" in result.findings[0].variables) == (severity == "warning")


@pytest.mark.parametrize(
    ("kind", "address", "port", "severity"),
    [
        ("timeout", "74.125.193.27", 25, "warning"),
        ("timeout", "74.125.193.27", 587, "advice"),
        ("timeout", "10.0.0.25", 25, "advice"),
        ("refused", "74.125.193.27", 25, "advice"),
    ],
)
def test_mail_servers_that_do_not_answer(
    kind: Kind, address: str, port: int, severity: str
) -> None:
    line = f"postfix/smtp[9]: connect to mx[{address}]:{port}: Connection timed out"
    failure = LoggedFailure(API, kind, address, port, line, 9, 9, CLOCK.wall - 30)
    result = judge("network.calls-failing", logged_failures=LoggedFailures((failure,)), clock=CLOCK)
    assert rows(result) == [(severity, API.name)]


TAKEN = {
    "nobody takes mail": ("postfix/qmgr[7]: 4AF: from=<a@lab.test>, (queue active)", "warning"),
    "the own mailbox": (
        "postfix/lmtp[7]: 4AF: to=<a@lab.test>, relay=box[172.18.0.3]:24, status=sent (250 OK)",
        "warning",
    ),
    "Postfix": (
        "postfix/smtp[7]: to=<b@lab.test>, relay=mx.lab.test[74.125.193.26]:25, status=sent (250 OK)",
        "advice",
    ),
    "Exim": (
        '1tA => b@lab.test R=dnslookup T=remote_smtp H=mx.lab.test [74.125.193.26] C="250 OK"',
        "advice",
    ),
}


@pytest.mark.parametrize(("other", "severity"), TAKEN.values(), ids=TAKEN)
def test_one_mail_server_that_is_away(other: str, severity: str) -> None:
    line = "postfix/smtp[9]: connect to mx.gone.test[74.125.193.27]:25: Connection timed out"
    found = failing([(12, other), *each(line, 9, 6, 3)])
    assert rows(found) == [(severity, API.name)]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("dial tcp: api.example.com:5432: i/o timeout", 0),
        ("dial tcp: api.example.com:9999: i/o timeout", 1),
        ("dial tcp: api.example.com:5432: connect: connection refused", 1),
    ],
    ids=["the same call by its name", "another port", "a refusal"],
)
def test_a_call_that_waits_is_said_once(line: str, wanted: int) -> None:
    waiting = UnansweredCalls((UnansweredCall(API, "192.0.2.80", 5432, 3),))
    result = judge(
        "network.calls-failing",
        containers=Containers((API,)),
        recent_logs=logs(each(line, 9, 6, 3)),
        unanswered_calls=waiting,
        repeated_errors=None,
        clock=CLOCK,
    )
    assert rows(result) == [("advice", "api")] * wanted
