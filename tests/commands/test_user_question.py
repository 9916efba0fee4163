"""What a question names: the ports, servers, addresses and names in its words."""

import pytest

from diagnose.symptoms.user_question import read

REACHED: dict[str, tuple[str, ...]] = {
    "cannot open port 3000 from another computer": ("3000",),
    "http://192.0.2.10:3100 refuses my browser": ("192.0.2.10:3100",),
    "the page at http://192.0.2.10 does not load": ("192.0.2.10:80",),
    "port 8080 is not reachable": ("8080",),
    'connection to server at "db" (172.18.0.3), port 5432 failed: Connection refused': (),
    "web cannot reach db on port 5432": (),
    "dial tcp 192.0.2.10:5432: connect: connection refused": ("192.0.2.10:5432",),
    "version 1.2.3.4 is too old": (),
    "port 99999 does not answer": (),
}


@pytest.mark.parametrize(("text", "expected"), REACHED.items())
def test_what_other_machines_reach(text: str, expected: tuple[str, ...]) -> None:
    assert read(text).reached == expected


PORTS: dict[str, tuple[int, ...]] = {
    "port 8080 does not answer": (8080,),
    "cannot open port 8080 from my phone": (8080,),
    "curl: (7) Failed to connect to localhost port 8080": (8080,),
    "the site on port 8080 and port 8443 is blank": (8080, 8443),
    "Redis connection to localhost:6379 failed": (),
    "web cannot reach db on port 5432": (),
    "mail does not leave: smtp port 25 times out": (),
}


@pytest.mark.parametrize(("text", "expected"), PORTS.items())
def test_ports_of_a_visitor(text: str, expected: tuple[int, ...]) -> None:
    assert read(text).ports == expected


def test_a_port_of_the_loopback_is_reached_by_no_other_machine() -> None:
    question = read("localhost port 3000 does not open in my browser")
    assert question.ports == (3000,)
    assert question.reached == ()


def test_each_name_is_named_once_and_in_its_order() -> None:
    question = read("getaddrinfo ENOTFOUND db, then lookup api on 127.0.0.11:53, ENOTFOUND db")
    assert question.looked_up == ("db", "api")
    assert question.addresses == ("127.0.0.11",)
    assert read("shop.example.com, files/a.conf and me@example.com").sites == ("shop.example.com",)
