"""Whom a container's last words name: the containers on its networks that did not answer it."""

from __future__ import annotations

import pytest

from checks.container._words import peers
from diagnose.evidence.container import Endpoint, NetworkSettings
from diagnose.evidence.containers import Container, Containers


def a(name: str, network: str = "shop", **endpoint: object) -> Container:
    settings = NetworkSettings(networks={network: Endpoint(**endpoint)})  # type: ignore[arg-type]
    return Container(id=name * 8, name=f"/{name}", network_settings=settings)


FRONT = a("front")
OTHERS = [FRONT, a("db", ip_address="172.18.0.2", aliases=["postgres"]), a("mail", "lab"), a("api"), a("shop-host")]
CASES = {
    "its name": (["nc: bad address 'db'"], ["db"]),
    "its name and port": (["dial tcp: lookup db:5432: no such host"], ["db"]),
    "in a URL": (["GET http://api:8080/cart: connection refused"], ["api"]),
    "its alias": (["could not resolve postgres"], ["db"]),
    "its address": (["can't connect to remote host (172.18.0.2): Connection refused"], ["db"]),
    "two of them": (["bad address 'db'", "bad address 'api'"], ["api", "db"]),
    "at the end of a sentence": (["connection refused by db."], ["db"]),
    "a line that tells of no call in vain": (["db is at version 12"], []),
    "on another network": (["bad address 'mail'"], []),
    "a part of a path": (["GET https://pay.example/api/v1: i/o timeout"], []),
    "a part of a longer name": (["bad address 'db.example.net'"], []),
    "itself": (["front: connection refused"], []),
    "nothing said": ([], []),
}


@pytest.mark.parametrize("name", CASES)
def test_peers(name: str) -> None:
    lines, named = CASES[name]
    assert sorted(subject.name for subject in peers(lines, FRONT, Containers(tuple(OTHERS)))) == named
