"""The check network.redirect-unserved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.questions.sockets import Socket
from diagnose.questions.web_pages import PageReply
from tests.checks.network.evidence import container
from tests.checks.network.first_pages import page, pages
from tests.judging import judge


def published(name: str, host_port: str, host_ip: str = "0.0.0.0") -> Any:
    ports = {"8080/tcp": [{"HostIp": host_ip, "HostPort": host_port}]}
    return container(name, NetworkSettings={"Ports": ports})


OTHER = published("other", "8080")


def found(
    location: str,
    *,
    shop: Any = None,
    ports: Sequence[int] = (8080,),
    listening: Sequence[int] = (8182,),
    neighbours: Sequence[Any] = (),
    name: str = "localhost",
    forwarded: PageReply | None = None,
) -> list[str]:
    shop = shop or published("site", "8182")
    reply = PageReply("answered", status=302, location=location)
    asked = page(shop, reply, name=name, host_port=8182, forwarded=forwarded)
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in ports)
    netns = ContainerNetns(shop, 1, links=(), addresses=(), routes=(), listeners=sockets)
    result = judge(
        "network.redirect-unserved",
        front_pages=pages(asked),
        containers=Containers((shop, *neighbours)),
        namespaces=Namespaces({shop.id: netns}),
        listeners=Listeners(tuple(Listener("tcp", "0.0.0.0", port) for port in listening)),
    )
    return [finding.summary for finding in result.findings]


FINE = PageReply("answered", status=200)
CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "the port inside": ("http://localhost:8080/app/", {}, "where nothing listens"),
    "another container is there": (
        "http://localhost:8080/app/",
        {"neighbours": [OTHER]},
        'which is container "other"',
    ),
    "a program of the host is there": ("http://localhost:8080/", {"listening": [8080]}, ""),
    "the port outside": ("http://localhost:8182/app/", {"listening": []}, ""),
    "a port that it does not serve": ("http://localhost:9999/", {}, ""),
    "no host": ("/app/", {}, ""),
    "another site": ("https://login.example.com/", {}, ""),
    "for this host alone": (
        "http://localhost:8080/",
        {"shop": published("site", "8182", "127.0.0.1")},
        "",
    ),
    "https inside": ("https://localhost/", {"ports": [8080, 443]}, "port 443 inside"),
    "https nowhere": ("https://localhost/", {}, ""),
    "https of the host": ("https://localhost/", {"ports": [8080, 443], "listening": [443]}, ""),
    "https by a proxy elsewhere": (
        "https://localhost/",
        {"ports": [8080, 443], "forwarded": FINE},
        "",
    ),
    "the name of a service": (
        "http://db:8080/login",
        {"neighbours": [container("db")]},
        "which only containers know",
    ),
    "the name of no site": ("https://_/", {}, "which is not a name of a machine"),
    "a template": ("https://${DOMAIN}/login", {}, "placeholder in its settings"),
    "an address outside": ("https://198.51.100.7/", {}, ""),
    "an IPv6 address outside": ("https://[2001:db8::7]/", {}, ""),
    "a name with an underline": ("https://my_shop.example.com/", {}, ""),
    "a name that nobody has here": ("http://intranet/login", {}, ""),
    "the visitor's own machine": (
        "http://localhost:8080/login",
        {"name": "shop.example.com"},
        "which only containers know",
    ),
}


@pytest.mark.parametrize(("location", "given", "expected"), CASES.values(), ids=CASES)
def test_redirects(location: str, given: dict[str, Any], expected: str) -> None:
    said = found(location, **given)
    assert len(said) == bool(expected)
    assert not expected or expected in said[0]


@pytest.mark.parametrize(
    ("location", "is_mended"), [("http://localhost:8080/app/", True), ("https://localhost/", False)]
)
def test_nginx_is_told_to_name_no_port(location: str, is_mended: bool) -> None:
    shop = published("site", "8182")
    reply = PageReply("answered", status=302, location=location)
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in (8080, 443))
    netns = ContainerNetns(shop, 1, links=(), addresses=(), routes=(), listeners=sockets)
    result = judge(
        "network.redirect-unserved",
        front_pages=pages(page(shop, reply, programs=("nginx",), host_port=8182)),
        containers=Containers((shop,)),
        namespaces=Namespaces({shop.id: netns}),
        listeners=Listeners((Listener("tcp", "0.0.0.0", 8182),)),
    )
    (finding,) = result.findings
    assert ("relative" in finding.variables) is is_mended
