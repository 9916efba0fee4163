"""What is said of rules and access lists of other programs, on evidence made here."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.inspect import NetworkEndpoint, NetworkSettings, State
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.network.calls.logged_failures import LoggedFailure
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.captured_paths import CapturedPath, CapturedPaths
from diagnose.evidence.network.paths.outgoing.inner_captures import InnerCapture, InnerCaptures
from diagnose.evidence.network.rules.announced_ports import announced_ports
from diagnose.evidence.network.rules.host_ports import (
    ClosedHostPort,
    ClosedHostPorts,
    ServedPort,
    _blocked_clients,
    _reason_to_reach,
)
from diagnose.evidence.network.sockets.listeners import Listener
from diagnose.firewall.verdict import Step
from diagnose.model import Unavailable, Unexamined
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
CART = Container("1" * 64, "/cart")
BY = Step("ip nat", "CLASH", "-p tcp -j REDIRECT --to-ports 7892")
EVERYWHERE = Listener("tcp", "0.0.0.0", 7892)
LOOPBACK = Listener("tcp", "127.0.0.1", 7892)


def captured(
    taker: Listener | None, elsewhere: Listener | None = None, *, is_known: bool = True
) -> CapturedPath:
    return CapturedPath(SHOP, (CART,), "tcp", 443, 7892, BY, taker, elsewhere, is_known)


CAPTURED = {
    "nothing listens": (captured(None), [("critical", "host")], 0),
    "on the loopback alone": (captured(None, LOOPBACK), [("critical", "host")], 0),
    "a proxy": (captured(EVERYWHERE), [], 0),
    "sockets unknown": (captured(None, is_known=False), [], 1),
}


@pytest.mark.parametrize(("path", "expected", "unknown"), CAPTURED.values(), ids=CAPTURED)
def test_a_redirect_to_a_port_where_nobody_listens(
    path: CapturedPath, expected: list[tuple[str, str]], unknown: int
) -> None:
    paths = CapturedPaths((path,), walked=3)
    result = judge("firewall.redirected-to-nobody", captured_paths=paths)
    assert rows(result) == expected
    assert len(result.unexamined) == unknown


INNER = Step("ip nat", "OUTPUT", "-p tcp --dport 80 -j DNAT --to-destination 127.0.0.111:80")


def inner_capture(*failures: LoggedFailure) -> InnerCaptures:
    capture = InnerCapture(CART, (CART,), "tcp", 80, "127.0.0.111", 80, INNER, failures)
    return InnerCaptures((capture,), walked=3)


REFUSED_CALL = LoggedFailure(CART, "refused", "192.0.2.80", 80, "refused", 3, 3, 1.0)
INSIDE = {
    "calls fail": (inner_capture(REFUSED_CALL), [("critical", "cart")]),
    "nobody calls": (inner_capture(), [("advice", "cart")]),
    "all is taken": (InnerCaptures((), walked=3), []),
}


@pytest.mark.parametrize(("captures", "expected"), INSIDE.values(), ids=INSIDE)
def test_a_redirect_inside_a_container(
    captures: InnerCaptures, expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "firewall.redirected-to-nobody",
        captured_paths=CapturedPaths((), walked=3),
        inner_captures=captures,
    )
    assert rows(result) == expected
    assert all(finding.variables["inner_chain"] == "OUTPUT" for finding in result.findings)


def test_a_namespace_whose_rules_could_not_be_read_redirects_nothing_for_sure() -> None:
    result = judge(
        "firewall.redirected-to-nobody",
        captured_paths=CapturedPaths((), walked=3),
        inner_captures=InnerCaptures(unread=(Unexamined(CART.subject, "forbidden"),)),
    )
    assert len(result.unexamined) == 1


SERVER = "192.0.2.10"
REFUSED = DnsReply(True, "REFUSED", ms=1.0)
ANSWER = DnsReply(True, "NOERROR", ms=1.0)
SILENT = DnsReply(sent=2)
REFUSALS = {
    "the host is answered": (REFUSED, ANSWER, [("critical", "bridge")]),
    "the host is refused too": (REFUSED, REFUSED, []),
    "the host gets no answer": (REFUSED, SILENT, []),
    "both are answered": (ANSWER, ANSWER, []),
}


@pytest.mark.parametrize(("inside", "outside", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_a_dns_server_that_refuses_containers_alone(
    inside: DnsReply, outside: DnsReply, expected: list[tuple[str, str]]
) -> None:
    settings = NetworkSettings({"bridge": NetworkEndpoint(ip_address="172.17.0.2")})
    web = Container(
        "2" * 64,
        "/web",
        state=State("running", pid=7),
        network_settings=settings,
        resolv_conf_path="/var/lib/docker/containers/2/resolv.conf",
    )
    none = Unavailable("missing", "")
    conf = ResolvConf((SERVER,))
    way = QueryPath(("bridge",), SERVER, ((web, inside),), (web,))
    result = judge(
        "dns.server-refuses-containers",
        containers=Containers((web,)),
        resolvers=Resolvers(conf, none, (), {web.id: conf}),
        lookups=Lookups({SERVER: outside}, ways=(way,)),
    )
    assert rows(result) == expected


HASS = Container("4" * 64, "/hass")
POLICY = Step("ip filter", "INPUT", "policy drop")
CLOSED = {
    "nobody called": ((), [("advice", "hass")]),
    "clients were blocked": (("192.0.2.7",), [("warning", "hass")]),
}

SETTINGS: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, ""),
    "to be published": (
        {"HostConfig": {"PortBindings": {"8123/tcp": [{"HostIp": "", "HostPort": "8123"}]}}},
        "ports",
    ),
    "another port": (
        {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}}},
        "",
    ),
    "a label for Traefik": (
        {"Config": {"Labels": {"traefik.http.services.h.loadbalancer.server.port": "8123"}}},
        "proxy",
    ),
    "a variable for nginx-proxy": ({"Config": {"Env": ["VIRTUAL_PORT=8123"]}}, "proxy"),
    "the image": ({"Config": {"ExposedPorts": {"8123/tcp": {}}}}, "image"),
}


@pytest.mark.parametrize(("fields", "reason"), SETTINGS.values(), ids=SETTINGS)
def test_why_a_port_is_wanted(fields: dict[str, object], reason: str) -> None:
    assert _reason_to_reach(container("hass", **fields), 8123, "tcp") == reason


def test_ports_that_nothing_names_are_one_advice() -> None:
    ports = tuple(
        ClosedHostPort(ServedPort(HASS, Listener("tcp", "0.0.0.0", number), "tcp"), "eth0", POLICY)
        for number in (9100, 8123)
    )
    result = judge("firewall.host-port-closed", closed_host_ports=ClosedHostPorts(ports, 2))
    assert rows(result) == [("advice", "hass")]
    assert "ports 8123, 9100" in result.findings[0].summary


@pytest.mark.parametrize(("clients", "expected"), CLOSED.values(), ids=CLOSED)
def test_host_port(clients: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    listener = Listener("tcp", "0.0.0.0", 8123)
    port = ClosedHostPort(ServedPort(HASS, listener, "tcp", clients), "eth0", POLICY)
    result = judge("firewall.host-port-closed", closed_host_ports=ClosedHostPorts((port,), 1))
    assert rows(result) == expected


@pytest.mark.parametrize(("number", "is_quiet"), [(80, False), (443, False), (8123, True)])
def test_a_closed_port_of_the_web_is_said_aloud(number: int, is_quiet: bool) -> None:
    port = ClosedHostPort(
        ServedPort(HASS, Listener("tcp", "0.0.0.0", number), "tcp"), "eth0", POLICY
    )
    result = judge("firewall.host-port-closed", closed_host_ports=ClosedHostPorts((port,), 1))
    assert [finding.is_quiet for finding in result.findings] == [is_quiet]


def test_a_closed_port_that_the_program_announces_is_said_aloud() -> None:
    listener = Listener("tcp", "0.0.0.0", 8123)
    closed = ClosedHostPorts(
        (ClosedHostPort(ServedPort(HASS, listener, "tcp"), "eth0", POLICY),), 1
    )
    for text, is_quiet in (("web gui at http://0.0.0.0:8123", False), ("metrics on :8123", True)):
        announced = announced_ports(Made({"api.logs": {"text": text}}), closed)
        result = judge("firewall.host-port-closed", closed_host_ports=closed, announced=announced)
        assert [finding.is_quiet for finding in result.findings] == [is_quiet]


def test_a_program_whose_ports_are_all_closed_is_said_aloud() -> None:
    listener = Listener("tcp", "0.0.0.0", 8123)
    port = ClosedHostPort(ServedPort(HASS, listener, "tcp"), "eth0", POLICY)
    closed = ClosedHostPorts((port,), 1, frozenset({HASS.id}))
    result = judge("firewall.host-port-closed", closed_host_ports=closed)
    assert [finding.is_quiet for finding in result.findings] == [False]


def test_a_rule_that_drops_a_program_s_answers() -> None:
    by = Step("ip filter", "OUTPUT", "-p tcp -m tcp --sport 8123 -j DROP")
    port = ClosedHostPort(
        ServedPort(HASS, Listener("tcp", "0.0.0.0", 8123), "tcp"), "eth0", by, is_answer=True
    )
    result = judge("firewall.host-port-closed", closed_host_ports=ClosedHostPorts((port,), 1))
    assert rows(result) == [("warning", "hass")]
    (finding,) = result.findings
    assert "whose answers this host's firewall drops" in finding.summary
    assert finding.variables["answers_chain"] == "OUTPUT"
    assert "chain" not in finding.variables


def test_blocked_clients_of_ufw() -> None:
    line = (
        "[UFW BLOCK] IN=eth0 OUT= MAC=02:42:00:00:00:01 SRC=192.0.2.7 DST=192.0.2.10 LEN=60 "
        "TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=50000 DPT=8123 WINDOW=64240 RES=0x00 SYN"
    )
    log = KernelLog((Record(1.0, line),))
    assert _blocked_clients(log) == {8123: ("192.0.2.7",)}
