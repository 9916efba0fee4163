"""What the host itself sends and gets no answer to, over made walks."""

from __future__ import annotations

import pytest

from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.stopped_pulls import stopped_pulls
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.bridge_paths import BridgePath, BridgePaths
from diagnose.evidence.network.paths.host_paths import HostPath, HostPaths
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.paths.published.return_paths import ReturnPath, ReturnPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.half_open import HalfOpen
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.packet import Hook
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.verdict import Step
from diagnose.model import Unavailable
from tests.firewall.test_trace import stack
from tests.inspected import container
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
WEB = container("web")
OPEN = Trace("accept")
SWITCH = Step("ip filter", "OUTPUT", "! -o wg0 -j REJECT")
SHUT = Trace("reject", obstacle=Obstacle("rule", SWITCH, "request", "output"))
UNROUTED = Trace(
    "reject", obstacle=Obstacle("route", Step("routing", "", "no route"), "request", "output")
)

SENT = {
    "open": (OPEN, {}, []),
    "a kill switch": (SHUT, {}, [("warning", "host")]),
    "a kill switch that stops queries too": (SHUT, {"192.0.2.53": SWITCH}, [("critical", "host")]),
    "queries alone": (OPEN, {"192.0.2.53": SWITCH}, [("critical", "host")]),
    "no rule, but no route": (UNROUTED, {}, []),
}


@pytest.mark.parametrize("name", SENT)
def test_what_the_host_sends(name: str) -> None:
    traced, queries, wanted = SENT[name]
    paths = HostPaths((HostPath(WEB, SHOP, "172.18.0.2", 80, traced),))
    result = judge("firewall.output-dropped", host_paths=paths, dns_path=DnsPath({}, queries))
    assert rows(result) == wanted


@pytest.mark.parametrize(
    ("where", "hook", "options"),
    [
        (Step("ip filter", "INPUT", "policy drop"), "input", {"answers_chain": "INPUT"}),
        (
            Step("ip raw", "PREROUTING", "-i br-shop -j DROP"),
            "prerouting",
            {"early_chain": "PREROUTING", "served_address": "172.18.0.2", "served_port": "80"},
        ),
        (Step("ip raw", "OUTPUT", "-j DROP"), "output", {}),
    ],
)
def test_a_lost_answer_is_cured_on_its_way_in(
    where: Step, hook: Hook, options: dict[str, str]
) -> None:
    lost = Trace("drop", obstacle=Obstacle("rule", where, "reply", hook))
    paths = HostPaths((HostPath(WEB, SHOP, "172.18.0.2", 80, lost),))
    (finding,) = judge("firewall.output-dropped", host_paths=paths).findings
    assert finding.summary.endswith("drops the answers")
    known = {"bridge", "answers_chain", "early_chain", "served_address", "served_port"}
    assert {name: finding.variables[name] for name in known & finding.variables.keys()} == options


def test_a_rule_that_drops_all_of_a_container_is_named_once() -> None:
    rule = Step("ip raw", "PREROUTING", "-i br-shop -j DROP")
    lost = Trace("drop", obstacle=Obstacle("rule", rule, "reply", "prerouting"))
    shut = ConnectionVerdict("drop", by=rule)
    out = OutboundPath(WEB, SHOP, "172.18.0.2", Uplink("eth0", "192.0.2.10"), shut, shut)
    result = judge(
        "firewall.output-dropped",
        host_paths=HostPaths((HostPath(WEB, SHOP, "172.18.0.2", 80, lost),)),
        packet_paths=PacketPaths(outbound_paths=(out,)),
    )
    assert rows(result) == []


def test_the_cure_of_a_lost_query_names_the_chain_that_drops_it() -> None:
    result = judge(
        "firewall.output-dropped",
        host_paths=HostPaths(()),
        dns_path=DnsPath({}, {"192.0.2.53": SWITCH}),
    )
    variables = result.findings[0].variables
    assert (variables["program"], variables["table"], variables["chain"]) == (
        "iptables",
        "filter",
        "OUTPUT",
    )
    assert variables["server"] == "192.0.2.53"


REGISTRIES = {
    "a name": ("OUTPUT -p tcp --dport 443", "hub.lab.test", {"pull_port": "443"}),
    "an address": ("OUTPUT -d 192.0.2.80", "192.0.2.80:5000", {"pull_port": "5000"}),
    "one of several addresses": ("OUTPUT -d 192.0.2.80", "hub.lab.test", None),
    "the answers": ("INPUT -p tcp --sport 443", "hub.lab.test", {"answers_port": "443"}),
    "another port": ("OUTPUT -p tcp --dport 5000", "hub.lab.test", None),
}


@pytest.mark.parametrize(("rule", "registry", "cure"), REGISTRIES.values(), ids=REGISTRIES)
def test_a_registry_that_the_host_itself_stops(
    rule: str, registry: str, cure: dict[str, str] | None
) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A {rule} -j DROP\nCOMMIT\n"
    trouble = PullTrouble("unreachable", registry, "", 2, first=1.0, last=2.0, text="timeout")
    stopped = stopped_pulls(
        Pulls((trouble,), "log"),
        HostStack(stack(text)),
        Uplinks((Uplink("eth0", "192.0.2.10"),)),
        Interfaces(()),
    )
    result = judge("firewall.output-dropped", host_paths=HostPaths(()), stopped_pulls=stopped)
    found = [
        {
            key: finding.variables[key]
            for key in ("pull_port", "answers_port")
            if key in finding.variables
        }
        for finding in result.findings
    ]
    assert found == ([cure] if cure else [])


def test_a_closed_policy_is_opened_as_a_whole() -> None:
    policy = Step("ip filter", "OUTPUT", "policy drop")
    result = judge(
        "firewall.output-dropped",
        host_paths=HostPaths(()),
        dns_path=DnsPath({}, {"192.0.2.53": policy}),
    )
    assert result.findings[0].variables["closed_chain"] == "OUTPUT"


TUNNEL = Trace(
    "drop",
    obstacle=Obstacle(
        "elsewhere",
        Step("routing", "wg0", "answers leave through wg0, not through eth0"),
        "reply",
        "postrouting",
    ),
)
TUNNELLED = {
    "nobody waits": (HalfOpen({8080: ()}), [("advice", "eth0")]),
    "not known": (None, [("advice", "eth0")]),
    "a client waits": (HalfOpen({8080: ("198.51.100.7",)}), [("critical", "eth0")]),
}


@pytest.mark.parametrize("name", TUNNELLED)
def test_answers_that_a_vpn_takes(name: str) -> None:
    waiting, wanted = TUNNELLED[name]
    path = ReturnPath(
        WEB, SHOP, Uplink("eth0", "192.0.2.10"), 8080, "80/tcp", TUNNEL, host_answers_by="wg0"
    )
    evidence = {} if waiting is None else {"half_open": waiting}
    result = judge(
        "network.replies-misrouted",
        return_paths=ReturnPaths((path,)),
        host_stack=HostStack(
            NetworkStack(Ruleset(), Routing(routes=[], rules=None, interfaces={}))
        ),
        **evidence,
    )
    assert rows(result) == wanted


def test_a_net_that_the_host_routes_for_is_a_warning() -> None:
    by = Obstacle("rule", Step("ip filter", "FORWARD", "policy drop"), "request", "forward")
    path = BridgePath("lan0", "behind", "ip", "10.9.0.0/24", "eth0", (), Trace("drop", obstacle=by))
    result = judge(
        "firewall.other-bridges-cut-off",
        bridge_paths=BridgePaths((path,)),
        firewall=Firewall(Ruleset()),
    )
    assert rows(result) == [("warning", "lan0")]


OUTSIDE = ConnectionVerdict("accept", Translate("dnat", "172.18.0.2", 80))
LED = Trace("accept", nat=Translate("dnat", "172.18.0.2", 80))
ALONE = DaemonConfig("/etc/docker/daemon.json", values={"userland-proxy": False})
JUMP = "*nat\n:PREROUTING ACCEPT\n:DOCKER -\n-A PREROUTING -j DOCKER\nCOMMIT\n"
FROM_HOST = {
    "led to the container": (LED, ALONE, []),
    "not led": (OPEN, ALONE, [("warning", "host")]),
    "not led, and docker-proxy takes it": (OPEN, DaemonConfig("/etc/docker/daemon.json"), []),
}


@pytest.mark.parametrize("name", FROM_HOST)
def test_published_ports_as_the_host_reaches_them(name: str) -> None:
    traced, config, wanted = FROM_HOST[name]
    up = Uplink("eth0", "192.0.2.10")
    inbound = InboundPath(
        WEB,
        SHOP,
        frozenset({"172.18.0.2"}),
        "80/tcp",
        "192.0.2.10",
        8080,
        True,
        up,
        OUTSIDE,
        OUTSIDE,
        OUTSIDE,
    )
    result = judge(
        "firewall.dnat-missing",
        firewall=Firewall(assemble(None, {"ip": JUMP})),
        packet_paths=PacketPaths((), (inbound,)),
        config=config,
        host_paths=HostPaths((), published=(HostPath(WEB, SHOP, "192.0.2.10", 8080, traced),)),
    )
    assert rows(result) == wanted


USERS = {
    "the host": (["192.0.2.53"], {}, "critical", "this host itself cannot ask"),
    "the host, which has another": (
        ["192.0.2.53", "192.0.2.54"],
        {"192.0.2.54": DnsReply(answered=True, ms=1.0)},
        "warning",
        "this host itself cannot ask",
    ),
    "containers alone": (
        ["192.0.2.54"],
        {},
        "warning",
        'cannot ask DNS server 192.0.2.53 for container "web"',
    ),
}


@pytest.mark.parametrize(("servers", "replies", "severity", "words"), USERS.values(), ids=USERS)
def test_a_query_counts_by_who_needs_it(
    servers: list[str], replies: dict[str, DnsReply], severity: str, words: str
) -> None:
    path = QueryPath(("shop",), "192.0.2.53", (), (WEB,))
    result = judge(
        "firewall.output-dropped",
        host_paths=HostPaths(()),
        dns_path=DnsPath({}, {"192.0.2.53": SWITCH}),
        resolvers=Resolvers(
            ResolvConf(tuple(servers)), Unavailable("missing", ""), configured=(), inside={}
        ),
        lookups=Lookups(host=replies, ways=(path,)),
    )
    assert rows(result) == [(severity, "host")]
    assert words in result.findings[0].summary
