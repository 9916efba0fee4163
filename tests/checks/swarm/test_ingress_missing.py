"""What the check says of a swarm by its networks."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.swarm.swarm import Swarm
from tests.judging import judge, rows

MESH = Network("a" * 64, name="mesh", driver="overlay", ingress=True)
BRIDGE = Network("b" * 64, name="bridge", driver="bridge")
MANAGER = Swarm("active", manager=True)
REFUSED = "service needs ingress network, but no ingress network is present"

CASES: dict[str, tuple[Swarm, Network, str, list[tuple[str, str]]]] = {
    "refused": (MANAGER, BRIDGE, REFUSED, [("critical", "docker")]),
    "nothing refused": (MANAGER, BRIDGE, "started", [("advice", "docker")]),
    "as usual": (MANAGER, MESH, REFUSED, []),
    "worker": (Swarm("active"), BRIDGE, REFUSED, []),
    "no swarm": (Swarm("inactive"), BRIDGE, REFUSED, []),
    "has an error": (Swarm("error", manager=True), BRIDGE, REFUSED, []),
}


@pytest.mark.parametrize("name", CASES)
def test_ingress_missing(name: str) -> None:
    swarm, network, said, wanted = CASES[name]
    line = f'time="2026-01-02T03:00:00Z" level=error msg="{said}"'
    log = DaemonLog(parse([line]), "docker.log")
    result = judge("swarm.ingress-missing", swarm=swarm, networks=Networks((network,)), log=log)
    assert rows(result) == wanted
