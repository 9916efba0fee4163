"""What is said of ports that are not published, or on the loopback alone, and of stray names."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.inspect import (
    Binding,
    ContainerConfig,
    HostConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.firewall import iptables
from diagnose.firewall.rules import Ruleset
from diagnose.model import Unavailable
from tests.judging import judge, rows

RUNNING = State("running", pid=7)
NONE = Unavailable("missing", "")


def on_host(host_port: str, port: str = "8081/tcp") -> Container:
    config = HostConfig(network_mode="host", port_bindings={port: [Binding("", host_port)]})
    return Container("1" * 64, "/cart", state=RUNNING, host_config=config)


HOST_PORTS: dict[str, tuple[Container, list[Listener], list[tuple[str, str]]]] = {
    "another port": (on_host("18514"), [Listener("tcp", "0.0.0.0", 8081)], [("warning", "cart")]),
    "the same port": (on_host("8081"), [], []),
    "somebody serves it": (on_host("18514"), [Listener("tcp", "0.0.0.0", 18514)], []),
    "no port of the host": (on_host(""), [], []),
}


@pytest.mark.parametrize(("container", "sockets", "expected"), HOST_PORTS.values(), ids=HOST_PORTS)
def test_host_network(
    container: Container, sockets: list[Listener], expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "network.port-not-published",
        containers=Containers((container,)),
        listeners=Listeners(tuple(sockets)),
    )
    assert rows(result) == expected


def test_a_redirect_serves_the_port() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 18514 -j REDIRECT --to-ports 8081"
    text = f"*nat\n:PREROUTING ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    result = judge(
        "network.port-not-published",
        containers=Containers((on_host("18514"),)),
        listeners=Listeners((Listener("tcp", "0.0.0.0", 8081),)),
        firewall=Firewall(Ruleset(iptables.chains(text, "nft", "ip"))),
    )
    assert rows(result) == []


def test_sockets_unknown() -> None:
    result = judge(
        "network.port-not-published", containers=Containers((on_host("18514"),)), listeners=NONE
    )
    assert [unexamined.subject.name for unexamined in result.unexamined] == ["cart"]


def caller(name: str = "api") -> Container:
    settings = NetworkSettings({"stock": NetworkEndpoint(ip_address="10.0.0.2")})
    return Container(
        "2" * 64,
        f"/{name}",
        state=RUNNING,
        config=ContainerConfig(env=["DB_HOST=db"]),
        network_settings=settings,
        resolv_conf_path="/x",
    )


def database(*, is_running: bool) -> Container:
    endpoint = NetworkEndpoint(ip_address="10.0.0.3", aliases=["db"])
    state = RUNNING if is_running else State("exited")
    return Container(
        "3" * 64, "/db-1", state=state, network_settings=NetworkSettings({"stock": endpoint})
    )


WILD = DnsReply(True, "NOERROR", ["192.0.2.80"], ms=1.0)
DENIED = DnsReply(True, "NXDOMAIN", ms=1.0)
STRANGER = ("connect to db (192.0.2.80) port 5432: Connection refused",)
STRAY: dict[str, tuple[DnsReply, bool, tuple[str, ...], list[tuple[str, str]]]] = {
    "a stopped service": (WILD, False, (), [("warning", "api")]),
    "a stopped service, and a log shows the stranger": (
        WILD,
        False,
        STRANGER,
        [("critical", "api")],
    ),
    "the service runs": (WILD, True, (), []),
    "no wildcard": (DENIED, False, (), []),
}


@pytest.mark.parametrize(("reply", "runs", "lines", "expected"), STRAY.values(), ids=STRAY)
def test_a_wildcard_that_answers_for_a_stopped_service(
    reply: DnsReply, runs: bool, lines: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    api = caller()
    conf = ResolvConf(("127.0.0.11",), ("corp.test",))
    evidence: dict[str, Any] = {
        "containers": Containers((api, database(is_running=runs))),
        "resolvers": Resolvers(conf, NONE, (), {api.id: conf}),
        "lookups": Lookups(wildcards={"corp.test": reply}),
        "log_tails": LogTails({api.id: LogTail(lines)}, {}),
    }
    assert rows(judge("dns.search-wildcard", **evidence)) == expected


def asked(name: str, *, rights: list[str] | None = None) -> Container:
    settings = NetworkSettings({"bridge": NetworkEndpoint(ip_address="172.17.0.2")})
    return Container(
        name * 8,
        f"/{name}",
        state=RUNNING,
        host_config=HostConfig(cap_add=rights),
        network_settings=settings,
        resolv_conf_path="/x",
    )


TUNNEL, PLAIN = asked("tunnel", rights=["NET_ADMIN"]), asked("plain")
SILENT, REPLY = DnsReply(sent=2), DnsReply(True, "NOERROR", ms=1.0)
WITNESSES = {
    "the tunnel alone is lost": (SILENT, REPLY, False, [("advice", "tunnel")]),
    "the tunnel alone is lost, and names fail": (SILENT, REPLY, True, [("critical", "tunnel")]),
    "the neighbour alone is lost": (REPLY, SILENT, False, [("critical", "bridge")]),
    "both are lost": (SILENT, SILENT, False, [("critical", "bridge")]),
    "both are answered": (REPLY, REPLY, False, []),
}


@pytest.mark.parametrize(
    ("tunnel", "plain", "misses", "expected"), WITNESSES.values(), ids=WITNESSES
)
def test_a_vpn_client_and_its_neighbours_speak_for_themselves(
    tunnel: DnsReply, plain: DnsReply, misses: bool, expected: list[tuple[str, str]]
) -> None:
    """A VPN client does not speak for its neighbours, nor they for it."""
    failed = {TUNNEL.id: (FailedName("db", "lookup db: i/o timeout"),)} if misses else {}
    server = "192.0.2.53"
    ways = tuple(
        QueryPath(("bridge",), server, ((container, reply),), (container,))
        for container, reply in ((TUNNEL, tunnel), (PLAIN, plain))
    )
    conf = ResolvConf((server,))
    result = judge(
        "dns.upstream-unreachable",
        containers=Containers((TUNNEL, PLAIN)),
        resolvers=Resolvers(conf, NONE, (), {TUNNEL.id: conf, PLAIN.id: conf}),
        lookups=Lookups({server: REPLY}, ways=ways),
        dns_path=None,
        networks=None,
        failed_names=FailedNames(failed),
    )
    assert rows(result) == expected


FRONT = Network("f" * 64, "front", "bridge")
BEHIND = Network("b" * 64, "behind", "bridge", internal=True)
LAN = Network("a" * 64, "lan", "macvlan")


def beside(*networks: str, published: bool = False) -> Container:
    """A container on these networks that is configured to publish a port."""
    binding = {"8080/tcp": [Binding("", "18066")]}
    endpoints = {name: NetworkEndpoint(ip_address="192.0.2.66") for name in networks}
    return Container(
        "1" * 64,
        "/cart",
        state=RUNNING,
        host_config=HostConfig(port_bindings=binding),
        network_settings=NetworkSettings(endpoints, ports=binding if published else {}),
    )


ON_THE_LAN: dict[str, tuple[Container, list[tuple[str, str]]]] = {
    "its default route is the LAN's": (beside("front", "lan"), [("warning", "cart")]),
    "its default route is the bridge's": (beside("front", "lan", published=True), []),
    "the LAN alone": (beside("lan"), [("advice", "cart")]),
    "beside an internal network": (beside("behind", "lan"), []),
    "a bridge alone": (beside("front"), []),
}


@pytest.mark.parametrize(("container", "expected"), ON_THE_LAN.values(), ids=ON_THE_LAN)
def test_a_container_on_the_lan_too(container: Container, expected: list[tuple[str, str]]) -> None:
    result = judge(
        "network.port-not-published",
        containers=Containers((container,)),
        listeners=NONE,
        networks=Networks((FRONT, BEHIND, LAN)),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("version", "variable"), [("20.10.24", "left"), ("28.5.2", "bridge_network")]
)
def test_how_a_container_on_the_lan_publishes_its_ports(version: str, variable: str) -> None:
    result = judge(
        "network.port-not-published",
        containers=Containers((beside("front", "lan"),)),
        listeners=NONE,
        networks=Networks((FRONT, BEHIND, LAN)),
        ping=Ping("1.41", version, ""),
    )
    assert [found.variables.keys() - {"container", "lan"} for found in result.findings] == [
        {variable}
    ]


@pytest.mark.parametrize(
    ("version", "variables"), [("20.10.24", {"own_address"}), ("28.5.2", {"joined", "own_address"})]
)
def test_a_container_on_the_lan_alone(version: str, variables: set[str]) -> None:
    (finding,) = judge(
        "network.port-not-published",
        containers=Containers((beside("lan"),)),
        listeners=NONE,
        networks=Networks((FRONT, BEHIND, LAN)),
        ping=Ping("1.41", version, ""),
    ).findings
    assert "it is reached at 192.0.2.66:8080" in finding.summary
    assert finding.variables.keys() - {"container"} == variables
