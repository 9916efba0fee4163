"""Servers that the host has replaced since a container was started.

checks/dns/stale_resolv_conf.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.dns.resolvers import ResolvConf
from diagnose.model import Finding
from diagnose.programs.telling_line import TellingLine
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


LEGACY = (
    f"# Based on host file: '/etc/resolv.conf' (legacy)\n# Used default nameservers.\n{FALLBACK}"
)
"""The file of engine 28.5 where the host had no DNS server at the start."""


def with_repeated_line(line: str, resolv_conf: str = LEGACY) -> list[Finding]:
    error = RepeatedError(WEB, TellingLine(line), times=9, of=9)
    result = judge_dns(
        "dns.stale-resolv-conf",
        (WEB, resolv_conf),
        host=ResolvConf((LAN,), mtime=STARTED + 9),
        replies={
            (LAN, True): "NOERROR",
            **{(server, False): "NOERROR" for server in ("8.8.8.8", "8.8.4.4", OTHER)},
        },
        repeated_errors=RepeatedErrors((error,)),
    )
    return [finding for finding in result.findings if isinstance(finding, Finding)]


def test_a_name_that_keeps_failing_makes_an_old_server_a_cause() -> None:
    line = "php_network_getaddresses: getaddrinfo failed: Name or service not known"
    (finding,) = with_repeated_line(line)
    assert (finding.severity, finding.signs) == (WARNING, frozenset({"dns"}))
    assert "its log repeats that a name does not resolve" in finding.summary
    assert finding.evidence["log"] == line


def test_another_error_does_not() -> None:
    (finding,) = with_repeated_line('ERROR: relation "orders" does not exist')
    assert (finding.severity, finding.signs) == (ADVICE, None)


def test_the_engine_s_own_servers_are_not_called_the_host_s() -> None:
    (finding,) = with_repeated_line("")
    assert "8.8.8.8, which the engine gave it since the host had no DNS server" in finding.summary
    (finding,) = with_repeated_line("", nameserver(OTHER))
    assert f"{OTHER}, which the host has replaced by {LAN}" in finding.summary
