"""The checks that are about what is lost while the tool looks, and their evidence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.failing_calls import failing_calls
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.silent_gateways import silent_gateways
from diagnose.evidence.network.sockets.host_calls import HostNetworkCalls
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses, network_losses
from diagnose.evidence.network.sockets.unanswered_call import UnansweredCall
from diagnose.evidence.network.sockets.unanswered_calls import UnansweredCalls, unanswered_calls
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.verdict import Step
from diagnose.model import Finding, Result, Verdict
from diagnose.questions.network import Route
from diagnose.questions.sockets import FullUdpSocket, Listener, WaitingCall
from tests.checks.network.evidence import container, links, network
from tests.hosts import Made
from tests.judging import judge, rows

APP = container("app", Config={"Env": ["DB_HOST=192.0.2.200", "SEEDS=203.0.113.9:51413"]})
DB = container("db", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.9"}}})
CLOCK = Clock(wall=1_800_000_000.0, booted=0.0)
NETWORKS = Networks((network(),))


def losses(*calls: WaitingCall, of: Container = APP) -> NetworkLosses:
    return NetworkLosses((NamespaceLoss(of, calls),), counted=1)


def calls_of(found: NetworkLosses, networks: Networks = NETWORKS) -> UnansweredCalls:
    arp = Neighbours((Neighbour("192.0.2.200", "eth0", ""),))
    containers = Containers((APP, DB))
    return unanswered_calls(
        Made({}), found, containers, networks, None, arp, None, None, None, None, CLOCK
    )


METADATA = "ConnectTimeoutError: Connect timeout on endpoint URL: http://169.254.169.254/latest"
METADATA_LINES: dict[str, tuple[list[tuple[float, str]], int]] = {
    "twice, now": ([(20, METADATA), (5, METADATA)], 1),
    "once": ([(5, METADATA)], 0),
    "long ago": ([(250, METADATA), (200, METADATA)], 0),
    "it answers": ([(9, "GET http://169.254.169.254/latest 200")] * 3, 0),
}


@pytest.mark.parametrize(("lines", "wanted"), METADATA_LINES.values(), ids=METADATA_LINES)
def test_metadata_service_by_the_log(lines: list[tuple[float, str]], wanted: int) -> None:
    logs = RecentLogs({APP.id: tuple(RecentLine(CLOCK.wall - age, text) for age, text in lines)})
    assert _metadata_calls(logs, expired=0) == wanted


def _metadata_calls(logs: RecentLogs, *, expired: int) -> int:
    """How many containers miss the metadata service, on a host that dropped so many packets."""
    table = f"Icmp: InMsgs OutTimeExcds\nIcmp: 5 {expired}\n"
    host = Made({"file.read": {"text": table}})
    losses, alone = NetworkLosses(counted=1), Containers((APP,))
    calls = unanswered_calls(
        host, losses, alone, NETWORKS, None, None, None, logs, None, None, CLOCK
    )
    result = judge("network.call-unanswered", unanswered_calls=calls)
    assert all("hop_limit" in finding.variables for finding in result.findings)
    return len(result.findings)


@pytest.mark.parametrize(
    "line",
    [
        "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
        "NoCredentialProviders: no valid providers in chain. Deprecated.",
        "get credentials: failed to refresh cached credentials, no EC2 IMDS role found",
        "CredentialsProviderError: Could not load credentials from any providers",
    ],
)
def test_no_credentials_while_packets_expire(line: str) -> None:
    recent = tuple(RecentLine(CLOCK.wall - age, line) for age in (20, 5))
    logs = RecentLogs({APP.id: recent})
    assert _metadata_calls(logs, expired=4) == 1
    assert _metadata_calls(logs, expired=1) == 0, "fewer than its lines"
    assert _metadata_calls(logs, expired=0) == 0


CALLS: dict[str, tuple[list[WaitingCall], list[str]]] = {
    "a database that nobody is": (
        [WaitingCall("192.0.2.200", 5432, 2)],
        ["no machine on the network of interface eth0 has that address"],
    ),
    "a neighbour": (
        [WaitingCall("172.18.0.9", 8080, 2)],
        ['from container "db" (172.18.0.9:8080)'],
    ),
    "an address that no container has": (
        [WaitingCall("172.18.0.77", 8080, 1)],
        ['no running container has that address of network "shop"'],
    ),
    "the cloud's metadata": ([WaitingCall("169.254.169.254", 80, 1)], ["metadata service"]),
    "a web server of the internet": ([WaitingCall("8.8.4.4", 443, 3)], ["from 8.8.4.4:443"]),
    "a stranger that shares files": ([WaitingCall("8.8.4.4", 51413, 3)], []),
    "one that is configured": ([WaitingCall("203.0.113.9", 51413, 3)], ["from 203.0.113.9:51413"]),
    "asked once": ([WaitingCall("192.0.2.200", 5432, 0)], []),
    "its own loopback": ([WaitingCall("127.0.0.1", 5432, 3)], []),
    "a scanner": ([WaitingCall(f"10.9.0.{at}", 22, 3) for at in range(1, 9)], []),
    "over IPv6": ([WaitingCall("fd00::9", 443, 3)], ["from [fd00::9]:443"]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("calls", "words"), CALLS.values(), ids=CALLS)
def test_calls_without_an_answer(calls: list[WaitingCall], words: list[str]) -> None:
    result = judge("network.call-unanswered", unanswered_calls=calls_of(losses(*calls)))
    assert rows(result) == [("warning", "app")] * len(words)
    assert all(word in str(result.findings[0].summary) for word in words)


WATCHED = {
    "a site that is down": (WaitingCall("203.0.113.9", 443, 3), "advice"),
    "a machine that is off": (WaitingCall("192.0.2.200", 5432, 3), "advice"),
    "a container of this host": (WaitingCall("172.18.0.9", 8080, 3), "warning"),
    "the cloud's metadata": (WaitingCall("169.254.169.254", 80, 3), "warning"),
}


@pytest.mark.parametrize(("call", "severity"), WATCHED.values(), ids=WATCHED)
def test_what_a_monitor_finds(call: WaitingCall, severity: str) -> None:
    kuma = container("app", Config={"Image": "louislam/uptime-kuma:1"})
    result = judge("network.call-unanswered", unanswered_calls=calls_of(losses(call, of=kuma)))
    assert rows(result) == [(severity, "app")]


def test_a_monitor_that_misses_its_own_database() -> None:
    config = {"Image": "zabbix/zabbix-server-mysql:7.0", "Env": ["DB_SERVER_HOST=192.0.2.200"]}
    call = losses(WaitingCall("192.0.2.200", 3306, 3), of=container("app", Config=config))
    result = judge("network.call-unanswered", unanswered_calls=calls_of(call))
    assert rows(result) == [("warning", "app")]


DEVICES = {
    "a plug that is off": (WaitingCall("192.0.2.200", 80, 2), "advice"),
    "its database": (WaitingCall("192.0.2.200", 5432, 2), "warning"),
    "a machine behind a router": (WaitingCall("198.51.100.7", 80, 2), "warning"),
}


@pytest.mark.parametrize(("call", "severity"), DEVICES.values(), ids=DEVICES)
def test_a_device_that_is_off(call: WaitingCall, severity: str) -> None:
    hub = container("app")
    result = judge("network.call-unanswered", unanswered_calls=calls_of(losses(call, of=hub)))
    assert rows(result) == [(severity, "app")]


BY_RULE = Obstacle("rule", Step("ip filter", "DOCKER-USER", "-j DROP"), "request", "forward")
BY_ROUTE = Obstacle("route", Step("", "", "route unreachable 192.0.2.200/32"), "request", "forward")
NO_ANSWER = Obstacle("rule", Step("ip raw", "PREROUTING", "-j DROP"), "reply", "prerouting")
HIDDEN = Translate("snat", "192.0.2.10")
TRACES: dict[str, tuple[Trace, str, dict[str, str]]] = {
    "a rule": (
        Trace("drop", obstacle=BY_RULE, snat=HIDDEN),
        "chain DOCKER-USER of table ip filter (-j DROP) stops the requests",
        {"program": "iptables", "chain": "DOCKER-USER", "source": "172.18.0.2"},
    ),
    "a route": (
        Trace("drop", obstacle=BY_ROUTE),
        "route unreachable 192.0.2.200/32 stops the requests",
        {"route_type": "unreachable", "blocked": "192.0.2.200/32"},
    ),
    "its own address": (
        Trace("drop", obstacle=NO_ANSWER, to="eth0"),
        "leave with the container's own address 172.18.0.2",
        {"untranslated": "172.18.0.2", "bridge": "br-0123456789ab"},
    ),
    "nothing here": (Trace("accept", snat=HIDDEN, to="eth0"), "", {"beyond": "192.0.2.200"}),
}


@pytest.mark.parametrize(("mode", "speaks"), [("routed", True), ("nat", False)])
def test_a_routed_network(mode: str, speaks: bool) -> None:
    options = {"com.docker.network.bridge.gateway_mode_ipv4": mode}
    snat = None if mode == "routed" else HIDDEN
    trace = Trace("accept", snat=snat, to="eth0")
    place = network(Options=options)
    call = UnansweredCall(APP, "192.0.2.200", 5432, 2, network=place, trace=trace)
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1))
    (finding,) = result.findings
    assert ("routed" in finding.variables) is speaks
    assert ("need a route" in finding.summary) is speaks


def _unanswered6(port: int, options: dict[str, str], own_name: str = "") -> Finding:
    """The finding about a call over IPv6 that leaves with the container's own address."""
    endpoint = {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "2001:db8:1::2"}
    caller = container("app", NetworkSettings={"Networks": {"shop": endpoint}})
    call = UnansweredCall(
        caller,
        "2606:4700::1111",
        port,
        2,
        network=network(Options=options),
        trace=Trace("accept", to="eth0"),
        own_name=own_name,
        publisher=SHOP if own_name else None,
    )
    found = UnansweredCalls((call,), 1)
    (finding,) = judge("network.call-unanswered", unanswered_calls=found).findings
    return finding


def test_a_network_that_is_routed_over_ipv6_alone() -> None:
    finding = _unanswered6(443, {"com.docker.network.bridge.gateway_mode_ipv6": "routed"})
    assert finding.variables["routed"] == "shop"
    assert "need a route" in finding.summary


NAMED: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "nowhere": ({}, {"own_host": "shop.example.org:host-gateway"}),
    "in a variable": (
        {"Env": ["SHOP=http://198.51.100.7:443/api"]},
        {
            "assignment": "SHOP=http://shop.example.org:443/api",
            "named_host": "shop.example.org:host-gateway",
        },
    ),
    "in its command": (
        {"Cmd": ["sync", "198.51.100.7"]},
        {"new_command": "sync shop.example.org", "named_host": "shop.example.org:host-gateway"},
    ),
    "in two variables": (
        {"Env": ["A=198.51.100.7", "B=198.51.100.7"]},
        {"literal": "198.51.100.7"},
    ),
}


@pytest.mark.parametrize(("config", "expected"), NAMED.values(), ids=NAMED)
def test_a_call_of_this_site_by_an_address_that_its_settings_hold(
    config: dict[str, object], expected: dict[str, str]
) -> None:
    """Another meaning of the name changes nothing for a program that asks for no name."""
    caller = container("app", Config=config)
    call = UnansweredCall(
        caller,
        "198.51.100.7",
        443,
        2,
        named_by="its settings" if config else "",
        own_name="shop.example.org",
        publisher=SHOP,
        trace=Trace("accept", to="eth0"),
    )
    found = UnansweredCalls((call,), 1)
    (finding,) = judge("network.call-unanswered", unanswered_calls=found).findings
    place = {"container": "app", "address": "198.51.100.7", "port": "443"}
    assert finding.variables == place | expected


@pytest.mark.parametrize(
    ("port", "own_name", "variable"),
    [(443, "shop.example.org", "own_host"), (443, "", "beyond"), (25, "", "beyond")],
)
def test_a_call_over_ipv6_that_is_not_translated(port: int, own_name: str, variable: str) -> None:
    finding = _unanswered6(port, {}, own_name)
    assert "with the container's own address 2001:db8:1::2" in finding.summary
    assert {"own_host", "beyond", "mailer"} & finding.variables.keys() == {variable}


def test_containers_on_the_hosts_network_that_lose_nothing_were_watched() -> None:
    found = unanswered_calls(
        Made({}),
        NetworkLosses(),
        Containers((APP,)),
        NETWORKS,
        None,
        None,
        None,
        None,
        HostNetworkCalls((), 1),
        None,
        CLOCK,
    )
    assert found.watched == 1
    result = judge("network.call-unanswered", unanswered_calls=found)
    assert result.verdict == Verdict.PASSED


@pytest.mark.parametrize(("trace", "words", "variables"), TRACES.values(), ids=TRACES)
def test_what_stops_a_call(trace: Trace, words: str, variables: dict[str, str]) -> None:
    call = UnansweredCall(APP, "192.0.2.200", 5432, 2, network=network(), trace=trace)
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1))
    (finding,) = result.findings
    assert words in finding.summary
    assert variables.items() <= finding.variables.items()
    assert ("beyond" in finding.variables) == (not words)


def test_what_else_may_stop_a_call() -> None:
    """The host's router is silent; a VPN client has rules of its own beside its neighbour."""
    vpn = container("vpn", HostConfig={"CapAdd": ["NET_ADMIN"]})
    arp = Neighbours((Neighbour("192.0.2.1", "eth0", ""),))
    default = Routes((Route("0.0.0.0", gateway="192.0.2.1", oif=2),))
    for routes, words, variable in (
        (default, "the router of this host, 192.0.2.1, does not answer either", "router"),
        (None, "may hold rules", "own_rules"),
    ):
        found, alone = losses(OUTSIDE, of=vpn), Containers((vpn,))
        calls = unanswered_calls(
            Made({}), found, alone, NETWORKS, None, arp, routes, None, None, None, CLOCK
        )
        (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
        assert words in finding.summary
        assert variable in finding.variables
        assert "beyond" not in finding.variables


def test_a_socket_that_waits_is_a_failing_call() -> None:
    """An address of a network that the caller is not on, and one that nobody has any more."""
    back = network("back", "172.19.0.0/16", "172.19.0.1")
    away = container("away", NetworkSettings={"Networks": {"back": {"IPAddress": "172.19.0.9"}}})
    waiting = losses(WaitingCall("172.19.0.9", 80, 2), WaitingCall("172.18.0.77", 80, 2))
    members = Containers((APP, away))
    nets = Networks((network(), back))
    calls = failing_calls(members, nets, RecentLogs(), links(), waiting, CLOCK)
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
    calls = failing_calls(Containers((APP,)), NETWORKS, logs, links(), None, CLOCK)
    (call,) = calls.items
    assert (call.address, call.port, call.times) == ("172.18.0.77", 5432, 2)


@pytest.mark.parametrize(("left", "wanted"), [(300, [("warning", "app")]), (299, [])])
def test_connections_left_open(left: int, wanted: list[tuple[str, str]]) -> None:
    losses = NetworkLosses((NamespaceLoss(APP, (), (), left),), counted=1)
    assert rows(judge("network.connections-left-open", network_losses=losses)) == wanted


DUAL = container(
    "feed",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2"}}
    },
)
LOST6 = "connect ENETUNREACH 2001:db8:77::80:443"
OUT6 = [Route("::", family="inet6", gateway="fe80::1", oif=2)]
LOST4 = "connect ETIMEDOUT 198.51.100.7:443"
SLOW = '[27/Nov/2026:19:28:43 +0000] "GET / HTTP/1.1" 504 upstream: connection timed out'
ENGINE = Ping("1.51", "28.5.2", "")
POSTFIX = "connect to mx.lab.test[2001:db8:77::25]:25: Network is unreachable"
WGET = (
    "Connecting to feed.test|2001:db8:77::80|:443... failed: Network is unreachable.",
    "Connecting to feed.test|198.51.100.7|:443... connected.",
)
CURL = "* Immediate connect fail for 2001:db8:77::80: Network is unreachable"
EXIM = "R=dnslookup T=remote_smtp H=mx.lab.test [2001:db8:77::25] Network is unreachable"
GO = "dial tcp [2001:db8:77::80]:443: connect: network is unreachable"
VPN6 = (
    '{"remote_ip":"192.0.2.1","msg":"dial tcp [fd7a:115c:a1e0:b1a:0:7:a01:109]:8080: connect: '
    'network is unreachable"}'
)
VPN_ROUTE = Route("fd7a:115c:a1e0::", prefix=48, family="inet6", oif=3)
IPV6: dict[str, tuple[list[str], Container, list[Route], list[tuple[str, str]]]] = {
    "twice": ([LOST6] * 2, DUAL, [], [("warning", "feed")]),
    "once": ([LOST6], DUAL, [], []),
    "a neighbour": (["connect ENETUNREACH fd00::9:443"] * 2, DUAL, [], []),
    "refused": (["connect ECONNREFUSED 2001:db8:77::80:443"] * 2, DUAL, [], []),
    "a way out": ([LOST6] * 2, DUAL, OUT6, []),
    "no IPv6 inside": ([LOST6] * 2, APP, OUT6, [("warning", "app")]),
    "no IPv6 anywhere": ([LOST6] * 2, APP, [], [("warning", "app")]),
    "no IPv6 inside, and IPv4 is lost": ([LOST6, LOST4, LOST6], APP, OUT6, []),
    "a mail server that goes on with IPv4": ([POSTFIX] * 2, APP, OUT6, []),
    "another one": ([EXIM] * 2, APP, OUT6, []),
    "curl, which does so too": ([CURL] * 2, DUAL, [], []),
    "wget, which is connected then": ([*WGET, *WGET], DUAL, [], []),
    "wget on a network without IPv6": ([*WGET, *WGET], APP, OUT6, []),
    "a program that says so": ([f"{LOST6}, falling back to IPv4"] * 2, DUAL, [], []),
    "a program that does not": ([GO] * 2, APP, OUT6, [("warning", "app")]),
    "a VPN that the host reaches": ([VPN6] * 2, APP, [VPN_ROUTE], [("warning", "app")]),
    "a VPN that the host does not reach": ([VPN6] * 2, APP, [], []),
    "a VPN, and IPv6 inside": ([VPN6] * 2, DUAL, [VPN_ROUTE], []),
    "no IPv6 inside, once": ([LOST6], APP, OUT6, []),
    "no IPv6 inside, and many peers": (
        [f"connect ENETUNREACH 2001:db8:77::{peer}" for peer in range(6)],
        APP,
        OUT6,
        [],
    ),
    "the time of a request": ([SLOW] * 2, APP, OUT6, []),
    "eight groups": (
        ["connect ENETUNREACH 2001:db8:1:2:3:4:5:6"] * 2,
        APP,
        OUT6,
        [("warning", "app")],
    ),
}


def test_an_unknown_engine_does_not_take_the_route_of_the_host_away() -> None:
    (finding,) = _ipv6([LOST6] * 2, APP, OUT6, ping=None).findings
    assert "IPv6 default route of the host" not in finding.evidence


def _ipv6(
    lines: list[str],
    who: Container,
    routes: list[Route],
    ping: Ping | None = ENGINE,
    **fields: object,
) -> Result:
    recent = tuple(RecentLine(CLOCK.wall - 3, line) for line in lines)
    return judge(
        "network.ipv6-leads-nowhere",
        containers=Containers((who,)),
        networks=Networks((network(**fields),)),
        routes=Routes(tuple(routes)),
        recent_logs=RecentLogs({who.id: recent}),
        unanswered_calls=UnansweredCalls(),
        ping=ping,
        clock=CLOCK,
    )


@pytest.mark.parametrize(("lines", "who", "routes", "wanted"), IPV6.values(), ids=IPV6)
def test_ipv6_without_a_way_out(
    lines: list[str], who: Container, routes: list[Route], wanted: list[tuple[str, str]]
) -> None:
    assert rows(_ipv6(lines, who, routes)) == wanted


def test_an_internal_network_needs_no_ipv6() -> None:
    assert _ipv6([LOST6] * 2, APP, OUT6, Internal=True).verdict.value == "skipped"


def test_a_network_gets_ipv6_where_the_host_has_it() -> None:
    assert "ipv6_subnet" in _ipv6([LOST6] * 2, APP, OUT6).findings[0].variables
    assert _ipv6([LOST6] * 2, APP, []).findings[0].variables == {
        "container": "app",
        "without": "shop",
    }


def test_no_namespace_is_no_pass() -> None:
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls())
    assert result.verdict.value == "skipped"


UDP = {
    "full": (FullUdpSocket("0.0.0.0", 514, 90, 20), [("warning", "app")]),
    "full for a moment": (FullUdpSocket("0.0.0.0", 514, 90, 1), []),
}


@pytest.mark.parametrize(("socket", "wanted"), UDP.values(), ids=UDP)
def test_datagrams(socket: FullUdpSocket, wanted: list[tuple[str, str]]) -> None:
    losses = NetworkLosses((NamespaceLoss(APP, (), (socket,)),), counted=1)
    assert rows(judge("network.datagrams-dropped", network_losses=losses)) == wanted


def _netns(name: str, pid: int, inode: int) -> ContainerNetns:
    member = container(name, State={"Pid": pid})
    return ContainerNetns(member, inode, (), (), (), ())


def test_only_namespaces_that_lose_something_are_watched() -> None:
    """Two containers share a namespace; a process that is gone is not counted."""
    members = [
        _netns("app", 7, 1),
        _netns("side", 8, 1),
        _netns("calm", 9, 2),
        _netns("gone", 5, 3),
        _netns("busy", 4, 4),
    ]
    seen = {"calls": [{"address": "192.0.2.200", "port": 5432, "repeats": 2}], "datagrams": []}
    host = Made(
        {
            "netns.losses": {"7": {"repeated_requests": 3}, "9": {}, "4": {"connections": 900}},
            "netns.watched": {"7": seen, "4": {"left_open": 500}},
        }
    )
    losses = network_losses(
        host, Namespaces({netns.container.id: netns for netns in members}), CLOCK
    )
    assert isinstance(losses, NetworkLosses)
    lost = {loss.container.name: (len(loss.calls), loss.left_open) for loss in losses.items}
    assert lost == {"app": (1, 0), "busy": (0, 500)}
    assert losses.counted == 3
    assert [list(question.pids) for question in host.asked] == [[4, 5, 7, 9], [4, 7]]


PORT = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18080"}]}
SHOP = container("shop", NetworkSettings={"Ports": PORT})
ON_IPV6 = Listener("tcp6", "::", 18080, 5, "docker-proxy")
PROXIES: dict[str, tuple[list[Listener], dict[str, Any], list[tuple[str, str]]]] = {
    "none": ([], {}, [("warning", "shop")]),
    "for IPv6 alone": ([ON_IPV6], {}, [("warning", "shop")]),
    "for both": ([ON_IPV6, Listener("tcp", "0.0.0.0", 18080, 4, "docker-proxy")], {}, []),
    "another program": ([Listener("tcp6", "::", 18080, 4, "haproxy")], {}, []),
    "a holder that is not known": ([Listener("tcp6", "::", 18080)], {}, []),
    "a routed network": (
        [],
        {"Options": {"com.docker.network.bridge.gateway_mode_ipv4": "routed"}},
        [],
    ),
    "Podman": ([], {"podman": True}, []),
}


@pytest.mark.parametrize(("sockets", "options", "wanted"), PROXIES.values(), ids=PROXIES)
def test_missing_proxy(
    sockets: list[Listener], options: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    is_podman = options.pop("podman", False)
    result = judge(
        "network.proxy-missing",
        containers=Containers((SHOP,)),
        networks=Networks((network(**options),)),
        listeners=Listeners(tuple(sockets)),
        ping=Ping("1.51", "28.5.2", "5.0" if is_podman else ""),
        info=msgspec.convert({}, Info),
        clock=CLOCK,
    )
    assert rows(result) == wanted


CLOSED = Networks((network(Internal=True), network("front")))
GO = "dial tcp 192.0.2.80:80: connect: network is unreachable"
NAME = "Error: getaddrinfo EAI_AGAIN api.stripe.com"
OUTSIDE = WaitingCall("192.0.2.80", 80, 3)
INTERNAL: dict[str, tuple[list[str], list[WaitingCall], list[tuple[str, str]]]] = {
    "no route": ([GO, GO], [], [("warning", "app")]),
    "a public name": ([NAME, NAME], [], [("warning", "app")]),
    "a neighbour's name": (["getaddrinfo ENOTFOUND db"] * 2, [], []),
    "once": ([GO], [], []),
    "it waits": ([], [OUTSIDE], [("warning", "app")]),
    "calm": ([], [], []),
}


@pytest.mark.parametrize(("lines", "calls", "wanted"), INTERNAL.values(), ids=INTERNAL)
def test_internal_networks(
    lines: list[str], calls: list[WaitingCall], wanted: list[tuple[str, str]]
) -> None:
    found = calls_of(losses(*calls), CLOSED)
    recent = tuple(RecentLine(CLOCK.wall - 3, line) for line in lines)
    result = judge(
        "network.internal-called-out",
        containers=Containers((APP, DB)),
        networks=CLOSED,
        recent_logs=RecentLogs({APP.id: recent}),
        unanswered_calls=found,
        clock=CLOCK,
    )
    assert rows(result) == wanted
    assert not judge("network.call-unanswered", unanswered_calls=found).findings


LAN = network("lan", "192.0.2.0/24", "192.0.2.254", Driver="macvlan", Options={"parent": "eth0"})
ARP = """IP address       HW type     Flags       HW address            Mask     Device
{}      0x1         {}         {}     *        eth0
"""
NOBODY, SOMEBODY = ("0x0", "00:00:00:00:00:00"), ("0x2", "02:42:c0:00:02:01")
ON_HOST = Neighbours((Neighbour("192.0.2.254", "eth0", "02:42:c0:00:02:fe"),))
GATEWAYS: dict[str, tuple[tuple[str, str, str], Neighbours, str, str]] = {
    "another router": (
        ("192.0.2.254", *NOBODY),
        Neighbours(()),
        "192.0.2.1",
        "the router of this host is 192.0.2.1",
    ),
    "a wire for one address": (
        ("192.0.2.254", *NOBODY),
        ON_HOST,
        "192.0.2.254",
        "the network accepts only the MAC address of the host",
    ),
    "nothing known": (("192.0.2.254", *NOBODY), Neighbours(()), "10.0.0.1", "macvlan network"),
    "it answers": (("192.0.2.254", *SOMEBODY), Neighbours(()), "192.0.2.1", ""),
    "a neighbour is off": (("192.0.2.77", *NOBODY), Neighbours(()), "192.0.2.1", ""),
}


@pytest.mark.parametrize(("entry", "on_host", "router", "words"), GATEWAYS.values(), ids=GATEWAYS)
def test_gateways(
    entry: tuple[str, str, str], on_host: Neighbours, router: str, words: str
) -> None:
    nas = container("nas", NetworkSettings={"Networks": {"lan": {"IPAddress": "192.0.2.210"}}})
    default = Route("0.0.0.0", gateway="192.0.2.254", oif=2)
    netns = ContainerNetns(nas, 1, (), (), (default,), ())
    host = Made({"file.read": {"text": ARP.format(*entry), "size": 200}})
    gateways = silent_gateways(host, Namespaces({nas.id: netns}), Networks((LAN,)))
    assert gateways.looked_at == 1
    result = judge(
        "network.gateway-unanswered",
        silent_gateways=gateways,
        neighbours=on_host,
        routes=Routes((Route("0.0.0.0", gateway=router, oif=2),)),
    )
    assert rows(result) == ([("critical", "lan")] if words else [])
    assert all(words in finding.summary for finding in result.findings)
