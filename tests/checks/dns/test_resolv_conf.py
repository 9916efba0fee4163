"""The checks in checks/dns/resolv_conf.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.routes import Route, Routes
from diagnose.model import Finding, Subject, Verdict
from tests.checks.dns.evidence import (
    ADVICE,
    CRITICAL,
    FALLBACK,
    LAN,
    MISSING,
    NONE,
    OTHER,
    OWN,
    PUBLIC,
    SIX,
    UNKNOWN,
    V20,
    V28,
    WARNING,
    WEB,
    container,
    dns_host,
    judge_dns,
    nameserver,
    subjects_and_severities,
)
from tests.judging import judge

STUB = ResolvConf(("127.0.0.53",))


@pytest.mark.parametrize(
    ("host", "more", "listed", "replies", "expected"),
    [
        pytest.param(
            STUB, {}, [(WEB, FALLBACK)], {}, [("host:host", CRITICAL)], id="the fallback is silent"
        ),
        pytest.param(
            STUB,
            {},
            [(WEB, FALLBACK)],
            {("8.8.8.8", False): "NOERROR"},
            [("host:host", ADVICE)],
            id="the fallback answers",
        ),
        pytest.param(
            STUB,
            {"resolved": ResolvConf((LAN,))},
            [(WEB, nameserver())],
            {},
            [],
            id="resolved's file is there",
        ),
        pytest.param(
            STUB, {"configured": (LAN,)}, [(WEB, nameserver())], {}, [], id="dns is configured"
        ),
        pytest.param(
            STUB, {}, [(container("web", "shop"), V28)], {}, [], id="the engine asks the stub"
        ),
        pytest.param(STUB, {}, [(OWN, nameserver(OTHER))], {}, [], id="servers of its own"),
        pytest.param(STUB, {}, [], {}, [("host:host", ADVICE)], id="nobody runs yet"),
        pytest.param(
            ResolvConf(("127.0.0.1", LAN)),
            {},
            [(WEB, nameserver())],
            {},
            [],
            id="not only loopback",
        ),
    ],
)
def test_loopback_stub(
    host: ResolvConf, more: Any, listed: Any, replies: Any, expected: list[Any]
) -> None:
    assert (
        subjects_and_severities(
            judge_dns("dns.loopback-stub", *listed, host=host, replies=replies, **more).findings
        )
        == expected
    )


ROUTER = Routes((Route(dst="0.0.0.0", gateway="192.0.2.1", oif=2),))
ASKED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "the router": ({"routes": ROUTER}, {"router", "router_json"}),
    "nobody is known": ({}, set()),
}


@pytest.mark.parametrize(("known", "expected"), ASKED.values(), ids=ASKED)
def test_whom_containers_can_ask_beside_a_stub(known: dict[str, Any], expected: set[str]) -> None:
    stub = ResolvConf(("127.0.0.1",))
    (finding,) = judge_dns(
        "dns.loopback-stub", (WEB, FALLBACK), host=stub, replies={}, **known
    ).findings
    assert finding.variables.keys() - {"server"} == expected


@pytest.mark.parametrize(
    ("host", "listed", "replies", "expected"),
    [
        pytest.param(
            MISSING,
            [(container("web", "shop"), NONE)],
            {},
            [("host:host", CRITICAL)],
            id="nothing is left",
        ),
        pytest.param(
            MISSING, [(WEB, FALLBACK)], {}, [("host:host", CRITICAL)], id="the fallback is silent"
        ),
        pytest.param(
            ResolvConf(),
            [(WEB, FALLBACK)],
            {("8.8.8.8", False): "NOERROR"},
            [("host:host", WARNING)],
            id="the fallback answers",
        ),
        pytest.param(ResolvConf((LAN,)), [(WEB, nameserver())], {}, [], id="there is one"),
    ],
)
def test_no_nameserver(host: Any, listed: Any, replies: Any, expected: list[Any]) -> None:
    assert (
        subjects_and_severities(
            judge_dns(
                "dns.no-nameserver",
                *listed,
                host=host,
                replies=replies | {(LAN, True): "NOERROR", (PUBLIC, True): "NOERROR"},
            ).findings
        )
        == expected
    )


PUBLIC_SIX = "2001:4860:4860::8888"


ONLY_SIX = ResolvConf((SIX,), mtime=0.0)


@pytest.mark.parametrize(
    ("host", "more", "listed", "replies", "expected"),
    [
        pytest.param(ONLY_SIX, {}, [(WEB, FALLBACK)], {}, [("host:host", CRITICAL)], id="the fallback is silent"),
        pytest.param(
            ONLY_SIX, {}, [(WEB, FALLBACK)], {(PUBLIC, False): "NOERROR"}, [("host:host", ADVICE)], id="it answers"
        ),
        pytest.param(ONLY_SIX, {}, [(container("web", "shop"), V20)], {}, [("host:host", CRITICAL)], id="20.10, embedded"),
        pytest.param(
            STUB, {"resolved": ONLY_SIX}, [(WEB, FALLBACK)], {}, [("host:host", CRITICAL)], id="behind a stub"
        ),
        pytest.param(
            ResolvConf(("127.0.0.1", SIX)), {}, [(WEB, FALLBACK)], {}, [("host:host", CRITICAL)], id="and loopback"
        ),
        pytest.param(ONLY_SIX, {}, [(WEB, nameserver(SIX))], {}, [], id="a network with IPv6"),
        pytest.param(ONLY_SIX, {}, [(WEB, nameserver())], {}, [], id="started before the change"),
        pytest.param(ONLY_SIX, {"configured": (LAN,)}, [(WEB, nameserver())], {}, [], id="dns is configured"),
        pytest.param(ONLY_SIX, {}, [(OWN, nameserver(PUBLIC))], {}, [], id="servers of its own"),
        pytest.param(ONLY_SIX, {}, [], {}, [], id="nobody runs"),
        pytest.param(ResolvConf((SIX, LAN)), {}, [(WEB, FALLBACK)], {}, [], id="not only IPv6"),
        pytest.param(
            ResolvConf((PUBLIC_SIX,)), {}, [(WEB, nameserver(PUBLIC_SIX))], {}, [], id="the host's own is a public one"
        ),
    ],
)  # fmt: skip
def test_a_host_with_ipv6_servers_only(
    host: Any, more: Any, listed: Any, replies: Any, expected: list[Any]
) -> None:
    told = judge_dns("dns.no-nameserver", *listed, host=host, replies=replies, **more).findings
    assert subjects_and_severities(told) == expected
    assert all(
        "networks without IPv6 get no IPv6 server" in outcome.summary
        for outcome in told
        if isinstance(outcome, Finding)
    )


@pytest.mark.parametrize(
    ("id", "host"), [("dns.loopback-stub", STUB), ("dns.no-nameserver", ONLY_SIX)]
)
def test_a_fallback_that_answers_has_no_part_in_what_others_of_its_network_lack(
    id: str, host: ResolvConf
) -> None:
    bridge, web = Subject("network", "bridge"), WEB.subject
    for replies, touches in (({(PUBLIC, False): "NOERROR"}, {web}), ({}, {web, bridge})):
        containers, resolvers, answer, _ = dns_host(
            (WEB, FALLBACK), (OWN, nameserver(OTHER)), host=host, replies=replies
        )
        (finding,) = judge(id, resolvers=resolvers, lookups=answer, containers=containers).findings
        assert set(finding.touches) == touches


def test_who_got_the_fallback_of_an_ipv6_host_is_unknown_without_containers() -> None:
    resolvers = Resolvers(ONLY_SIX, MISSING, configured=(), inside={})
    assert judge("dns.no-nameserver", resolvers=resolvers).verdict is Verdict.UNKNOWN


OF_HOST_FILE = (
    "dns.loopback-stub",
    "dns.stale-resolv-conf",
    "dns.host-broken",
    "dns.udp-blocked",
    "dns.no-nameserver",
)


@pytest.mark.parametrize("id", OF_HOST_FILE)
def test_a_resolv_conf_that_cannot_be_read_is_not_a_missing_one(id: str) -> None:
    nothing_asked = Lookups()
    known = {
        "resolvers": Resolvers(UNKNOWN, MISSING, configured=(), inside={}),
        "containers": Containers(()),
        "lookups": nothing_asked,
    }
    assert judge(id, **known).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("id", "verdict"),
    [
        ("dns.loopback-stub", Verdict.SKIPPED),
        ("dns.host-broken", Verdict.SKIPPED),
        ("dns.stale-resolv-conf", Verdict.PASSED),
        ("dns.udp-blocked", Verdict.PASSED),
        ("dns.no-nameserver", Verdict.FOUND),
    ],
)
def test_a_missing_resolv_conf_names_no_server(id: str, verdict: Verdict) -> None:
    nothing_asked = Lookups()
    known = {
        "resolvers": Resolvers(MISSING, MISSING, configured=(), inside={}),
        "containers": Containers(()),
        "lookups": nothing_asked,
    }
    assert judge(id, **known).verdict is verdict


@pytest.mark.parametrize(
    ("version", "needs_flags"),
    [("28.5.2", False), ("20.10.24", True)],
    ids=["writes IPv6 rules", "has to be configured"],
)
def test_ipv6_for_the_default_network_is_the_remedy_of_ipv6_servers(
    version: str, needs_flags: bool
) -> None:
    containers, resolvers, answer, _ = dns_host((WEB, FALLBACK), host=ONLY_SIX, replies={})
    known = {"resolvers": resolvers, "lookups": answer, "containers": containers}
    (finding,) = judge("dns.no-nameserver", **known, ping=Ping("1.41", version, "")).findings
    assert ('"ip6tables": true' in finding.variables["ipv6_json"]) is needs_flags
    assert "stub_unit" not in finding.variables
