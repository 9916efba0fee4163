"""The checks in checks/dns/servers/upstream_unreachable.py."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups, lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers, parse
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Json, Severity, Unavailable, Verdict
from diagnose.questions import AnyQuestion, Host
from tests.checks.dns.evidence import (
    ANSWERS,
    CRITICAL,
    LAN,
    MISSING,
    NETWORKS,
    OTHER,
    OWN,
    V26,
    V28,
    WARNING,
    WEB,
    container,
    dns_host,
    judge_dns,
    nameserver,
    subjects_and_severities,
)
from tests.hosts import Made
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (Unavailable("not applicable", "no probes"), Verdict.SKIPPED),
        (Unavailable("forbidden", "not root"), Verdict.UNKNOWN),
    ],
    ids=["by the user's wish", "for want of privilege"],
)
def test_what_stands_on_replies_says_why_there_are_none(why: Unavailable, expected: Any) -> None:
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, configured=(), inside={})
    containers = Containers((container("web"),))
    known = {"containers": containers, "resolvers": resolvers, "lookups": why}
    for id in (
        "dns.upstream-unreachable",
        "dns.host-broken",
        "dns.udp-blocked",
        "dns.servers-disagree",
    ):
        assert judge(id, **known).verdict is expected
    assert (
        judge(
            "dns.embedded-rules-missing", containers=containers, lookups=why, daemon=ANSWERS
        ).verdict
        is expected
    )


def test_a_container_that_could_not_ask_is_named_and_hides_no_verdict_on_the_host() -> None:
    def reply(question: AnyQuestion) -> Json | Failed:
        if question.args["pid"] is not None:
            return Failed("forbidden", "run as root")
        return {
            "answered": True,
            "rcode": "NOERROR",
            "answers": [],
            "ms": 1.0,
            "sent": 1,
            "icmp": None,
            "truncated": False,
        }

    who = container("web")
    resolvers = Resolvers(ResolvConf((LAN,)), MISSING, (), {who.id: parse(nameserver())})
    containers = Containers((who,))
    made = Made({"dns.query": reply})
    answer = lookups(
        Host(made), containers, NETWORKS, resolvers, None, Options(), failed_names=None, config=None
    )
    assert isinstance(answer, Lookups)
    (left_out,) = judge(
        "dns.upstream-unreachable", containers=containers, resolvers=resolvers, lookups=answer
    ).unexamined
    assert left_out.subject == who.subject
    assert "run as root" in left_out.why
    assert (
        judge(
            "dns.host-broken", resolvers=resolvers, lookups=answer, containers=containers
        ).findings
        == ()
    )


@pytest.mark.parametrize(
    ("listed", "replies", "expected"),
    [
        pytest.param(
            [(WEB, nameserver())],
            {(LAN, True): "NOERROR", (LAN, False): "NOERROR"},
            [],
            id="answers",
        ),
        pytest.param(
            [(WEB, nameserver())],
            {(LAN, True): "REFUSED", (LAN, False): "SERVFAIL"},
            [],
            id="an error is an answer",
        ),
        pytest.param(
            [(WEB, nameserver())],
            {(LAN, True): "NOERROR"},
            [("network:bridge", CRITICAL)],
            id="lost on the way out",
        ),
        pytest.param(
            [(WEB, nameserver())], {}, [("network:bridge", CRITICAL)], id="lost everywhere"
        ),
        pytest.param(
            [(WEB, nameserver() + nameserver(OTHER))],
            {(LAN, True): "NOERROR", (LAN, False): "NOERROR"},
            [("network:bridge", WARNING)],
            id="one of two servers",
        ),
        pytest.param(
            [(WEB, nameserver()), (OWN, nameserver(OTHER))],
            {(LAN, True): "NOERROR", (LAN, False): "NOERROR"},
            [("container:own", CRITICAL)],
            id="a server of its own",
        ),
        pytest.param(
            [(container("web", "shop"), V28)],
            {("127.0.0.53", True): "NOERROR", (OTHER, True): "NOERROR", (OTHER, False): "NOERROR"},
            [],
            id="the engine asks the host's stub",
        ),
        pytest.param(
            [(WEB, nameserver()), (OWN, nameserver("127.0.0.1"))],
            {(LAN, True): "NOERROR", (LAN, False): "NOERROR", ("127.0.0.1", False): "refused"},
            [("container:own", CRITICAL)],
            id="itself, where nothing listens",
        ),
        pytest.param(
            [(OWN, nameserver("127.0.0.1"))],
            {(LAN, True): "NOERROR", ("127.0.0.1", False): "NOERROR"},
            [],
            id="itself, a DNS server",
        ),
    ],
)
def test_upstream_unreachable(listed: Any, replies: Any, expected: list[Any]) -> None:
    assert (
        subjects_and_severities(
            judge_dns("dns.upstream-unreachable", *listed, replies=replies).findings
        )
        == expected
    )


@pytest.mark.parametrize(
    ("replies", "rules", "words"),
    [
        ({(LAN, True): "NOERROR"}, {}, 'lost between network "bridge" and the uplink'),
        ({}, {}, "the host gets no answer from that server either"),
        ({(LAN, False): "refused"}, {}, "the machine is reachable"),
        (
            {(LAN, True): "NOERROR", (LAN, False): "refused"},
            {},
            "leads the container's query elsewhere",
        ),
        (
            {},
            {("bridge", LAN): Step("ip filter", "FORWARD", "policy drop")},
            "the host's packet filter stops the query: chain FORWARD of table ip filter (policy drop)",
        ),
    ],
)
def test_the_hop_that_lost_the_query_is_named(replies: Any, rules: Any, words: str) -> None:
    (finding,) = judge_dns(
        "dns.upstream-unreachable", (WEB, nameserver()), replies=replies, dns_path=DnsPath(rules)
    ).findings
    assert words in finding.summary


_REFUSAL = Step("ip filter", "DOCKER-USER", "-s 172.17.0.0/16 -o eth0 -j REJECT")


@pytest.mark.parametrize(
    ("rule", "misses_names", "severity"),
    [
        (_REFUSAL, False, Severity.advice),
        (_REFUSAL, True, Severity.critical),
        (replace(_REFUSAL, rule="-j REJECT"), False, Severity.critical),
    ],
    ids=["a policy that nobody misses", "names fail", "a rule for all"],
)
def test_a_rule_that_refuses_the_query(rule: Step, misses_names: bool, severity: Severity) -> None:
    """The refusal is the rule's, and no sign of a translation."""
    failed = FailedNames({WEB.id: (FailedName("example.test", ""),)} if misses_names else {})
    (finding,) = judge_dns(
        "dns.upstream-unreachable",
        (WEB, nameserver()),
        replies={(LAN, True): "NOERROR", (LAN, False): "refused"},
        dns_path=DnsPath({("bridge", LAN): rule}),
        failed_names=failed,
    ).findings
    assert "the host's packet filter stops the query" in finding.summary
    assert "elsewhere" not in finding.summary
    assert finding.severity is severity


def test_a_route_that_rejects_the_query_is_named() -> None:
    by = Step("routing", "", "rule 100: from 172.17.0.0/16 blackhole")
    (finding,) = judge_dns(
        "dns.upstream-unreachable",
        (WEB, nameserver()),
        replies={(LAN, True): "NOERROR"},
        dns_path=DnsPath({}, rejected={("bridge", LAN): by}),
    ).findings
    assert "routing rule 100: from 172.17.0.0/16 blackhole of this host rejects" in finding.summary
    assert finding.variables["rule_priority"] == "100"


def test_a_server_on_the_host_is_not_behind_the_uplink() -> None:
    (finding,) = judge_dns(
        "dns.upstream-unreachable",
        (WEB, nameserver()),
        replies={(LAN, True): "NOERROR"},
        dns_path=DnsPath({}, own=frozenset({LAN})),
    ).findings
    assert 'lost between network "bridge" and that address of the host' in finding.summary


@pytest.mark.parametrize(("network", "apart"), [("shop", True), ("bridge", False)])
def test_a_server_in_a_container_of_another_network(network: str, apart: bool) -> None:
    """Only connecting the networks helps, whatever rule of the engine keeps them apart."""
    place = {"NetworkSettings": {"Networks": {network: {"IPAddress": LAN}}}}
    names = container("names", **place)
    containers, resolvers, answer, _ = dns_host(
        (WEB, nameserver()), (names, nameserver(OTHER)), replies={(LAN, True): "NOERROR"}
    )
    findings = judge(
        "dns.upstream-unreachable",
        containers=containers,
        resolvers=resolvers,
        lookups=answer,
        dns_path=DnsPath({("bridge", LAN): Step("ip raw", "PREROUTING", "-j DROP")}),
        networks=NETWORKS,
    ).findings
    (finding,) = (finding for finding in findings if finding.variables["container"] == "web")
    words = 'container "names" has that address on network "shop"'
    assert (words in finding.summary) is apart
    cure = {"apart_network": "shop", "apart_members": "web"}
    assert (cure.items() <= finding.variables.items()) is apart


@pytest.mark.parametrize(
    ("driver", "own", "is_kept"),
    [
        ("macvlan", {LAN}, True),
        ("ipvlan", {LAN}, True),
        ("macvlan", (), False),
        ("bridge", {LAN}, False),
    ],
)
def test_macvlan_and_ipvlan_keep_their_containers_from_the_host(
    driver: str, own: Collection[str], is_kept: bool
) -> None:
    """No rule and no VPN client is to blame; advice, as long as no log misses a name."""
    containers, resolvers, answer, _ = dns_host(
        (WEB, nameserver()), replies={(LAN, True): "NOERROR"}
    )
    (finding,) = judge(
        "dns.upstream-unreachable",
        containers=containers,
        resolvers=resolvers,
        lookups=answer,
        dns_path=DnsPath({}, own=frozenset(own)),
        networks=Networks(tuple(replace(network, driver=driver) for network in NETWORKS.items)),
    ).findings
    assert ("the server is this host" in finding.summary) is is_kept
    assert "kill switch" not in finding.summary
    assert (finding.severity is Severity.advice) is is_kept


def test_a_network_that_the_engine_does_not_have_is_no_place() -> None:
    (finding,) = judge_dns(
        "dns.upstream-unreachable",
        (WEB, nameserver()),
        replies={(LAN, True): "NOERROR"},
        dns_path=DnsPath({}),
        networks=Networks(()),
    ).findings
    assert 'the engine has no network "bridge"' in finding.summary


def test_a_filter_inside_the_container_is_not_the_host_s() -> None:
    (finding,) = judge_dns(
        "dns.upstream-unreachable",
        (WEB, nameserver()),
        replies={(LAN, True): "NOERROR", (LAN, False): "prohibited"},
    ).findings
    assert "the query does not leave the container" in finding.summary


def test_internal_networks_have_no_way_out_by_design() -> None:
    result = judge_dns("dns.upstream-unreachable", (container("safe", "vault"), V26), replies={})
    assert result.verdict is Verdict.SKIPPED


LATER: dict[str, tuple[tuple[str, ...], bool, bool, list[tuple[str, str]], str]] = {
    "silent": (("192.0.2.9",), False, True, [("warning", "docker")], '{"dns": ["192.0.2.53"]}'),
    "it answers": (("192.0.2.9",), True, True, [], ""),
    "none is given": ((), False, True, [], ""),
    "of this host": (("127.0.0.1",), False, True, [], ""),
    "nobody answers": (("192.0.2.9",), False, False, [("warning", "docker")], ""),
}


@pytest.mark.parametrize(
    ("given", "answers", "host_answers", "expected", "cure"), LATER.values(), ids=LATER
)
def test_servers_of_containers_to_come(
    given: tuple[str, ...],
    answers: bool,
    host_answers: bool,
    expected: list[tuple[str, str]],
    cure: str,
) -> None:
    silent, heard = DnsReply(sent=2), DnsReply(answered=True, rcode="NOERROR", ms=1.0, sent=1)
    replies = dict.fromkeys(given, heard if answers else silent)
    replies["192.0.2.53"] = heard if host_answers else silent
    results = judge(
        "dns.upstream-unreachable",
        containers=Containers(()),
        resolvers=Resolvers(ResolvConf(("192.0.2.53",)), MISSING, given, {}),
        lookups=Lookups(host=replies),
    )
    assert rows(results) == expected
    assert [finding.variables.get("dns_json", "") for finding in results.findings] == [
        cure for _ in expected
    ]
