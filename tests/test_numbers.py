"""What a container may write where a number is expected."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.resolvers import parse
from diagnose.evidence.network.proxies.routes.unserved_routes import unserved_routes
from diagnose.numbers import is_number, median
from tests.checks.network.evidence import LATER, container, namespaces_of
from tests.hosts import Made

ODD = ("²", "٣", "9" * 5000, "", "-1", "8_0")


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:2])
def test_what_is_no_number(text: str) -> None:
    assert not is_number(text)
    assert parse(f"options ndots:{text}\n").ndots == 1


def test_numbers() -> None:
    assert all(map(is_number, ("8080", "0", "9" * 18)))


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:2])
def test_a_port_that_is_none_leaves_the_routes_of_others_known(text: str) -> None:
    """A container that sets such a port is one of many behind the proxy."""
    proxy = container("proxy", Config={"Image": "nginxproxy/nginx-proxy:1.6"})
    odd = container("odd", Config={"Env": ["VIRTUAL_HOST=odd.test", f"VIRTUAL_PORT={text}"]})
    labels = {
        "traefik.http.routers.odd.rule": "Host(`odd.test`)",
        "traefik.http.services.odd.loadbalancer.server.port": text,
    }
    traefik = container(
        "traefik", Config={"Image": "traefik:v3.1", "Cmd": ["traefik", "--providers.docker=true"]}
    )
    labelled = container("labelled", Config={"Labels": labels})
    everybody = (proxy, odd, traefik, labelled)
    routes = unserved_routes(
        Made({}), Containers(everybody), namespaces_of(odd), LATER, written=None, networks=None
    )
    assert {route.container.name for route in routes} <= {"odd", "labelled"}


def test_the_median() -> None:
    assert [median([3, 1, 2]), median([4, 1, 2, 3]), median([7])] == [2, 2.5, 7]
