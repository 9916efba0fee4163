"""The ports that containers want, as their variables and images name them."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.called_names import CalledNames
from diagnose.evidence.network.paths.wants import exposed_port, wants_of
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.stack import Stack
from tests.checks.network.evidence import network
from tests.inspected import container, of

STACK = Stack(Ruleset(), Routing((), None, {}))
PORTS: dict[str, tuple[list[str], int]] = {
    "beside it": (["DB_HOST=db", "DB_PORT=6000"], 6000),
    "hinted at": (["POSTGRES_HOST=db"], 5432),
    "no number": (["DB_HOST=db", "DB_PORT=²"], 0),
    "too long for a number": (["DB_HOST=db", "DB_PORT=" + "9" * 5000], 0),
}


@pytest.mark.parametrize(("environment", "port"), PORTS.values(), ids=PORTS)
def test_the_port_beside_a_host(environment: list[str], port: int) -> None:
    on_shop = {"Networks": {"shop": {"IPAddress": "172.18.0.3"}}}
    app = container("app", Config={"Env": environment}, NetworkSettings=on_shop)
    db = container("db", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.2"}}})
    names = CalledNames(STACK, of(app, db), Networks((network(),)), "")
    assert [(want.host, want.port) for want in wants_of(app, names, None)] == [("db", port)]


EXPOSED = {"5432/tcp": 5432, "8000-8010/tcp": 0, "²/tcp": 0, "53/udp": 0}


@pytest.mark.parametrize(("exposed", "port"), EXPOSED.items(), ids=EXPOSED)
def test_the_port_that_an_image_exposes(exposed: str, port: int) -> None:
    assert exposed_port(container("db", Config={"ExposedPorts": {exposed: {}}})) == port
