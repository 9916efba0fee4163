"""The port of a server, as the variables of its caller have it."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.peers.called_peers import configured_port
from tests.checks.container.evidence import container_in

DB = container_in("running", name="db")
VARIABLES = {
    "an address": (["DATABASE_URL=postgres://shop:x@db:5433/shop"], 5433),
    "host and port": (["DB_HOST=db", "DB_PORT=5433"], 5433),
    "a place": (["BROKERS=db:9092"], 9092),
    "several ports": (["A=db:9092", "B=db:9093"], 0),
    "another host": (["DATABASE_URL=postgres://other:5433/shop"], 0),
    "no port": (["DB_HOST=db"], 0),
}


@pytest.mark.parametrize(("env", "port"), VARIABLES.values(), ids=VARIABLES)
def test_the_port_of_a_called_server(env: list[str], port: int) -> None:
    caller = container_in("exited", name="api", Config={"Env": env})
    assert configured_port(caller, DB) == port
