"""Containers that are refused for their source: checks/network/calls/source_address_refused.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.questions.images import AddressPool, Ipam
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
GATEWAY = "10.0.0.1"
POOL = AddressPool(subnet="10.0.0.0/24", gateway=GATEWAY)
MAIL = Network(name="mail", id="1", driver="bridge", ipam=Ipam(config=[POOL]))
HOST = Interfaces(
    (),
    (
        Address(1, "127.0.0.1", 8),
        Address(2, "192.0.2.10", 24),
        Address(2, "192.0.2.20", 24),
        Address(3, GATEWAY, 24),
    ),
)


def server(host_ip: str = "192.0.2.20", **parts: Any) -> Container:
    ports = {"25/tcp": [{"HostIp": host_ip, "HostPort": "25"}]}
    own = {"IPAddress": "10.0.0.2", "Gateway": GATEWAY}
    settings = {"Ports": ports, "Networks": {"mail": own}}
    return container("mail", NetworkSettings=settings, **parts)


BOUNCED = (
    "mail postfix/smtp[1638]: 6EF5BA5: to=<b@lab.test>, dsn=5.7.25, status=bounced (host "
    "mx.lab.test[192.0.2.80] said: 550 5.7.25 [{}] The IP address sending this message does not "
    "have a PTR record setup)"
)
MYSQL = "ERROR 1130 (HY000): Host '{}' is not allowed to connect to this MySQL server"
LISTED = 'HTTP 403: {{"message": "IP {} is not whitelisted for this key"}}'
REJECTS = (
    "postfix/smtpd[99]: NOQUEUE: reject: RCPT from unknown[{}]: 550 5.7.1 Client host rejected"
)
FORBIDS = (
    '[error] 7#7: *1 access forbidden by rule, client: {}, server: , request: "GET / HTTP/1.1"'
)
LISTED_AS_SPAM = (
    "mail postfix/smtp[1638]: 6EF5BA5: to=<b@lab.test>, dsn=5.7.1, status=bounced (host "
    "mx.lab.test[192.0.2.80] said: 554 5.7.1 Service unavailable; Client host [{}] blocked using "
    "list.lab.test (in reply to RCPT TO command))"
)
WRONG_PASSWORD = "[Note] Access denied for user 'app'@'{}' (using password: YES)"
RESOLVES = (
    "INFO queryLog: query resolved client_ip={} response_reason=BLOCKED response_code=NOERROR"
)
BANS = "WARNING Banned IP {} for too many login attempts"
SPARES = 'level=info msg="Event from {} is whitelisted by own-addresses"'
DATABASE = (
    'connection to server at "{}", port 5432 failed: FATAL: permission denied for database "shop"'
)
FILTERED = 'error 403: forbidden remote_addr={} path="/admin"'
CLOUD_DATABASE = (
    "Cannot open server 'shop' requested by the login. Client with IP address '{}' is not allowed to "
    "access the server."
)
OTHER = ("subnet", "10.0.0.0/24")
ALLOWED = ("refused", "192.0.2.10")
ROWS: dict[str, tuple[Container, str, str, list[tuple[str, str]], tuple[str, str] | None]] = {
    "published at another address": (server(), BOUNCED, "192.0.2.10", [("warning", "mail")], OTHER),
    "a list of a database": (server(), MYSQL, "192.0.2.10", [("warning", "mail")], OTHER),
    "its own words": (
        server(),
        'error 403: "Invalid API-key, IP {}, or permissions"',
        "192.0.2.10",
        [("warning", "mail")],
        OTHER,
    ),
    "its own words, published at all": (
        server(""),
        'error 403: "Invalid API-key, IP {}, or permissions"',
        "192.0.2.10",
        [],
        None,
    ),
    "a call that nobody answers": (server(), "error: connect ETIMEDOUT {}", "192.0.2.10", [], None),
    "a URL of this host": (server(), "error: GET http://{}/ gives 403", "192.0.2.10", [], None),
    "published at all": (server("0.0.0.0"), LISTED, "192.0.2.10", [("advice", "mail")], ALLOWED),
    "published there": (server("192.0.2.10"), LISTED, "192.0.2.10", [("advice", "mail")], ALLOWED),
    "another machine's address": (server(), LISTED, "192.0.2.99", [], None),
    "an address that begins like it": (server(), LISTED, "192.0.2.100", [], None),
    "the gateway": (server(), LISTED, GATEWAY, [], None),
    "it refuses a client": (server(), REJECTS, "192.0.2.10", [], None),
    "a web server forbids": (server(), FORBIDS, "192.0.2.10", [], None),
    "a client of a DNS server": (server(""), RESOLVES, "192.0.2.10", [], None),
    "it bans a client": (server(""), BANS, "192.0.2.10", [], None),
    "it spares a client": (server(""), SPARES, "192.0.2.10", [], None),
    "a remote address": (server(), FILTERED, "192.0.2.10", [], None),
    "a wrong password": (server(""), WRONG_PASSWORD, "192.0.2.10", [], None),
    "a database of this host": (server(), DATABASE, "192.0.2.10", [], None),
    "a list of senders of spam": (
        server(),
        LISTED_AS_SPAM,
        "192.0.2.10",
        [("warning", "mail")],
        OTHER,
    ),
    "a database of a provider": (
        server(),
        CLOUD_DATABASE,
        "192.0.2.10",
        [("warning", "mail")],
        OTHER,
    ),
    "it is served": (server(), "connected to mx as {}", "192.0.2.10", [], None),
}


@pytest.mark.parametrize(("mail", "text", "address", "expected", "cure"), ROWS.values(), ids=ROWS)
def test_refused_for_its_source(
    mail: Container,
    text: str,
    address: str,
    expected: list[tuple[str, str]],
    cure: tuple[str, str] | None,
) -> None:
    lines = tuple(RecentLine(NOW - 5, text.format(address)) for _ in range(4))
    found = judge(
        "network.source-address-refused",
        containers=of(mail),
        recent_logs=RecentLogs({mail.id: lines}),
        networks=Networks((MAIL,)),
        interfaces=HOST,
        clock=Clock(NOW, 0.0),
    )
    assert rows(found) == expected
    for finding in found.findings:
        assert cure is not None
        assert finding.variables[cure[0]] == cure[1]
