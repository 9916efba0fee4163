"""Servers that the host has replaced since a container was started.

checks/dns/stale_resolv_conf.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.dns.resolvers import ResolvConf
from diagnose.model import Finding
from tests.checks.dns.evidence import (
    ADVICE,
    FALLBACK,
    LAN,
    OTHER,
    OWN,
    SIX,
    STARTED,
    V20,
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
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("listed", "edited", "replies", "expected"),
    [
        pytest.param(
            (WEB, nameserver(OTHER)),
            STARTED + 9,
            {},
            [("container:web", WARNING)],
            id="the old one is gone",
        ),
        pytest.param(
            (WEB, nameserver(OTHER)),
            STARTED + 9,
            {(OTHER, False): "NOERROR"},
            [("container:web", ADVICE)],
            id="the old one answers",
        ),
        pytest.param(
            (WEB, nameserver(OTHER)),
            STARTED - 9,
            {},
            [],
            id="edited before its start: its own doing",
        ),
        pytest.param((WEB, nameserver()), STARTED + 9, {}, [], id="the same"),
        pytest.param(
            (WEB, nameserver() + nameserver(OTHER)),
            STARTED + 9,
            {(OTHER, False): "NOERROR"},
            [],
            id="a new one is dead",
        ),
        pytest.param((OWN, nameserver(OTHER)), STARTED + 9, {}, [], id="servers of its own"),
        pytest.param((container("web", "shop"), V26), STARTED + 9, {}, [], id="embedded"),
    ],
)
def test_stale_resolv_conf(listed: Any, edited: float, replies: Any, expected: list[Any]) -> None:
    host = ResolvConf((LAN,), mtime=edited)
    assert (
        subjects_and_severities(
            judge_dns(
                "dns.stale-resolv-conf",
                listed,
                host=host,
                replies=replies | {(LAN, True): "NOERROR"},
            ).findings
        )
        == expected
    )


def test_old_servers_that_answer_explain_nothing_and_dead_ones_their_own_container_only() -> None:
    for replies, signs in (({(OTHER, False): "NOERROR"}, None), ({}, frozenset({"dns"}))):
        containers, resolvers, answer, _ = dns_host(
            (WEB, nameserver(OTHER)), host=ResolvConf((LAN,), mtime=STARTED + 9), replies=replies
        )
        (finding,) = judge(
            "dns.stale-resolv-conf", resolvers=resolvers, lookups=answer, containers=containers
        ).findings
        assert isinstance(finding, Finding)
        assert (finding.touches, finding.signs) == ((), signs)


SIXTH = {"bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": "2001:db8:1::2"}}


@pytest.mark.parametrize(
    ("listed", "replies", "expected"),
    [
        pytest.param(
            (WEB, nameserver(OTHER)),
            {(OTHER, False): "NOERROR"},
            [],
            id="a restart would leave it without",
        ),
        pytest.param(
            (WEB, nameserver(OTHER)), {}, [("container:web", WARNING)], id="the old one is gone"
        ),
        pytest.param((WEB, FALLBACK), {}, [], id="a restart would bring the same"),
        pytest.param(
            (container("web", NetworkSettings={"Networks": SIXTH}), nameserver(OTHER)),
            {(OTHER, False): "NOERROR"},
            [("container:web", ADVICE)],
            id="its network has IPv6",
        ),
    ],
)
def test_old_servers_where_the_new_ones_are_ipv6(
    listed: Any, replies: Any, expected: list[Any]
) -> None:
    host = ResolvConf((SIX,), mtime=STARTED + 9)
    assert (
        subjects_and_severities(
            judge_dns("dns.stale-resolv-conf", listed, host=host, replies=replies).findings
        )
        == expected
    )


SHOP = container("web", "shop")


@pytest.mark.parametrize(
    ("text", "replies", "expected"),
    [
        pytest.param(
            V26.replace(LAN, OTHER), {}, [("warning", "web")], id="26.1: its server is gone"
        ),
        pytest.param(
            V28.replace("127.0.0.53", OTHER).replace(f" {OTHER}]", "]"),
            {},
            [("warning", "web")],
            id="28.5: asked by the host",
        ),
        pytest.param(V26, {(LAN, False): "NOERROR"}, [], id="26.1: the host's own"),
        pytest.param(V20, {}, [("warning", "web")], id="20.10: nothing is passed on"),
        pytest.param(V20, {("127.0.0.11", False): "REFUSED"}, [], id="20.10: passed on"),
    ],
)
def test_old_servers_of_the_engine_s_resolver(
    text: str, replies: Any, expected: list[tuple[str, str]]
) -> None:
    host = ResolvConf((LAN,), mtime=STARTED + 9)
    heard = replies | {(LAN, True): "NOERROR"}
    result = judge_dns("dns.stale-resolv-conf", (SHOP, text), host=host, replies=heard)
    assert rows(result) == expected
