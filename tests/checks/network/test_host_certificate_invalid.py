"""network.host-certificate-invalid, on configurations and certificates of nginx of a host."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.host_certificates import host_certificates
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.files import ReadFile
from tests.checks.container.running.sites.test_certificate_unread import pem
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0  # 2027-01-15
CLOCK = Clock(NOW, NOW - 9000)
LOADED = NOW - 5000
PORTS = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}]}
SHOP = container("shop", NetworkSettings={"Ports": PORTS})
LIVE = "/etc/letsencrypt/live/shop.test/fullchain.pem"
SITE = (
    "http {{ server {{ listen 443 ssl; server_name shop.test; ssl_certificate {}; "
    "location / {{ proxy_pass http://127.0.0.1:{}; }} }} }}"
)
VALID = pem("270401000000", "270101000000")
RENEWED = pem("270415000000", "270115070000")
EXPIRED = pem("270101000000", "261001000000")


def judged(text: str, *, port: int = 8081, old: str = EXPIRED, changed: float = 0.0) -> Any:
    def read(question: Question) -> Json | Failed:
        assert isinstance(question, ReadFile)
        if question.path.endswith("nginx.conf"):
            return {"text": SITE.format(LIVE, port)}
        if question.path == LIVE:
            return {"text": text} if text else Failed("forbidden", "root's")
        assert question.path.endswith("archive/shop.test/fullchain1.pem")
        return {"text": old}

    status = {
        LIVE: {"type": "file", "mtime": changed, "link": "../../archive/shop.test/fullchain2.pem"}
    }
    made = Made({"file.read": read, "file.stats": status})
    nginx = Process(pid=5, comm="nginx", start=LOADED - CLOCK.booted)
    certificates = host_certificates(made, of(SHOP), Processes((nginx,)), CLOCK)
    return judge("network.host-certificate-invalid", host_certificates=certificates, clock=CLOCK)


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "valid": ({"text": VALID}, []),
    "expired": ({"text": EXPIRED}, [("warning", "shop")]),
    "expired, before no container": ({"text": EXPIRED, "port": 9999}, []),
    "renewed and not read, the old one has expired": (
        {"text": RENEWED, "changed": NOW - 100},
        [("critical", "shop")],
    ),
    "renewed and not read, the old one is valid": (
        {"text": RENEWED, "changed": NOW - 100, "old": VALID},
        [("advice", "shop")],
    ),
    "copied again, and no other than before": (
        {"text": VALID, "changed": NOW - 100, "old": ""},
        [],
    ),
}


@pytest.mark.parametrize(("made", "expected"), CASES.values(), ids=CASES)
def test_certificates_of_the_host(made: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert rows(judged(**made)) == expected


def test_a_certificate_that_may_not_be_read_is_not_called_valid() -> None:
    assert judged("").verdict.value == "unknown"


def test_no_nginx_no_question() -> None:
    made = Made({})
    certificates = host_certificates(made, of(SHOP), Processes(()), CLOCK)
    result = judge("network.host-certificate-invalid", host_certificates=certificates, clock=CLOCK)
    assert result.verdict.value == "skipped"
    assert not made.asked
