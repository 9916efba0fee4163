"""The checks in checks/image/registries.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls import Pulls, PullTrouble, Why
from tests.checks.image.evidence import CLOCK, NOW, failed_pull
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("count", "age", "severity"),
    [
        pytest.param(1, 60.0, "warning", id="a moment ago"),
        pytest.param(1, 7200.0, "advice", id="once, long ago"),
        pytest.param(3, 7200.0, "warning", id="again and again"),
    ],
)
def test_unreachable(count: int, age: float, severity: str) -> None:
    result = judge(
        "image.registry-unreachable", pulls=failed_pull("unreachable", count, age), clock=CLOCK
    )
    assert rows(result) == [(severity, "docker")]
    assert result.findings[0].summary.endswith("it broke")


@pytest.mark.parametrize(
    ("why", "text", "blocks"),
    [
        pytest.param(
            "tls",
            "x509: certificate signed by unknown authority",
            {"untrusted"},
            id="unknown authority",
        ),
        pytest.param(
            "tls", "x509: certificate has expired or is not yet valid", set(), id="expired"
        ),
        pytest.param(
            "plain-http",
            "server gave HTTP response to HTTPS client",
            {"insecure_json"},
            id="no TLS at all",
        ),
    ],
)
def test_a_certificate_is_offered_only_against_an_unknown_authority(
    why: Why, text: str, blocks: set[str]
) -> None:
    failed = Pulls((PullTrouble(why, "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    config = DaemonConfig("/etc/docker/daemon.json")
    (finding,) = judge("image.registry-tls", pulls=failed, clock=CLOCK, config=config).findings
    assert finding.variables.keys() & {"untrusted", "insecure_json"} == blocks


@pytest.mark.parametrize(
    ("address", "is_malformed"),
    [
        ("http://corp\\bob:made-up@proxy:3128", True),
        ("http://bob:p@ss@proxy:3128", True),
        ("http://bob:made%up@proxy:3128", True),
        ("http://corp%5Cbob:made-up@proxy:3128", False),
        ("http://proxy:3128/", False),
        ("", False),
    ],
)
def test_an_address_of_a_proxy_that_cannot_be_read(address: str, is_malformed: bool):
    text = "proxyconnect tcp: dial tcp: lookup http: no such host"
    trouble = PullTrouble("proxy", "shop.lan", "", 3, NOW - 60, NOW - 60, text)
    result = judge(
        "image.registry-proxy",
        pulls=Pulls((trouble,), "journal docker.service"),
        clock=CLOCK,
        info=Info(https_proxy=address),
    )
    (finding,) = result.findings
    assert ("percent form" in finding.summary) == is_malformed
