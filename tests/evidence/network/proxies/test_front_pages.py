"""Which ports are asked for a page, and what is made of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.proxies.pages.front_pages import FrontPages, front_pages
from diagnose.model import Failed, Unavailable
from diagnose.programs.web_programs import is_web_program, speaks_otherwise
from diagnose.questions import Question
from tests.checks.network.evidence import container, namespaces_of
from tests.hosts import Made
from tests.inspected import of

BEGUN = 1767225600.0


def published(name: str, port: int, host_port: int = 80, **fields: Any) -> Container:
    ports = {f"{port}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(host_port)}]}
    networks = {"shop": {"IPAddress": "172.18.0.2"}}
    return container(name, NetworkSettings={"Ports": ports, "Networks": networks}, **fields)


def pages(
    shop: Container,
    port: int,
    *programs: str,
    answer: Any = None,
    others: tuple[Container, ...] = (),
    age: float = 60.0,
    **answers: Any,
) -> FrontPages | Unavailable:
    """What is asked of one container with these programs, which listens at this port."""
    host = Made({"net.page": answer or {"outcome": "answered", "status": 200}, **answers})
    processes = Processes(tuple(Process(9, comm=name, container=shop.id) for name in programs))
    return front_pages(
        host,
        Containers((shop, *others)),
        namespaces_of(shop, Socket("tcp", "0.0.0.0", port)),
        processes,
        Clock(wall=BEGUN + age, booted=0.0),
        None,
    )


EDGE = published("edge", 80)
ASKED: dict[str, tuple[Container, int, tuple[str, ...], int]] = {
    "nginx": (published("web", 80), 80, ("nginx",), 1),
    "a program of its own name": (published("web", 8080), 8080, ("shop",), 1),
    "a program of its own name at a port of others": (published("web", 9090), 9090, ("shop",), 0),
    "Python with a version": (published("web", 5000), 5000, ("python3.11",), 1),
    "php-fpm": (published("web", 8080), 8080, ("php-fpm8.2",), 0),
    "nginx beside php-fpm": (published("web", 80), 80, ("nginx", "php-fpm"), 1),
    "a database at a port of HTTP": (published("web", 8080), 8080, ("redis-server",), 0),
    "one connection, and the program ends": (published("web", 8080), 8080, ("nc",), 0),
    "a port of a database": (published("web", 5432), 5432, ("python3",), 0),
    "not published": (container("web"), 8080, ("node",), 0),
    "behind a proxy by a variable": (
        container("web", Config={"Env": ["VIRTUAL_HOST=shop.example.org"]}),
        8080,
        ("node",),
        1,
    ),
    "paused": (published("web", 80, State={"Status": "paused"}), 80, ("nginx",), 0),
}


@pytest.mark.parametrize(("shop", "port", "programs", "number"), ASKED.values(), ids=ASKED)
def test_who_is_asked(shop: Container, port: int, programs: tuple[str, ...], number: int) -> None:
    found = pages(shop, port, *programs)
    assert isinstance(found, FrontPages)
    assert len(found) == number


def test_a_neighbour_of_a_published_server_is_asked() -> None:
    found = pages(container("web"), 8080, "node", others=(EDGE,))
    assert isinstance(found, FrontPages)
    assert len(found) == 1
    assert not len(pages(container("web"), 8080, "shop", others=(EDGE,)))  # type: ignore[arg-type]


def test_what_is_more_than_a_run_asks_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagnose.evidence.network.proxies.pages.front_pages.MOST", 0)
    found = pages(published("web", 80), 80, "nginx")
    assert isinstance(found, FrontPages)
    assert (len(found), found.coverage.pages_left_out) == (0, 1)


@pytest.mark.parametrize(("program", "named"), [("nginx", ("web",)), ("node", ())])
def test_a_proxy_is_named_since_its_sites_are_not_asked(
    program: str, named: tuple[str, ...]
) -> None:
    found = pages(published("web", 80), 80, program)
    assert isinstance(found, FrontPages)
    assert found.coverage.proxies == named


def test_a_port_for_this_host_alone_is_named() -> None:
    bindings = [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "8080"}]
    ports = {"80/tcp": bindings, "443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8443"}]}
    web = container("web", NetworkSettings={"Ports": ports})
    assert of(web).coverage.here_alone == ("8080 (web)",)


def test_a_program_that_was_just_started_is_not_asked() -> None:
    found = pages(published("web", 80), 80, "nginx", age=5.0)
    assert isinstance(found, FrontPages)
    assert not len(found)


def test_the_name_of_the_site_is_asked_for() -> None:
    shop = container("web", Config={"Env": ["VIRTUAL_HOST=shop.example.org"]})
    found = pages(shop, 8080, "node")
    assert isinstance(found, FrontPages)
    (page,) = found
    asked = page.http_port.question
    assert (asked.name, asked.outer_port, asked.address) == ("shop.example.org", 80, "172.18.0.2")


def test_what_the_log_gained_is_read_without_our_address() -> None:
    line = '2026/11/30 01:20:57 [error] 7#7: *9 connect() failed, client: 172.18.0.2, server: , x"'
    log = f"2026-01-01T00:00:58Z before\n2026-01-01T00:01:01.5Z {line}\n"
    answer = {"outcome": "answered", "status": 502, "at": BEGUN + 61}
    found = pages(
        published("web", 80), 80, "nginx", answer=answer, **{"api.logs.answered": {"text": log}}
    )
    assert isinstance(found, FrontPages)
    (page,) = found
    assert page.lines == (line.replace(", client: 172.18.0.2", ""),)


def test_who_leads_to_https_is_asked_once_more() -> None:
    def answer(question: Question[Any]) -> Any:
        if question.args.get("forwarded"):
            return {"outcome": "answered", "status": 200}
        return {"outcome": "answered", "status": 301, "location": "https://shop.example.org/"}

    found = pages(published("web", 80), 80, "nginx", answer=answer)
    assert isinstance(found, FrontPages)
    (page,) = found
    assert page.forwarded is not None
    assert page.forwarded.status == 200


UNASKED = {
    "not allowed": "not applicable",
    "not recorded": "not applicable",
    "forbidden": "forbidden",
}


@pytest.mark.parametrize(("reason", "shown"), UNASKED.items(), ids=UNASKED)
def test_nobody_could_be_asked(reason: Any, shown: str) -> None:
    found = pages(published("web", 80), 80, "nginx", answer=Failed(reason, "so it is"))
    assert isinstance(found, Unavailable)
    assert found.reason == shown


NAMES = {
    "python3.12": (True, False),
    "nginx: worker": (True, False),
    "next-server (v1": (True, False),
    "php8.2": (True, False),
    "php-fpm8.2": (False, True),
    "ncat": (False, True),
    "shop": (False, False),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES)
def test_names_of_programs(name: str, expected: tuple[bool, bool]) -> None:
    assert (is_web_program([name]), speaks_otherwise([name])) == expected
