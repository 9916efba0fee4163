"""What the checks say of proxies that the environment of a container names."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import (
    ContainerConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.questions.sockets import Socket
from tests.judging import judge, rows

FAILED = "GET http://stock:8080/: 503 Service Unavailable"
REFUSED = "connect to 127.0.0.1 port 3128 failed: Connection refused"


def container(name: str, *env: str) -> Container:
    return Container(
        name[0] * 64,
        f"/{name}",
        state=State(status="running", pid=7),
        config=ContainerConfig(env=list(env)),
        network_settings=NetworkSettings({"shop": NetworkEndpoint(ip_address="10.1.0.3")}),
    )


def logs(owner: Container, *lines: str) -> RecentLogs:
    return RecentLogs({owner.id: tuple(RecentLine(0.0, line) for line in lines)})


STOCK = container("stock")

NEIGHBOURS: dict[str, tuple[tuple[str, ...], str, list[tuple[str, str]]]] = {
    "no exception": (("HTTP_PROXY=http://corp:3128",), FAILED, [("critical", "api")]),
    "without a scheme": (("http_proxy=corp:3128",), FAILED, [("critical", "api")]),
    "other exceptions": (
        ("http_proxy=http://corp:3128", "no_proxy=localhost,.corp.example"),
        FAILED,
        [("critical", "api")],
    ),
    "excepted": (("http_proxy=http://corp:3128", "NO_PROXY=localhost,stock"), FAILED, []),
    "all excepted": (("http_proxy=http://corp:3128", "NO_PROXY=*"), FAILED, []),
    "no failure": (("http_proxy=http://corp:3128",), "GET http://stock:8080/: 200", []),
    "another host failed": (("http_proxy=http://corp:3128",), "GET http://pay/: 503", []),
    "no proxy": ((), FAILED, []),
    "named without a URL": (
        ("HTTP_PROXY=http://corp:3128",),
        "is the stock service running? (urllib.error.HTTPError: HTTP Error 503: Unavailable)",
        [("warning", "api")],
    ),
    "part of another word": (
        ("HTTP_PROXY=http://corp:3128",),
        "prices of stock-exchange.example: HTTP Error 503: Service Unavailable",
        [],
    ),
    "named without an answer": (
        ("HTTP_PROXY=http://corp:3128",),
        "the stock service timed out",
        [],
    ),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_proxies_before_neighbours(name: str) -> None:
    env, line, wanted = NEIGHBOURS[name]
    caller = container("api", *env)
    result = judge(
        "network.proxy-takes-neighbours",
        containers=Containers((caller, STOCK)),
        recent_logs=logs(caller, line),
    )
    assert rows(result) == wanted


def test_a_url_counts_before_the_name_of_an_earlier_neighbour() -> None:
    caller = container("api", "HTTP_PROXY=http://corp:3128")
    result = judge(
        "network.proxy-takes-neighbours",
        containers=Containers((caller, container("billing"), STOCK)),
        recent_logs=logs(caller, "is billing running? HTTP Error 503", FAILED),
    )
    assert rows(result) == [("critical", "api")]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [(FAILED, [("warning", "api")]), ("GET http://stock:8080/: connection refused", [])],
    ids=["an answer of a proxy", "refused"],
)
def test_of_a_failed_container_what_a_proxy_answers_counts(
    line: str, wanted: list[tuple[str, str]]
) -> None:
    caller = container("api", "http_proxy=http://corp:3128")
    ended = msgspec.structs.replace(caller, state=State(status="exited", exit_code=1))
    result = judge(
        "network.proxy-takes-neighbours",
        containers=Containers((ended, STOCK)),
        recent_logs=RecentLogs({}),
        log_tails=LogTails({ended.id: LogTail((line,))}, {}),
    )
    assert rows(result) == wanted


OWN = "request to http://localhost:8000/api/ failed: HTTP Error 403: Forbidden"
PROXY = "http_proxy=http://corp:3128"
OWN_CALLS: dict[str, tuple[tuple[str, ...], str, tuple[int, ...], list[tuple[str, str]]]] = {
    "no exception": ((PROXY,), OWN, (8000,), [("critical", "api")]),
    "by its address": (
        (PROXY, "NO_PROXY=localhost"),
        "GET http://127.0.0.1:8000/: 503",
        (8000,),
        [("critical", "api")],
    ),
    "excepted": ((PROXY, "NO_PROXY=localhost,127.0.0.1"), OWN, (8000,), []),
    "not served": ((PROXY,), OWN, (80,), []),
    "refused, as without a proxy": ((PROXY,), "GET http://localhost:8000: refused", (8000,), []),
    "no proxy": ((), OWN, (8000,), []),
}


@pytest.mark.parametrize(("env", "line", "ports", "wanted"), OWN_CALLS.values(), ids=OWN_CALLS)
def test_proxies_before_the_container_itself(
    env: tuple[str, ...], line: str, ports: tuple[int, ...], wanted: list[tuple[str, str]]
) -> None:
    caller = container("api", *env)
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in ports)
    result = judge(
        "network.proxy-takes-neighbours",
        containers=Containers((caller,)),
        recent_logs=logs(caller, line),
        namespaces=Namespaces(
            {
                caller.id: ContainerNetns(
                    caller, 1, links=(), addresses=(), routes=(), listeners=sockets
                )
            }
        ),
    )
    assert rows(result) == wanted


LOOPBACK: dict[str, tuple[str, str, tuple[int, ...], list[tuple[str, str]]]] = {
    "nothing listens": ("http_proxy=http://127.0.0.1:3128", "", (), [("warning", "api")]),
    "by name, and the log says so": (
        "HTTPS_PROXY=http://localhost:3128",
        REFUSED,
        (),
        [("critical", "api")],
    ),
    "a proxy listens": ("http_proxy=http://127.0.0.1:3128", "", (3128,), []),
    "another host": ("http_proxy=http://corp:3128", REFUSED, (), []),
    "an empty variable": ("http_proxy=", REFUSED, (), []),
}


@pytest.mark.parametrize("name", LOOPBACK)
def test_proxies_on_loopback(name: str) -> None:
    variable, line, ports, wanted = LOOPBACK[name]
    owner = container("api", variable)
    sockets = tuple(Socket("tcp", "127.0.0.1", port) for port in ports)
    result = judge(
        "network.proxy-on-loopback",
        containers=Containers((owner,)),
        namespaces=Namespaces(
            {
                owner.id: ContainerNetns(
                    owner, 1, links=(), addresses=(), routes=(), listeners=sockets
                )
            }
        ),
        recent_logs=logs(owner, line),
    )
    assert rows(result) == wanted
