"""The ports that containers want, as their variables and images name them."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.calls.logged_failures import Kind, LoggedFailure, LoggedFailures
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.wanted.called_names import CalledNames
from diagnose.evidence.network.paths.wanted.wants import exposed_port, logged, wants_of
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from tests.checks.network.evidence import network
from tests.inspected import container, of

STACK = NetworkStack(Ruleset(), Routing(routes=(), rules=None, interfaces={}))
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


FAILED: dict[str, tuple[str, str, bool]] = {
    "refused by the host's name": ("refused", "host.docker.internal", True),
    "refused by an address": ("refused", "172.17.0.1", True),
    "no answer of an address": ("timeout", "10.0.0.9", True),
    "refused by a name of DNS": ("refused", "api.example.net", False),
    "a name that is not known": ("dns", "host.docker.internal", False),
}


@pytest.mark.parametrize(("kind", "host", "wanted"), FAILED.values(), ids=FAILED)
def test_a_call_that_fails_in_the_log(kind: Kind, host: str, *, wanted: bool) -> None:
    app = container("app", HostConfig={"ExtraHosts": ["host.docker.internal:host-gateway"]})
    failure = LoggedFailure(
        app, kind=kind, host=host, port=11434, line="refused", times=4, of=9, first=0.0
    )
    places = [(want.host, want.port) for want in logged(LoggedFailures((failure,)))]
    assert places == ([(host, 11434)] if wanted else [])
