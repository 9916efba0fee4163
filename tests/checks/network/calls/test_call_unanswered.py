"""Calls that get no answer, and what stops them: checks/network/calls/call_unanswered.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.names.moved_names import MovedName, MovedNames
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.calls.host_calls import HostNetworkCalls
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import (
    CallWays,
    SeenCalls,
    UnansweredCalls,
    unanswered_calls,
)
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.network_stack import Device, NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.verdict import Step
from diagnose.model import Finding, Json, Verdict
from diagnose.questions.network import Route
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container, links, network
from tests.checks.network.lost_calls import (
    APP,
    CLOCK,
    DB,
    NETWORKS,
    OUTSIDE,
    SHOP,
    calls_of,
    losses,
)
from tests.hosts import Made
from tests.judging import judge, rows

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
        host, alone, SeenCalls(losses, recent_logs=logs), CallWays(NETWORKS), None, CLOCK
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
BY_ROUTE = Obstacle(
    "route", Step(table="", chain="", rule="route unreachable 192.0.2.200/32"), "request", "forward"
)
NO_ANSWER = Obstacle("rule", Step("ip raw", "PREROUTING", "-j DROP"), "reply", "prerouting")
HIDDEN = Translate("snat", "192.0.2.10")
TRACES: dict[str, tuple[Trace, str, dict[str, str]]] = {
    "a rule": (
        Trace("drop", obstacle=BY_RULE, snat=HIDDEN),
        "a rule of chain DOCKER-USER of table ip filter stops the requests",
        {"program": "iptables", "chain": "DOCKER-USER", "source": "172.18.0.2"},
    ),
    "a route": (
        Trace("drop", obstacle=BY_ROUTE),
        "route unreachable 192.0.2.200/32 of this host stops the requests",
        {"route_type": "unreachable", "blocked": "192.0.2.200/32", "route_table": "main"},
    ),
    "a route of another table": (
        Trace(
            "reject",
            obstacle=Obstacle.of_routing(
                "route", "route prohibit default table 52", "request", "prerouting"
            ),
        ),
        "route prohibit default table 52 of this host stops the requests",
        {"route_type": "prohibit", "blocked": "default", "route_table": "52"},
    ),
    "a routing rule": (
        Trace(
            "reject",
            obstacle=Obstacle.of_routing(
                "route", "rule 100: from 172.18.0.0/16 blackhole", "request", "prerouting"
            ),
        ),
        "rule 100: from 172.18.0.0/16 blackhole of this host stops the requests",
        {"rule_priority": "100"},
    ),
    "its own address": (
        Trace("drop", obstacle=NO_ANSWER, to="eth0"),
        "leave with the container's own address 172.18.0.2",
        {"untranslated": "172.18.0.2", "bridge": "br-0123456789ab"},
    ),
    "nothing here": (Trace("accept", snat=HIDDEN, to="eth0"), "", {"beyond": "192.0.2.200"}),
}


NFT_RULE = Step("inet site", "output", "tcp dport 5432 drop")
NFT_PLACE = {"nft_family": "inet", "nft_table": "site", "address_family": "ip"}
OWN_RULES: dict[str, tuple[Obstacle, dict[str, str]]] = {
    "a request": (
        Obstacle("rule", Step("ip filter", "OUTPUT", "-j DROP"), "request", "output"),
        {"program": "iptables", "table": "filter", "own_chain": "OUTPUT"},
    ),
    "an answer": (
        Obstacle("rule", Step("ip filter", "INPUT", "-j DROP"), "reply", "input"),
        {"program": "iptables", "table": "filter", "answers_chain": "INPUT"},
    ),
    "a request, by nftables": (
        Obstacle("rule", NFT_RULE, "request", "output"),
        {**NFT_PLACE, "nft_own_chain": "output"},
    ),
    "an answer, by nftables": (
        Obstacle("rule", NFT_RULE, "reply", "input"),
        {**NFT_PLACE, "nft_answers_chain": "output"},
    ),
}


@pytest.mark.parametrize(("obstacle", "expected"), OWN_RULES.values(), ids=OWN_RULES)
def test_what_stops_a_call_of_the_hosts_network(
    obstacle: Obstacle, expected: dict[str, str]
) -> None:
    """No other block of the page is filled: not that which restarts the peer."""
    call = UnansweredCall(
        APP, "192.0.2.200", 5432, 2, peer=DB, trace=Trace("drop", obstacle=obstacle)
    )
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1))
    (finding,) = result.findings
    place = {"container": "app", "address": "192.0.2.200", "port": "5432"}
    assert finding.variables == {**place, **expected}


@pytest.mark.parametrize("is_stopped", [True, False])
def test_what_this_host_stops_is_not_an_address_that_has_moved(*, is_stopped: bool) -> None:
    stopped = Trace("drop", obstacle=Obstacle("rule", NFT_RULE, "request", "forward"))
    trace = stopped if is_stopped else Trace("accept", snat=HIDDEN, to="eth0")
    call = UnansweredCall(APP, "192.0.2.200", 443, 2, trace=trace)
    old = MovedName(APP, "api.shop.test", "192.0.2.200", ("192.0.2.80",), "192.0.2.53")
    (finding,) = judge(
        "network.call-unanswered",
        unanswered_calls=UnansweredCalls((call,), 1),
        moved_names=MovedNames((old,)),
    ).findings
    assert ("keeps an old address" in finding.summary) is not is_stopped


def test_a_rule_of_nftables_for_ipv6_is_written_with_its_words() -> None:
    stopped = Trace("drop", obstacle=Obstacle("rule", NFT_RULE, "request", "forward"))
    call = UnansweredCall(APP, "2001:db8::9", 5432, 2, trace=stopped)
    (finding,) = judge(
        "network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1)
    ).findings
    assert finding.variables["address_family"] == "ip6"
    assert finding.variables["nft_own_chain"] == "output"


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
    [(443, "shop.example.org", "own_host"), (443, "", "exempted"), (25, "", "exempted")],
)
def test_a_call_over_ipv6_that_is_not_translated(port: int, own_name: str, variable: str) -> None:
    finding = _unanswered6(port, {}, own_name)
    assert "with the container's own address 2001:db8:1::2" in finding.summary
    assert {"own_host", "exempted", "mailer"} & finding.variables.keys() == {variable}


def test_containers_on_the_hosts_network_that_lose_nothing_were_watched() -> None:
    found = unanswered_calls(
        Made({}),
        Containers((APP,)),
        SeenCalls(NetworkLosses(), host_network_calls=HostNetworkCalls((), 1)),
        CallWays(NETWORKS),
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
            Made({}),
            alone,
            SeenCalls(found),
            CallWays(NETWORKS, neighbours=arp, routes=routes),
            None,
            CLOCK,
        )
        (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
        assert words in finding.summary
        assert variable in finding.variables
        assert "beyond" not in finding.variables


PROXIES: dict[str, tuple[str, int, Info | None, dict[str, Json], str]] = {
    "the internet": ("198.51.100.20", 443, Info(https_proxy="http://proxy.example:3128"), {}, "http_proxy"),
    "over IPv6": ("2001:db8:77::80", 80, Info(http_proxy="proxy.example:3128"), {}, "http_proxy"),
    "a password": ("198.51.100.20", 443, Info(http_proxy="http://xxxxx:xxxxx@p:1"), {}, "proxyless"),
    "on the host": ("198.51.100.20", 443, Info(http_proxy="http://127.0.0.1:1"), {}, "proxyless"),
    "its own": ("198.51.100.20", 443, Info(http_proxy="http://p:1"), {"Env": ["http_proxy=p:1"]}, "beyond"),
    "on the site": ("10.20.0.5", 443, Info(http_proxy="http://p:1"), {}, "beyond"),
    "a database": ("198.51.100.20", 5432, Info(http_proxy="http://p:1"), {}, "beyond"),
    "no proxy": ("198.51.100.20", 443, Info(), {}, "beyond"),
    "not known": ("198.51.100.20", 443, None, {}, "beyond"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("address", "port", "info", "config", "variable"), PROXIES.values(), ids=PROXIES
)
def test_a_caller_without_the_engines_proxy(
    address: str, port: int, info: Info | None, config: dict[str, Json], variable: str
) -> None:
    caller = container("caller", Config=config)
    calls = unanswered_calls(
        Made({}),
        Containers((caller, DB)),
        SeenCalls(losses(WaitingCall(address, port, 3), of=caller)),
        CallWays(NETWORKS),
        info,
        CLOCK,
    )
    (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
    assert variable in finding.variables
    assert ("has no proxy in its environment" in finding.summary) == (variable != "beyond")
    if variable == "http_proxy":
        assert "db" in finding.variables["no_proxy"].split(",")


def test_a_machine_in_whose_net_another_program_of_the_host_is() -> None:
    pods = Interface(index=7, name="cni0", up=True, operstate="up", kind="bridge")
    out, inside = Route("0.0.0.0", gateway="192.0.2.1", oif=2), Route("10.42.0.0", 24, oif=7)
    arp = Neighbours((Neighbour("10.42.0.20", "cni0", ""),))
    for routes, variable in ((Routes((out, inside)), "led_away"), (Routes((out,)), "beyond")):
        found = losses(WaitingCall("10.42.0.20", 5432, 3))
        calls = unanswered_calls(
            Made({}),
            Containers((APP,)),
            SeenCalls(found),
            CallWays(NETWORKS, neighbours=arp, routes=routes, links=links(pods)),
            None,
            CLOCK,
        )
        (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
        assert variable in finding.variables


@pytest.mark.parametrize(
    ("address", "subnets", "speaks"),
    [
        ("2606:4700::1111", {}, True),
        ("192.0.2.200", {}, False),
        ("2606:4700::1111", {"IPAM": {"Config": []}}, False),
    ],
    ids=["IPv6", "IPv4", "a network without IPv4"],
)
def test_a_call_over_ipv6_that_may_go_over_ipv4(
    address: str, subnets: dict[str, object], speaks: bool
) -> None:
    call = UnansweredCall(APP, address, 443, 2, network=network(**subnets))
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1))
    (finding,) = result.findings
    assert ("over_ipv6" in finding.variables) is speaks


REFUSED = "HTTPSConnectionPool(host={}, port=443): Max retries exceeded: Connection refused"
REFUSALS = {
    "a rule refuses it": (REFUSED.format("10.66.0.9"), "-d 10.66.0.9/32", True),
    "the machine refuses it": (REFUSED.format("10.66.0.9"), "-d 10.66.0.8/32", False),
    "no port is known": ("10.66.0.9: Connection refused", "-d 10.66.0.9/32", False),
}


@pytest.mark.parametrize(("line", "match", "found"), REFUSALS.values(), ids=REFUSALS)
def test_a_rule_of_this_host_that_refuses_a_call(line: str, match: str, found: bool) -> None:
    failed = LoggedFailure(APP, "refused", "10.66.0.9", 0, line, 5, 9, CLOCK.wall - 60)
    nothing = {"tables": [], "chains": [], "rules": [], "sets": [], "elements": []}
    rule = f"-A FORWARD {match} -j REJECT --reject-with icmp-port-unreachable"
    saved = f"*filter\n:FORWARD ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    names = {2: "eth0", 5: "br-0123456789ab"}
    routes = (Route("0.0.0.0", 0, gateway="192.0.2.1", oif=2), Route("172.18.0.0", 16, oif=5))
    devices = (
        Device("eth0", ("192.0.2.10/24",)),
        Device("br-0123456789ab", ("172.18.0.1/16",), "bridge"),
    )
    rules = assemble(nothing, {"ip": saved}, {}, names)
    stack = NetworkStack(rules, Routing(routes, None, names), devices)
    seen = SeenCalls(NetworkLosses((), counted=1), logged_failures=LoggedFailures((failed,)))
    ways = CallWays(NETWORKS, host_stack=HostStack(stack))
    calls = unanswered_calls(Made({}), Containers((APP,)), seen, ways, None, CLOCK)
    result = judge("network.call-unanswered", unanswered_calls=calls)
    assert rows(result) == ([("warning", "app")] if found else [])
    assert all("cannot reach 10.66.0.9:443" in f.summary for f in result.findings)
