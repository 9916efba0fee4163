"""Whom a container's last words name: the containers on its networks that did not answer it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import msgspec
import pytest

from diagnose.evidence.containers.inspect import (
    Binding,
    ContainerConfig,
    HostConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.called_peers import called_peers, refused_port
from diagnose.evidence.containers.peers.peer_evidence import peer_evidence
from diagnose.evidence.containers.peers.unanswered_peers import Calls, called_too_early
from diagnose.evidence.containers.run_context import RunContext
from diagnose.evidence.containers.run_evidence import not_running
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.first_steps.failed_run import FailedRun
from diagnose.model import container
from diagnose.questions.sockets import Socket
from tests import inspected
from tests.judging import judge


def a(name: str, network: str = "shop", **endpoint: object) -> Container:
    settings = NetworkSettings(networks={network: NetworkEndpoint(**endpoint)})  # type: ignore[arg-type]
    return Container(id=name * 8, raw_name=f"/{name}", network_settings=settings)


CLOCK = Clock(1767225640.0, 0.0)
FRONT = a("front")
OTHERS = [
    FRONT,
    a("db", ip_address="172.18.0.2", ip_prefix_len=16, gateway="172.18.0.1", aliases=["postgres"]),
    a("mail", "lab"),
    a("api"),
    a("redis"),
    a("shop-host"),
]
CASES = {
    "its name": (["nc: bad address 'db'"], ["db"]),
    "its name and port": (["dial tcp: lookup db:5432: no such host"], ["db"]),
    "in a URL": (["GET http://api:8080/cart: connection refused"], ["api"]),
    "its alias": (["could not resolve postgres"], ["db"]),
    "its address": (["can't connect to remote host (172.18.0.2): Connection refused"], ["db"]),
    "two of them": (["bad address 'db'", "bad address 'api'"], ["api", "db"]),
    "at the end of a sentence": (["connection refused by db."], ["db"]),
    "a line that tells of no call in vain": (["db is at version 12"], []),
    "the scheme of a URL": (
        ["CannotConnectError: Connection refused for 127.0.0.1:6379 (redis://localhost:6379)"],
        [],
    ),
    "the scheme behind jdbc": (["jdbc:api://localhost:3306/eshop: Connection refused"], []),
    "on another network": (["bad address 'mail'"], []),
    "a part of a path": (["GET https://pay.example/api/v1: i/o timeout"], []),
    "a part of a longer name": (["bad address 'db.example.net'"], []),
    "itself": (["front: connection refused"], []),
    "nothing said": ([], []),
}


@pytest.mark.parametrize("name", CASES)
def test_whom_lines_of_a_log_call(name: str) -> None:
    lines, named = CASES[name]
    assert (
        sorted(peer.name for peer in called_peers(lines, FRONT, Containers(tuple(OTHERS)))) == named
    )


RUNNING = State(status="running", pid=7, started_at="2026-01-01T00:00:00Z")


TOLD = ContainerConfig(
    env=["DB_URL=postgres://shop@db:5432/shop", "MODE=prod"],
    labels={"com.docker.compose.depends_on": "api:service_started:true"},
)
UNNAMED = {
    "nobody is named": (["java.net.SocketTimeoutException: connect timed out"], ["api", "db"]),
    "another one is": (["connect to pay.example.net: Connection timed out"], []),
    "its own port": (["Failed to connect to localhost port 80: Connection refused"], []),
    "an address that nobody has any more": (
        ["can't connect to remote host (172.18.0.9): Connection refused"],
        ["api", "db"],
    ),
    "the gateway": (["can't connect to 172.18.0.1:3306: Connection refused"], []),
    "an address elsewhere": (["can't connect to remote host (192.0.2.9): Connection refused"], []),
    "a name that is unknown": (["bad address 'mail'"], []),
    "no call": (["ready"], []),
}


@pytest.mark.parametrize("name", UNNAMED)
def test_whom_it_was_told_of_where_it_names_nobody(name: str) -> None:
    lines, called = UNNAMED[name]
    caller = msgspec.structs.replace(FRONT, config=TOLD)
    assert (
        sorted(peer.name for peer in called_peers(lines, caller, Containers(tuple(OTHERS))))
        == called
    )


def test_a_name_of_its_own_in_its_settings_calls_no_replica() -> None:
    one, other = (a(f"cart{number}", aliases=["cart"]) for number in (1, 2))
    told = ContainerConfig(env=["SERVICE_NAME=cart", "DB_HOST=db"])
    caller = msgspec.structs.replace(one, config=told)
    everyone = Containers((*OTHERS, caller, other))
    peers = called_peers(["connect timed out"], caller, everyone)
    assert [peer.name for peer in peers] == ["db"]
    named = called_peers(["dial tcp: lookup cart: no such host"], caller, everyone)
    assert [peer.name for peer in named] == ["cart2"]


def test_a_probe_names_nobody_and_its_command_does() -> None:
    peers = called_peers(
        ["nc: timed out"], FRONT, Containers(tuple(OTHERS)), configured=["nc -w 2 postgres 5432"]
    )
    assert [peer.name for peer in peers] == ["db"]


def test_what_became_of_a_callee_is_told_unless_it_runs() -> None:
    ended = State(status="exited", exit_code=137, finished_at="2026-01-01T00:00:00Z")
    stopped, running = (
        Container(id="1", raw_name="/db", state=ended),
        Container(id="2", raw_name="/api", state=RUNNING),
    )
    made = Container(id="3", raw_name="/mail", state=State(status="created"))
    assert not_running([stopped, running, made], Clock(1767225640.0, 0.0)) == {
        "db, which it calls": "exited, exit code 137, 40 s ago",
        "mail, which it calls": "created",
    }


def test_a_log_driver_calls_the_container_that_takes_the_log() -> None:
    error = (
        "failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused"
    )
    caller = Container(
        id="1", raw_name="/shop", state=State(status="created", exit_code=128, error=error)
    )
    ports = HostConfig(port_bindings={"24224/tcp": [Binding(host_port="24224")]})
    receiver = Container(id="2", raw_name="/fluentd", host_config=ports)
    other = Container(
        id="3",
        raw_name="/web",
        host_config=HostConfig(port_bindings={"80/tcp": [Binding(host_port="80")]}),
    )
    containers = Containers((caller, receiver, other))
    (finding,) = judge("logging.driver-blocks-start", containers=containers).findings
    assert finding.calls == (container("fluentd"),)


def test_one_that_was_started_again_is_judged_by_its_run_before() -> None:
    assert LogTail(("ready",), ("no such key",)).before_this_run.last == "no such key"
    assert LogTail(("ready",)).before_this_run.last == "ready"


def test_a_peer_that_is_not_trusted_is_named() -> None:
    line = 'Get "https://api:8200/v1": tls: x509: certificate signed by unknown authority'
    peers = called_peers([line], FRONT, Containers(tuple(OTHERS)))
    assert [peer.name for peer in peers] == ["api"]


def test_who_the_peer_is_and_which_names_there_are() -> None:
    clock = Clock(1767225640.0, 0.0)
    running = msgspec.structs.replace(OTHERS[3], state=RUNNING)
    everyone = Containers(tuple(OTHERS))
    calls = Calls((running,), port=0, namespaces=None, is_distrusted=False)
    refused = peer_evidence(FRONT, calls, everyone, LogTail(()), clock)
    assert refused == {"api, which it calls": "running, started 40 s ago"}
    unknown = LogTail(("Error: getaddrinfo ENOTFOUND postgresql",))
    nobody = Calls(callees=(), port=0, namespaces=None, is_distrusted=False)
    assert peer_evidence(FRONT, nobody, everyone, unknown, clock) == {
        "names on its networks": ["api", "db", "redis", "shop-host"]
    }


def test_a_peer_is_not_back_before_it_listens() -> None:
    running = msgspec.structs.replace(OTHERS[1], state=RUNNING)
    seen = Namespaces(
        {running.id: ContainerNetns(running, 1, links=(), addresses=(), routes=(), listeners=())}
    )
    refused = ['connection to server at "db" (172.18.0.2), port 5432 failed: Connection refused']
    calls = Calls((running,), refused_port(refused), seen, is_distrusted=False)
    assert calls.port == 5432
    assert not calls.are_back
    assert calls.are_deaf
    assert calls.is_unserved(running)
    assert calls.inner_socket(running) is None
    said = peer_evidence(FRONT, calls, Containers((running,)), LogTail(()), CLOCK)
    assert said == {
        "db, which it calls": "running, started 40 s ago; nothing in it listens on port 5432"
    }
    unseen = msgspec.structs.replace(calls, namespaces=None)
    assert unseen.are_back
    assert not unseen.are_deaf


PORTS = {
    "behind a name": ("dial tcp: db:5432: connection refused", 5432),
    "behind an address": ("connect ECONNREFUSED 172.18.0.2:6379", 6379),
    "two of them": ("refused: connect ECONNREFUSED a:6379, b:6380", 0),
    "none": ("connection refused", 0),
    "a time of day": ("10:22:33 connection refused", 0),
}


LIBPQ = (
    "psycopg2.OperationalError: could not connect to server: Connection refused",
    '\tIs the server running on host "db" (172.18.0.2) and accepting',
    "\tTCP/IP connections on port 5432?",
)


def test_the_port_after_which_an_older_libpq_asks_below() -> None:
    assert refused_port(LIBPQ) == 5432
    assert refused_port((*LIBPQ, "    at Server.start (server.js:120)")) == 5432
    assert refused_port((LIBPQ[0], *["waiting"] * 3, LIBPQ[2])) == 0


EARLY = {"just before": (-20, True), "after": (5, True), "for an hour": (-3600, False)}


@pytest.mark.parametrize(("after", "expected"), EARLY.values(), ids=EARLY)
def test_a_peer_that_ran_for_long_was_not_called_too_early(*, after: float, expected: bool) -> None:
    began = datetime.fromisoformat(str(RUNNING.started_at))
    ended = State(status="exited", exit_code=1, started_at=RUNNING.started_at)
    caller = msgspec.structs.replace(FRONT, state=ended)
    started = (began + timedelta(seconds=after)).isoformat()
    state = msgspec.structs.replace(RUNNING, started_at=started)
    running = msgspec.structs.replace(OTHERS[1], state=state)
    serves = ContainerNetns(
        running, 1, links=(), addresses=(), routes=(), listeners=(Socket("tcp", "0.0.0.0", 5432),)
    )
    calls = Calls((running,), 5432, Namespaces({running.id: serves}), is_distrusted=False)
    assert (calls.early_for(caller) == (running,)) == expected


DEAF = {
    "nowhere": ((), 'nothing in container "db", which it calls, listens on port 5432'),
    "for itself": (
        (Socket("tcp", "127.0.0.1", 5432),),
        'container "db", which it calls, listens on port 5432 for itself only',
    ),
    "for others": ((Socket("tcp", "0.0.0.0", 5432),), ""),
}


@pytest.mark.parametrize(("sockets", "clause"), DEAF.values(), ids=DEAF)
def test_what_is_said_of_a_peer_that_does_not_serve(
    sockets: tuple[Socket, ...], clause: str
) -> None:
    running = msgspec.structs.replace(OTHERS[1], state=RUNNING)
    seen = Namespaces(
        {
            running.id: ContainerNetns(
                running, 1, links=(), addresses=(), routes=(), listeners=sockets
            )
        }
    )
    calls = Calls((running,), 5432, seen, is_distrusted=False)
    run = FailedRun(FRONT, LogTail(()), calls, setting=None, changed=None, context=RunContext())
    assert run.unserved_peer_clause == clause


def test_what_is_said_of_a_peer_that_serves_by_now() -> None:
    assert called_too_early(()) == ""
    words = 'it called container "db" too early: it serves now'
    assert called_too_early((OTHERS[1],)) == words


@pytest.mark.parametrize("name", PORTS)
def test_the_port_that_was_refused(name: str) -> None:
    line, port = PORTS[name]
    assert refused_port([line]) == port


def seconds_for(number: int) -> float:
    """For so many containers on two networks that all call an address that none has any more."""
    everybody = [
        msgspec.structs.replace(
            a(f"c{at}"),
            network_settings=NetworkSettings(
                networks={
                    name: NetworkEndpoint(
                        ip_address=f"{subnet}.{at // 250}.{at % 250 + 2}",
                        ip_prefix_len=16,
                        gateway=f"{subnet}.0.1",
                        aliases=[f"service{at}"],
                    )
                    for name, subnet in (("shop", "172.18"), ("lab", "172.19"))
                }
            ),
        )
        for at in range(number)
    ]
    containers = Containers(tuple(everybody))
    lines = ["dial 172.18.250.9: connection refused", "lost 172.19.250.9: connection refused"]
    began = time.process_time()
    for caller in everybody:
        assert called_peers(lines, caller, containers) == ()
    return time.process_time() - began


def test_callers_among_many_containers_take_linear_time() -> None:
    """300 containers whose probes failed took 30 s: each line was held against each neighbour."""
    seconds_for(10)
    once = min(seconds_for(100) for _ in range(3))
    assert min(seconds_for(400) for _ in range(2)) < 8 * once


def test_an_engine_that_takes_tls_alone_is_named() -> None:
    """A build job that calls docker:dind without TLS (docker-library/docker#170)."""
    config = msgspec.structs.replace(OTHERS[1].config, env=["DOCKER_TLS_CERTDIR=/certs"])
    engine = msgspec.structs.replace(OTHERS[1], state=RUNNING, config=config)
    served = Socket("tcp", "::", 2376)
    seen = Namespaces(
        {
            engine.id: ContainerNetns(
                engine, 1, links=(), addresses=(), routes=(), listeners=(served,)
            )
        }
    )
    calls = Calls((engine,), 2375, seen, is_distrusted=False)
    assert calls.variables["tls_engine"] == engine.name
    said = peer_evidence(FRONT, calls, Containers((engine,)), LogTail(()), CLOCK)
    assert "listens with TLS at port 2376: DOCKER_TLS_CERTDIR is set" in str(said)
    binding = {"2375/tcp": [Binding(host_ip="0.0.0.0", host_port="2375")]}
    ports = msgspec.structs.replace(engine.network_settings, ports=binding)
    open_engine = msgspec.structs.replace(engine, network_settings=ports)
    assert "tls_engine" not in msgspec.structs.replace(calls, callees=(open_engine,)).variables
    other = msgspec.structs.replace(calls, port=3306)
    assert "tls_engine" not in other.variables
    said = peer_evidence(FRONT, other, Containers((engine,)), LogTail(()), CLOCK)
    assert "nothing in it listens on port 3306; it listens on port 2376" in str(said)


@pytest.mark.parametrize(
    ("address", "port", "is_deaf"),
    [("127.0.0.1", 5432, True), ("0.0.0.0", 5432, False), ("127.0.0.1", 9999, False)],
)
def test_a_peer_that_listens_for_itself_alone_where_no_port_is_known(
    address: str, port: int, is_deaf: bool
) -> None:
    offers = inspected.container("db", Config={"ExposedPorts": {"5432/tcp": {}}})
    sockets = (Socket("tcp", "127.0.0.11", 40067), Socket("tcp", address, port))
    seen = Namespaces(
        {offers.id: ContainerNetns(offers, 1, links=(), addresses=(), routes=(), listeners=sockets)}
    )
    calls = Calls((offers,), 0, seen, is_distrusted=False)
    assert calls.is_unserved(offers) is is_deaf
    assert (calls.inner_socket(offers) is not None) is is_deaf
