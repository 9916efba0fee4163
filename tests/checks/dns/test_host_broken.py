"""The checks in checks/dns/host_broken.py and checks/dns/servers/udp_blocked.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.filtered_queries import DnsPath, dns_path
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers, parse
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.routes import Route, Routes
from diagnose.questions.network import PolicyRule
from tests.checks.dns.evidence import (
    ADVICE,
    CRITICAL,
    FALLBACK,
    LAN,
    MISSING,
    NETWORKS,
    OTHER,
    OWN,
    PUBLIC,
    STARTED,
    V26,
    WARNING,
    WEB,
    container,
    dns_host,
    judge_dns,
    nameserver,
    subjects_and_severities,
)
from tests.firewall.test_trace import stack
from tests.judging import judge

GATEWAY = "172.17.0.1"


ETH0 = Interface(index=2, name="eth0", up=True, operstate="up")
CNI0 = Interface(index=7, name="cni0", up=True, operstate="up", kind="bridge")
OUT = Route("0.0.0.0", gateway="192.0.2.1", oif=2)
PODS = Route("192.0.2.48", 28, oif=7)


@pytest.mark.parametrize(
    ("routes", "asked_on", "words", "variable"),
    [
        ((OUT, PODS), "cni0", "route 192.0.2.48/28 leads to cni0, where nobody has", "led_away"),
        ((OUT, Route("192.0.2.0", 24, oif=2)), "eth0", "nobody on eth0 answers to that", "router"),
        ((OUT, PODS), "", "", "router"),
        ((OUT, PODS), "eth0", "", "router"),
    ],
    ids=["by another bridge", "on the way out", "it answers there", "asked for by another route"],
)
def test_a_server_that_nobody_answers_for(
    routes: tuple[Route, ...], asked_on: str, words: str, variable: str
) -> None:
    (finding,) = judge_dns(
        "dns.host-broken",
        host=ResolvConf((LAN,)),
        replies={},
        routes=Routes(routes),
        links=Interfaces((ETH0, CNI0)),
        neighbours=Neighbours((Neighbour(LAN, asked_on, ""),) if asked_on else ()),
    ).findings
    assert words in finding.summary
    assert ("nobody" in finding.summary) == bool(words)
    assert variable in finding.variables


def test_the_rule_that_stops_the_host_s_own_queries_is_named() -> None:
    rules = DnsPath({}, {LAN: Step("ip filter", "INPUT", "policy drop")})
    (finding,) = judge_dns(
        "dns.host-broken", host=ResolvConf((LAN,)), replies={}, dns_path=rules
    ).findings
    assert (
        "own packet filter stops the query: chain INPUT of table ip filter (policy drop)"
        in finding.summary
    )


@pytest.mark.parametrize(
    ("text", "words", "variables"),
    [
        (
            "route blackhole 192.0.2.53/32",
            "route blackhole 192.0.2.53/32 of this host rejects the query",
            {"route_type": "blackhole", "blocked": "192.0.2.53/32", "route_table": "main"},
        ),
        (
            "rule 100: from all to 192.0.2.53 prohibit",
            "routing rule 100: from all to 192.0.2.53 prohibit of this host rejects the query",
            {"rule_priority": "100"},
        ),
    ],
)
def test_a_route_that_rejects_the_host_s_own_queries(
    text: str, words: str, variables: dict[str, str]
) -> None:
    containers, resolvers, answer, _ = dns_host(host=ResolvConf((LAN,)), replies={})
    by = Step("routing", "", text)
    evidence = {"containers": containers, "resolvers": resolvers, "lookups": answer}
    path = DnsPath({}, rejected_of_host={LAN: by}, rejected={("bridge", LAN): by})
    (finding,) = judge("dns.host-broken", **evidence, dns_path=path).findings
    assert words in finding.summary
    assert finding.variables == {"server": LAN, **variables}


def test_the_route_that_rejects_a_query_is_found() -> None:
    host = HostStack(stack(rules=(PolicyRule(100, dst=LAN, action="prohibit"),)))
    _, _, answer, _ = dns_host(host=ResolvConf((LAN,)), replies={})
    path = dns_path(host, answer, NETWORKS, Interfaces(()))
    (step,) = path.rejected_of_host.values()
    assert step.rule == f"rule 100: from all to {LAN} prohibit"
    assert not path.of_host


ESTABLISHED = "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"


@pytest.mark.parametrize(
    ("server", "text", "expected"),
    [
        pytest.param(LAN, ":INPUT DROP [0:0]\n", {LAN: Step("ip filter", "INPUT", "policy drop")}, id="answers are dropped"),
        pytest.param(LAN, f":INPUT DROP [0:0]\n{ESTABLISHED}", {}, id="answers are let in"),
        pytest.param(
            LAN,
            ":OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -m udp --dport 53 -j DROP\n",
            {LAN: Step("ip filter", "OUTPUT", "-p udp -m udp --dport 53 -j DROP")},
            id="queries are dropped",
        ),
        pytest.param("127.0.0.53", f":INPUT DROP [0:0]\n{ESTABLISHED}", {"127.0.0.53": Step("ip filter", "INPUT", "policy drop")}, id="loopback"),
        pytest.param("127.0.0.53", ":INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n", {}, id="loopback is let in"),
    ],
)  # fmt: skip
def test_the_way_of_the_host_s_own_queries(
    server: str, text: str, expected: dict[str, Step]
) -> None:
    host = HostStack(stack(f"*filter\n{text}COMMIT\n"))
    _, _, answer, _ = dns_host(host=ResolvConf((server,)), replies={})
    assert dns_path(host, answer, NETWORKS, Interfaces(())).of_host == expected


def test_a_query_to_the_bridge_s_own_address_meets_the_input_rules() -> None:
    web = container("web", "bridge")
    _, _, answer, _ = dns_host(
        (web, f"nameserver {GATEWAY}\n"), replies={(GATEWAY, True): "NOERROR"}
    )
    host = HostStack(stack("*filter\n:INPUT DROP [0:0]\nCOMMIT\n"))
    path = dns_path(host, answer, NETWORKS, Interfaces((), (Address(3, GATEWAY, 16),)))
    assert path.own == {GATEWAY}
    assert path.blocked == {("bridge", GATEWAY): Step("ip filter", "INPUT", "policy drop")}


def test_a_fourth_server_is_never_asked() -> None:
    four = ResolvConf((LAN, OTHER, "192.0.2.55", PUBLIC))
    text = "".join(f"nameserver {nameserver}\n" for nameserver in four.nameservers)
    heard = {(PUBLIC, True): "NOERROR", (PUBLIC, False): "NOERROR"}
    containers, resolvers, answer, _ = dns_host((WEB, text), host=four, replies=heard)
    assert subjects_and_severities(
        judge(
            "dns.host-broken", resolvers=resolvers, lookups=answer, containers=containers
        ).findings
    ) == [("host:host", CRITICAL)]
    assert subjects_and_severities(
        judge(
            "dns.upstream-unreachable", containers=containers, resolvers=resolvers, lookups=answer
        ).findings
    ) == [("network:bridge", CRITICAL)]


@pytest.mark.parametrize(
    ("servers", "replies", "broken", "blocked"),
    [
        pytest.param((LAN,), {(LAN, True): "NOERROR"}, [], [], id="answers"),
        pytest.param((LAN,), {}, [("host:host", CRITICAL)], [], id="silent"),
        pytest.param(
            (LAN,), {(LAN, True): "refused"}, [("host:host", CRITICAL)], [], id="nobody listens"
        ),
        pytest.param(
            (LAN, OTHER), {(OTHER, True): "NOERROR"}, [("host:host", WARNING)], [], id="one of two"
        ),
        pytest.param(
            (LAN, "2001:db8::53"),
            {(LAN, True): "NOERROR", ("2001:db8::53", True): "unreachable"},
            [("host:host", ADVICE)],
            [],
            id="no route to one of two",
        ),
        pytest.param(
            (LAN,), {(f"{LAN}/tcp", True): "NOERROR"}, [], [("host:host", CRITICAL)], id="TCP only"
        ),
    ],
)
def test_the_host_s_own_servers(
    servers: Any, replies: Any, broken: list[Any], blocked: list[Any]
) -> None:
    containers, resolvers, answer, _ = dns_host(host=ResolvConf(servers), replies=replies)
    result = judge("dns.host-broken", resolvers=resolvers, lookups=answer, containers=containers)
    assert subjects_and_severities(result.findings) == broken
    result = judge("dns.udp-blocked", resolvers=resolvers, lookups=answer, containers=containers)
    assert subjects_and_severities(result.findings) == blocked


def test_a_name_that_has_to_resolve_and_does_not() -> None:
    (finding,) = judge_dns(
        "dns.host-broken", replies={(LAN, True): "NXDOMAIN"}, resolve=("intranet.example",)
    ).findings
    assert finding.discriminator == "intranet.example"
    assert "NXDOMAIN" in finding.summary


def test_the_name_of_a_container_is_asked_of_the_engine() -> None:
    listed = [(container("db", "shop"), V26), (container("web", "shop"), V26)]
    containers, resolvers, answer, made = dns_host(
        *listed, replies={(LAN, True): "NOERROR"}, resolve=("db",)
    )
    asked = {(q.args["server"], q.args["pid"]) for q in made.asked if q.args.get("name") == "db"}
    assert asked == {("127.0.0.11", owner.state.pid) for owner, _ in listed}
    result = judge("dns.host-broken", resolvers=resolvers, lookups=answer, containers=containers)
    assert result.findings == ()


@pytest.mark.parametrize(
    ("who", "text", "more", "kind"),
    [
        pytest.param(OWN, nameserver(OTHER), {}, "container", id="given to the container"),
        pytest.param(WEB, nameserver(OTHER), {"configured": (OTHER,)}, "daemon", id="configured"),
        pytest.param(WEB, nameserver(), {}, "host", id="the host's file"),
        pytest.param(WEB, FALLBACK, {}, "fallback", id="the engine's own"),
        pytest.param(WEB, nameserver(OTHER), {}, "earlier", id="an earlier file"),
    ],
)
def test_where_a_server_comes_from(who: Container, text: str, more: Any, kind: str) -> None:
    _, resolvers, *_ = dns_host((who, text), replies={}, **more)
    assert resolvers.origin(who, resolvers.upstreams(who)[0].server).kind == kind


def test_a_file_that_was_written_after_the_start_was_edited_inside() -> None:
    edited = msgspec.structs.replace(parse(nameserver(OTHER)), mtime=STARTED + 60)
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, (), {WEB.id: edited})
    assert resolvers.origin(WEB, OTHER).kind == "edited"


def test_a_file_that_was_written_soon_after_the_start_is_a_start_scripts() -> None:
    edited = msgspec.structs.replace(parse(nameserver(OTHER)), mtime=STARTED + 12)
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, (), {WEB.id: edited})
    assert resolvers.origin(WEB, OTHER).kind == "scripted"


DEAD = ("192.0.2.201", "192.0.2.202", "192.0.2.203")
BETTER = {"none but the dead ones": (DEAD, ""), "a fourth that nobody asks": ((*DEAD, LAN), LAN)}


@pytest.mark.parametrize(("servers", "better"), BETTER.values(), ids=BETTER)
def test_a_server_that_programs_should_ask_first(servers: tuple[str, ...], better: str) -> None:
    (finding,) = judge_dns("dns.host-broken", host=ResolvConf(servers), replies={}).findings
    assert finding.variables.get("better", "") == better
    assert ("is never asked" in finding.summary) is bool(better)


@pytest.mark.parametrize(
    ("better", "silent"), [(LAN, "\n".join(DEAD)), ("127.0.0.53", "")], ids=["another", "loopback"]
)
def test_queries_of_running_containers_are_led_to_what_answers(better: str, silent: str) -> None:
    text = "".join(f"nameserver {server}\n" for server in DEAD)
    servers = ResolvConf((*DEAD, better))
    (finding,) = judge_dns("dns.host-broken", (WEB, text), host=servers, replies={}).findings
    assert finding.variables.get("silent", "") == silent


@pytest.mark.parametrize(
    ("dead", "router"),
    [((LAN,), "192.0.2.1"), (("192.0.2.1",), None), (("127.0.0.53",), None)],
    ids=["beside it", "itself", "a stub"],
)
def test_the_router_may_serve_names_too(dead: tuple[str, ...], router: str | None) -> None:
    _, resolvers, answer, _ = dns_host(host=ResolvConf(dead), replies={})
    routes = Routes((Route(dst="0.0.0.0", oif=2, gateway="192.0.2.1"),))
    (finding,) = judge(
        "dns.host-broken", resolvers=resolvers, lookups=answer, routes=routes
    ).findings
    assert finding.variables.get("router") == router
    assert "dead" not in finding.variables, "the file would be left without a server"


DOWN = Interface(index=3, name="eth1")
LINKS = {
    "one that leads out is down": ((ETH0, DOWN), "eth1"),
    "all are up": ((ETH0,), None),
    "a bridge is down": ((ETH0, Interface(index=7, name="cni0", kind="bridge")), None),
    "loopback is down": ((Interface(index=1, name="lo"),), None),
}


@pytest.mark.parametrize(("links", "down"), LINKS.values(), ids=LINKS)
def test_the_interface_that_may_have_led_out(
    links: tuple[Interface, ...], down: str | None
) -> None:
    _, resolvers, answer, _ = dns_host(
        host=ResolvConf((LAN,)), replies={(LAN, True): "unreachable"}
    )
    (finding,) = judge(
        "dns.host-broken",
        resolvers=resolvers,
        lookups=answer,
        routes=Routes(()),
        links=Interfaces(links),
    ).findings
    assert finding.variables.get("switched_off") == down


WAYS = {
    "IPv6 alone": ((Route(family="inet6", dst="::", oif=2, gateway="fe80::1"),), "no route of this host"),
    "nothing": ((), "no default route leads out"),
    "its own net": ((Route(dst="192.0.2.0", prefix=24, oif=2),), ""),
    "the default route": ((Route(dst="0.0.0.0", oif=2, gateway="192.0.2.1"),), ""),
}  # fmt: skip


@pytest.mark.parametrize(("routes", "said"), WAYS.values(), ids=WAYS)
def test_the_way_to_a_server_that_cannot_be_reached(routes: tuple[Route, ...], said: str) -> None:
    _, resolvers, answer, _ = dns_host(
        host=ResolvConf((LAN,)), replies={(LAN, True): "unreachable"}
    )
    (finding,) = judge(
        "dns.host-broken", resolvers=resolvers, lookups=answer, routes=Routes(routes)
    ).findings
    assert ("no route of this host" in finding.summary) == said.startswith("no route")
    assert ("no default route leads out" in finding.summary) == said.startswith("no default")
    assert ("lost" in finding.variables) == bool(said)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("exited", {"stopped_server": "pihole"}), ("restarting", {"looping_server": "pihole"})],
)
def test_a_server_of_this_host_that_does_not_run(status: str, expected: dict[str, str]) -> None:
    """The engine starts a container by itself that ends again and again."""
    published = {"53/udp": [{"HostIp": "0.0.0.0", "HostPort": "53"}]}
    pihole = container("pihole", State={"Status": status}, HostConfig={"PortBindings": published})
    answer = judge_dns(
        "dns.host-broken", (pihole, nameserver()), host=ResolvConf(("127.0.0.1",)), replies={}
    )
    (finding,) = answer.findings
    assert finding.variables.items() >= expected.items()
