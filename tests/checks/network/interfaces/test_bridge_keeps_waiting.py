"""What the check says of bridges with the spanning tree protocol."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.networks import Networks
from tests.checks.network.evidence import (
    BRIDGE,
    LATER,
    UPLINK,
    VETH,
    container,
    links,
    network,
    with_fields,
)
from tests.judging import judge, rows

NETWORK = network("shop")
TREE = with_fields(BRIDGE, spanning_tree=True, forward_delay=1500)
FAST = with_fields(TREE, forward_delay=200)
LISTENING = with_fields(VETH, bridge_port_state="listening")
ON_BRIDGE = with_fields(UPLINK, master=BRIDGE.index)
OTHER = with_fields(ON_BRIDGE, index=3, name="eth1")
ENDED = {
    "Status": "restarting",
    "ExitCode": 1,
    "StartedAt": "2026-01-02T03:04:05Z",
    "FinishedAt": "2026-01-02T03:04:07Z",
}
LATE = ENDED | {"FinishedAt": "2026-01-02T03:05:07Z"}

LOST = "db: No route to host"


def _judged(state: dict[str, Any], log: str, *interfaces: Any) -> Any:
    job = container("job", State=state, NetworkSettings={"Networks": {"shop": {}}})
    return judge(
        "network.bridge-keeps-waiting",
        interfaces=links(*interfaces),
        networks=Networks((NETWORK,)),
        containers=Containers((job,)),
        log_tails=LogTails({job.id: LogTail((log,))}, {}),
        clock=LATER,
    )


CASES: dict[str, tuple[tuple[Any, ...], list[tuple[str, str]]]] = {
    "fails at once": ((ENDED, LOST, TREE, VETH), [("critical", "shop")]),
    "fails later": ((LATE, LOST, TREE, VETH), [("advice", "shop")]),
    "fails for another reason": ((ENDED, "wrong password", TREE, VETH), [("advice", "shop")]),
    "a port waits": ((LATE, "", TREE, LISTENING), [("warning", "shop")]),
    "short delay": ((ENDED, LOST, FAST, VETH), []),
    "no protocol": ((ENDED, LOST, BRIDGE, VETH), []),
}


@pytest.mark.parametrize("name", CASES)
def test_bridge_keeps_waiting(name: str) -> None:
    given, wanted = CASES[name]
    assert rows(_judged(*given)) == wanted


LOOPS = {
    "one way out": ((TREE, ON_BRIDGE), "bridge"),
    "two ways out": ((TREE, ON_BRIDGE, OTHER), "looped_bridge"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_protocol_stays_on_where_it_guards_against_loops(name: str) -> None:
    interfaces, variable = LOOPS[name]
    (finding,) = _judged(LATE, "", *interfaces).findings
    assert finding.variables == {variable: BRIDGE.name}
