"""The check in checks/network/ports/clients_hidden.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.published.translated_clients import (
    AllTranslatedClients,
    TranslatedClients,
)
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.questions.images import AddressPool, Ipam
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)
REFUSAL = "[error] 7#7: *{} access forbidden by rule, client: {}, server: , host: shop"
GATEWAY = "172.18.0.1"
POOL = AddressPool(subnet="172.18.0.0/16", gateway=GATEWAY)
EDGE = Network(name="edge", id="1", driver="bridge", ipam=Ipam(config=[POOL]))
HOST = Interfaces((), (Address(2, "192.0.2.10", 24), Address(2, "2001:db8::10", 64)))
ON_LINK = Interfaces((), (Address(2, "192.0.2.10", 24), Address(2, "fe80::1", 64)))
FOUND = [("warning", "edge")]


def proxy(host_ip: str = "::", host_port: str = "80", **endpoint: Any) -> Container:
    ports = {"8080/tcp": [{"HostIp": host_ip, "HostPort": host_port}]}
    own = {"IPAddress": "172.18.0.2", "Gateway": GATEWAY, **endpoint}
    return container("edge", NetworkSettings={"Ports": ports, "Networks": {"edge": own}})


def lines(client: str, count: int = 4, text: str = REFUSAL) -> list[str]:
    return [text.format(number, client) for number in range(count)]


LIMITED = '[error] 7#7: *{} limiting requests, excess: 0.100 by zone "perip", client: {}'
TOO_OFTEN = '{1} - - [28/Nov/2026:23:54:01 +0000] "GET /{0} HTTP/1.1" 429 162'
ROWS = {
    "limited together": (proxy(), lines(GATEWAY, text=LIMITED), HOST, FOUND),
    "answered 429": (proxy(), lines(GATEWAY, text=TOO_OFTEN), HOST, FOUND),
    "banned": (proxy(), lines(GATEWAY, text="NOTICE [web{}] Ban {}"), HOST, FOUND),
    "all are the gateway": (proxy(), lines(GATEWAY), HOST, FOUND),
    "another client": (proxy(), lines("198.51.100.7"), HOST, []),
    "an address that begins like it": (proxy(), lines(f"{GATEWAY}12"), HOST, []),
    "refused twice": (proxy(), lines(GATEWAY, 2), HOST, []),
    "served": (proxy(), lines(GATEWAY, text='{} {} "GET / HTTP/1.1" 200'), HOST, []),
    "published for IPv4 alone": (proxy("0.0.0.0"), lines(GATEWAY), HOST, []),
    "a network with IPv6": (proxy(GlobalIPv6Address="fd00::2"), lines(GATEWAY), HOST, []),
    "a host without IPv6": (proxy(), lines(GATEWAY), ON_LINK, []),
}


@pytest.mark.parametrize(("edge", "texts", "host", "expected"), ROWS.values(), ids=ROWS)
def test_hidden_clients(
    edge: Container, texts: list[str], host: Interfaces, expected: list[tuple[str, str]]
) -> None:
    found = judge(
        "network.clients-hidden",
        containers=of(edge),
        recent_logs=RecentLogs({edge.id: tuple(RecentLine(NOW - 5, text) for text in texts)}),
        networks=Networks((EDGE,)),
        interfaces=host,
        ping=Ping("1.51", "28.5.2", ""),
        clock=CLOCK,
    )
    assert rows(found) == expected
    for finding in found.findings:
        assert "ipv6_subnet" in finding.variables


def mail(port: str = "25/tcp") -> Container:
    ports = {port: [{"HostIp": "::", "HostPort": "25"}]}
    own = {"IPAddress": "172.18.0.2", "Gateway": GATEWAY}
    return container("edge", NetworkSettings={"Ports": ports, "Networks": {"edge": own}})


SENT = "postfix/smtpd[{}]: 4B1: client=unknown[{}]"
SENDERS = {
    "all by the gateway": (mail(), lines(GATEWAY, text=SENT), HOST, [("advice", "edge")]),
    "a client of its own address": (mail(), lines("203.0.113.9", text=SENT), HOST, []),
    "no mail server": (mail("8080/tcp"), lines(GATEWAY, text=SENT), HOST, []),
    "a host without IPv6": (mail(), lines(GATEWAY, text=SENT), ON_LINK, []),
}


@pytest.mark.parametrize(("server", "texts", "host", "expected"), SENDERS.values(), ids=SENDERS)
def test_senders_of_mail(
    server: Container, texts: list[str], host: Interfaces, expected: list[tuple[str, str]]
) -> None:
    test_hidden_clients(server, texts, host, expected)


HELD = {
    "a web server of the host": (proxy(host_port="8080"), "nginx", FOUND),
    "ports of containers": (proxy(host_port="8080"), "docker-proxy", FOUND),
    "its own port": (proxy(), "docker-proxy", FOUND),
    "a routed network": (proxy(host_port=""), "docker-proxy", []),
    "another port of the host": (proxy(), "nginx", FOUND),
}


@pytest.mark.parametrize(("edge", "comm", "expected"), HELD.values(), ids=HELD)
def test_a_web_server_of_the_host_may_pass_its_clients_on(
    edge: Container, comm: str, expected: list[tuple[str, str]]
) -> None:
    """Its calls to a published port come from the gateway, whoever the client is."""
    found = judge(
        "network.clients-hidden",
        containers=of(edge),
        recent_logs=RecentLogs(
            {edge.id: tuple(RecentLine(NOW - 5, text) for text in lines(GATEWAY))}
        ),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        listeners=Listeners((Listener("tcp", "0.0.0.0", 443, 7, comm, None),)),
        ping=Ping("1.51", "28.5.2", ""),
        clock=CLOCK,
    )
    assert rows(found) == expected


BEHIND = {
    "limited, the edge itself": ("edge", lines(GATEWAY, text=LIMITED), FOUND),
    "limited behind the edge": ("api", lines(GATEWAY, text=LIMITED), FOUND),
    "a wrong password": ("api", lines(GATEWAY, text="{}: Access denied for user 'x'@'{}'"), []),
    "another client": ("api", lines("198.51.100.7", text=LIMITED), []),
}


@pytest.mark.parametrize(("name", "texts", "expected"), BEHIND.values(), ids=BEHIND)
def test_visitors_whom_the_host_passes_on(
    name: str, texts: list[str], expected: list[tuple[str, str]]
) -> None:
    edge = proxy("127.0.0.1", "8080")
    own = {"edge": {"IPAddress": "172.18.0.3", "Gateway": GATEWAY}}
    api = container("api", NetworkSettings={"Networks": own})
    by_name = {"edge": edge, "api": api}
    logged = tuple(RecentLine(NOW - 5, text) for text in texts)
    found = judge(
        "network.clients-hidden",
        containers=of(edge, api),
        recent_logs=RecentLogs({edge.id: (), api.id: (), by_name[name].id: logged}),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        listeners=Listeners((Listener("tcp", "0.0.0.0", 80, 7, "caddy", None),)),
        clock=CLOCK,
    )
    assert rows(found) == expected
    assert all("passed_on_to" in finding.variables for finding in found.findings)


@pytest.mark.parametrize(("rule", "variable"), [("ip nat", "bridge"), ("inet site", "translating")])
def test_clients_whom_a_rule_gives_the_gateway_s_address(rule: str, variable: str) -> None:
    edge = proxy("0.0.0.0")
    clients = TranslatedClients(edge, EDGE, 80, Step(rule, "POSTROUTING", "-j MASQUERADE"))
    found = judge(
        "network.clients-hidden",
        containers=of(edge),
        recent_logs=RecentLogs(
            {edge.id: tuple(RecentLine(NOW - 5, text) for text in lines(GATEWAY))}
        ),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        translated=AllTranslatedClients((clients,)),
        clock=CLOCK,
    )
    assert rows(found) == FOUND
    assert variable in found.findings[0].variables


OTHERS = {
    "Podman": {"ping": Ping("1.41", "5.4.0", "5.4.0")},
    "rootless, where all clients are hidden": {"info": Info(security_options=["name=rootless"])},
}


@pytest.mark.parametrize("engine", OTHERS.values(), ids=OTHERS)
def test_engines_without_docker_proxy(engine: dict[str, Any]) -> None:
    edge = proxy()
    texts = tuple(RecentLine(NOW - 5, text) for text in lines(GATEWAY))
    found = judge(
        "network.clients-hidden",
        **{"ping": Ping("1.51", "28.5.2", ""), **engine},
        containers=of(edge),
        recent_logs=RecentLogs({edge.id: texts}),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        clock=CLOCK,
    )
    assert found.verdict == "skipped"


BRUTE = 'POST "/login" "Bruteforce attempt from \\"{1}\\" detected for action \\"login\\"." {0}'
ROOTLESS = Info(security_options=("name=seccomp,profile=builtin", "name=rootless"))


def kit(*words: str) -> Processes:
    return Processes((Process(1, comm="rootlesskit", cmdline=["rootlesskit", *words]),))


DRIVERS = {
    "builtin": (kit("--net=slirp4netns", "--port-driver=builtin"), GATEWAY, FOUND),
    "in two words": (kit("--port-driver", "builtin", "dockerd"), GATEWAY, FOUND),
    "slirp4netns": (kit("--port-driver=slirp4netns"), GATEWAY, []),
    "two engines": (
        Processes((*kit("--port-driver=builtin"), *kit("--port-driver=slirp4netns"))),
        GATEWAY,
        [],
    ),
    "not seen": (None, GATEWAY, []),
    "a client of its own": (kit("--port-driver=builtin"), "198.51.100.7", []),
}


@pytest.mark.parametrize(("processes", "client", "expected"), DRIVERS.values(), ids=DRIVERS)
def test_clients_of_a_rootless_engine(
    processes: Processes | None, client: str, expected: list[tuple[str, str]]
) -> None:
    """The proxy publishes the port, and the program behind it refuses the address it was told."""
    front = proxy("0.0.0.0")
    own = {"IPAddress": "172.18.0.3", "Gateway": GATEWAY}
    cloud = container("cloud", NetworkSettings={"Networks": {"edge": own}})
    texts = lines(client, text=BRUTE)
    found = judge(
        "network.clients-hidden",
        containers=of(cloud, front),
        recent_logs=RecentLogs({cloud.id: tuple(RecentLine(NOW - 5, text) for text in texts)}),
        networks=Networks((EDGE,)),
        info=ROOTLESS,
        processes=processes,
        clock=CLOCK,
    )
    assert rows(found) == [(severity, "cloud") for severity, _ in expected]
    for finding in found.findings:
        assert finding.variables["driver"] == "slirp4netns"


def behind(image: str = "shop:1.4") -> Container:
    own = {"IPAddress": "172.18.0.3", "Gateway": GATEWAY}
    return container("app", Config={"Image": image}, NetworkSettings={"Networks": {"edge": own}})


SERVED = '{1} - - [28/Nov/2026:23:54:01 +0000] "GET /{0} HTTP/1.1" 200 162 "-" "Firefox"'
UNSEEN: dict[str, tuple[list[str], list[str], list[tuple[str, str]]]] = {
    "the proxy alone": (["198.51.100.7", "203.0.113.9"], ["172.18.0.2"], [("advice", "app")]),
    "one visitor": (["198.51.100.7"], ["172.18.0.2"], []),
    "its visitors": (["198.51.100.7", "203.0.113.9"], ["198.51.100.7", "203.0.113.9"], []),
    "a neighbour too": (["198.51.100.7", "203.0.113.9"], ["172.18.0.2", "172.18.0.4"], []),
}


@pytest.mark.parametrize(("at_proxy", "at_program", "expected"), UNSEEN.values(), ids=UNSEEN)
def test_a_program_that_sees_the_proxy_alone(
    at_proxy: list[str], at_program: list[str], expected: list[tuple[str, str]]
) -> None:
    edge, app = proxy("0.0.0.0"), behind()
    logs = {
        container.id: tuple(
            RecentLine(NOW - 5, line)
            for client in clients
            for line in lines(client, 6, text=SERVED)
        )
        for container, clients in ((edge, at_proxy), (app, at_program))
    }
    found = judge(
        "network.clients-hidden",
        containers=of(edge, app),
        recent_logs=RecentLogs(logs),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        processes=Processes((Process(7, comm="nginx", container=edge.id),)),
        clock=CLOCK,
    )
    assert rows(found) == expected


BEHIND = {
    "a limit": (behind(), "172.18.0.2", TOO_OFTEN, "nginx", [("warning", "app")], "behind"),
    "Nextcloud": (
        behind("nextcloud:30"), "172.18.0.2", TOO_OFTEN, "nginx", [("warning", "app")], "nextcloud",
    ),
    "a program beside Nextcloud": (
        behind("xperimental/nextcloud-exporter:1"), "172.18.0.2", TOO_OFTEN, "nginx",
        [("warning", "app")], "behind",
    ),
    "another build of Nextcloud": (
        behind("lscr.io/linuxserver/nextcloud:30"), "172.18.0.2", TOO_OFTEN, "nginx",
        [("warning", "app")], "behind",
    ),
    "a list": (behind(), "172.18.0.2", REFUSAL, "nginx", [("warning", "app")], "behind"),
    "a limit of a host without a name": (
        behind(), "172.18.0.2", f'{LIMITED}, host: "192.0.2.10"', "nginx", [("warning", "app")],
        "behind",
    ),
    "the visitor is known": (
        behind(), "172.18.0.2", f'{TOO_OFTEN} "-" "curl/8" "198.51.100.7"', "nginx", [], "",
    ),
    "another neighbour": (behind(), "172.18.0.4", TOO_OFTEN, "nginx", [], ""),
    "no proxy": (behind(), "172.18.0.2", TOO_OFTEN, "java", [], ""),
    "served": (behind(), "172.18.0.2", '{} {} "GET / HTTP/1.1" 200', "nginx", [], ""),
}  # fmt: skip


@pytest.mark.parametrize(
    ("app", "client", "text", "process", "expected", "cure"), BEHIND.values(), ids=BEHIND
)
def test_visitors_of_a_proxy(
    app: Container, client: str, text: str, process: str, expected: list[tuple[str, str]], cure: str
) -> None:
    edge = proxy("0.0.0.0")
    said = tuple(RecentLine(NOW - 5, line) for line in lines(client, text=text))
    found = judge(
        "network.clients-hidden",
        containers=of(edge, app),
        recent_logs=RecentLogs({app.id: said}),
        networks=Networks((EDGE,)),
        interfaces=HOST,
        processes=Processes((Process(7, comm=process, container=edge.id),)),
        clock=CLOCK,
    )
    assert rows(found) == expected
    for finding in found.findings:
        assert cure in finding.variables
