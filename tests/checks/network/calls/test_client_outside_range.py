"""Lists that leave a refused client out: checks/network/calls/client_outside_range.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.peers.refused_callers import RefusedCaller, RefusedCallers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.narrow_ranges import narrow_ranges
from diagnose.evidence.network.networks import Network, Networks
from diagnose.live.disk.parts.chosen import only
from diagnose.questions.images import AddressPool, Ipam
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
POOL = AddressPool(subnet="172.18.0.0/16", gateway="172.18.0.1")
SHOP = Network(name="shop", id="1", driver="bridge", ipam=Ipam(config=[POOL]))
APP = "172.18.0.3"
RELAY = (
    f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{APP}]: 454 4.7.1 Relay access denied"
)
FORBIDDEN = f"[error] 7#7: *1 access forbidden by rule, client: {APP}, server: "
LIMITED = f"[error] 7#7: *1 limiting requests, excess: 0.9 by zone, client: {APP}, server: "
UNTRUSTED = f"Received X-Forwarded-For header from an untrusted proxy {APP}"
GATEWAY = "Received X-Forwarded-For header from an untrusted proxy 172.18.0.1"
PASSWORD = f"login denied by rule, wrong password, client: {APP}"
FAILED_CALL = (
    f"connect() failed (111: Connection refused) to upstream, client: {APP}, access denied"
)
NO_RULE = (
    f'FATAL:  no pg_hba.conf entry for host "{APP}", user "shop", database "shop", no encryption'
)


def member(name: str, address: str, *env: str, **parts: Any) -> Container:
    own = {"IPAddress": address, "Gateway": "172.18.0.1"}
    networks = {"Networks": {"shop": own}}
    return container(name, NetworkSettings=networks, Config={"Env": list(env), **parts})


def found(server: Container, line: str, text: str = "", *, refused: bool = False) -> Any:
    """The findings about a server whose log has this line; text: of its pg_hba.conf."""
    app = member("app", APP)
    containers = of(server, app)
    lines = [RecentLine(NOW - 9 + number, line) for number in range(3)] if line else []
    logs = RecentLogs({server.id: tuple(lines)})
    callers = RefusedCallers()
    if refused:
        caller = RefusedCaller(
            app, server, status=403, host="db", path="/", line="403 Forbidden", times=3, of=3
        )
        callers = RefusedCallers((caller,))
    host = Made({"file.read": {"text": only("address lists", text)}})
    clock = Clock(NOW, NOW - 90_000)
    ranges = narrow_ranges(host, containers, Networks((SHOP,)), logs, callers, clock)
    return rows(judge("network.client-outside-range", narrow_ranges=ranges))


FOUND = [("warning", "db")]
NARROW = {
    "range of another network": ("ALLOW_IP_RANGE=10.0.0.0/8", RELAY, FOUND),
    "range with this network": ("ALLOW_IP_RANGE=10.0.0.0/8, 172.16.0.0/12", RELAY, []),
    "from one address to another": ("ALLOWED_IPS=172.18.0.10-172.18.0.20", RELAY, FOUND),
    "to the last number": ("ALLOWED_IPS=172.18.0.2-20", RELAY, []),
    "with an asterisk": ("IP_WHITELIST=192.168.*", RELAY, FOUND),
    "with the right asterisk": ("IP_WHITELIST=172.18.*.*", RELAY, []),
    "everybody": ("MYNETWORKS=*", RELAY, []),
    "private networks": ("MYNETWORKS=private", RELAY, []),
    "the name of the client": ("MYNETWORKS=127.0.0.1 app", RELAY, []),
    "a name that nobody has": ("MYNETWORKS=127.0.0.1 elsewhere", RELAY, []),
    "a word for Docker's networks": ("PERMIT_DOCKER=connected-networks", RELAY, []),
    "none of Docker's networks": ("PERMIT_DOCKER=none", RELAY, FOUND),
    "Docker's usual networks": ("PERMIT_DOCKER=network", RELAY, []),
    "own names of a program": ("ALLOWED_HOSTS=127.0.0.1", FORBIDDEN, []),
    "how many proxies": ("TRUSTED_PROXIES=1", UNTRUSTED, []),
    "proxies of another network": ("TRUSTED_PROXIES=10.0.0.0/8", UNTRUSTED, FOUND),
    "proxies of this network": ("TRUSTED_PROXIES=172.18.0.0/24", UNTRUSTED, []),
    "proxy of the host": ("TRUSTED_PROXIES=10.0.0.0/8", GATEWAY, FOUND),
    "clients of the gateway": ("ALLOWED_IPS=10.0.0.0/8", GATEWAY.replace("untrusted", "disallowed"), []),
    "proxies, and a refusal of another kind": ("TRUSTED_PROXIES=10.0.0.0/8", FORBIDDEN, []),
    "clients, and a limit": ("ALLOWED_IPS=10.0.0.0/8", LIMITED, []),
    "a wrong password": ("ALLOWED_IPS=10.0.0.0/8", PASSWORD, []),
    "a call of its own": ("ALLOWED_IPS=10.0.0.0/8", FAILED_CALL, []),
    "refuses nobody": ("ALLOWED_IPS=10.0.0.0/8", "", []),
}  # fmt: skip
"""The variable of the server, the line in its log, and what is found."""


@pytest.mark.parametrize(("variable", "line", "expected"), NARROW.values(), ids=NARROW)
def test_lists_in_variables(variable: str, line: str, expected: list[tuple[str, str]]) -> None:
    assert found(member("db", "172.18.0.2", variable), line) == expected


def test_option_of_a_command() -> None:
    server = member("db", "172.18.0.2", Cmd=["serve", "--allow-ips", "10.0.0.0/8"])
    assert found(server, FORBIDDEN) == FOUND


def test_caller_that_gets_403() -> None:
    assert found(member("db", "172.18.0.2", "ALLOWED_IPS=10.0.0.0/8"), "", refused=True) == FOUND
    assert found(member("db", "172.18.0.2", "ALLOWED_IPS=172.18.0.0/16"), "", refused=True) == []


RULES = {
    "another network": ("host all all 127.0.0.1/32 trust\nhost all all 10.0.0.0/8 md5", FOUND),
    "a mask of its own": ("host all all 10.0.0.0 255.0.0.0 md5", FOUND),
    "this network": ("host all all 172.18.0.0/16 md5", []),
    "its own networks": ("host shop shop samenet md5", []),
    "rules for another user": ("host all backup 10.0.0.0/8 md5", []),
    "this network for another user": (
        "host all backup 172.18.0.0/16 md5\nhost shop shop 10.0.0.0/8 md5", FOUND,
    ),
}  # fmt: skip
"""A pg_hba.conf, and what is found."""


@pytest.mark.parametrize(("text", "expected"), RULES.values(), ids=RULES)
def test_rules_of_postgres(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(member("db", "172.18.0.2"), NO_RULE, text) == expected


FILES = {
    "nginx": ("server {\n  allow 10.0.0.0/8;\n  deny all;\n}", FORBIDDEN, FOUND),
    "nginx, a rule that forbids": ("deny 172.18.0.3; allow all;", FORBIDDEN, []),
    "nginx behind a proxy": ("set_real_ip_from 10.0.0.0/8; allow 192.0.2.0/24;", LIMITED, FOUND),
    "nginx that knows its proxy": ("set_real_ip_from 172.18.0.0/16;", LIMITED, []),
    "YAML": ("trusted_proxies:\n  - 10.0.0.0/8 # old\n  - ::1\nother: 1", UNTRUSTED, FOUND),
    "PHP": ("'trusted_proxies' => array(\n 0 => '10.0.0.1',\n),", UNTRUSTED, FOUND),
    "Postfix": ("mynetworks = 127.0.0.0/8 [::1]/128\n  172.18.0.0/16", RELAY, []),
    "in a comment": ("# allow 10.0.0.0/8;", FORBIDDEN, []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "expected"), FILES.values(), ids=FILES)
def test_lists_in_files(text: str, line: str, expected: list[tuple[str, str]]) -> None:
    assert found(member("db", "172.18.0.2"), line, text) == expected
