"""The check in checks/network/ports/declared_port_not_listening.py, and the evidence it reads."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.unserved_ports import unserved_ports
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

NOW = 1_800_000_000.0
REFUSED = "crond: can't set groups: Operation not permitted"
ERROR = "psycopg2.OperationalError: could not connect to server: Connection timed out"
WORK = [f"job {number} done" for number in range(8)]
CASES: dict[str, tuple[list[str], dict[str, Any], int, int]] = {
    "the log ends with an error": (["starting", ERROR], {}, 0, 1),
    "an error that no restart heals": (["starting", REFUSED], {}, 0, 1),
    "it works on": (["starting", ERROR, *WORK], {}, 0, 0),
    "its work failed hours later": (["starting", f"LATER {ERROR}"], {}, 0, 0),
    "no error at all": (["starting", "ready"], {}, 0, 0),
    "it listens": (["starting", ERROR], {}, 8069, 0),
    "it declares nothing": (["starting", ERROR], {"Config": {}}, 0, 0),
    "it was started a moment ago": (
        ["starting", ERROR],
        {"State": {"Status": "running", "Pid": 7, "StartedAt": "2027-01-15T07:59:50Z"}},
        0,
        0,
    ),
}


@pytest.mark.parametrize(("lines", "changes", "port", "count"), CASES.values(), ids=CASES)
def test_a_server_that_does_not_listen(
    lines: list[str], changes: dict[str, Any], port: int, count: int
) -> None:
    fields = {
        "State": {"Status": "running", "Pid": 7, "StartedAt": "2027-01-15T07:00:00Z"},
        "Config": {"ExposedPorts": {"8069/tcp": {}, "8072/tcp": {}}},
        **changes,
    }
    odoo = container("odoo", **fields)
    sockets = (
        Socket("tcp", "127.0.0.11", 40000),
        *([Socket("tcp", "0.0.0.0", port)] if port else []),
    )
    namespaces = Namespaces(
        {odoo.id: ContainerNetns(odoo, 1, links=(), addresses=(), routes=(), listeners=sockets)}
    )
    containers = Containers([odoo])
    stamped = [
        f"2027-01-15T07:{'50' if line.startswith('LATER') else '00'}:0{at % 10}.000000000Z {line}"
        for at, line in enumerate(lines)
    ]
    host = Made({"api.logs": {"text": "\n".join(stamped)}})
    result = judge(
        "network.declared-port-not-listening",
        containers=containers,
        namespaces=namespaces,
        unserved=unserved_ports(host, containers, namespaces),
        clock=Clock(NOW, NOW - 9000),
    )
    assert rows(result) == [("advice", "odoo")] * count
    may_be_over = ["again" in finding.variables for finding in result.findings]
    assert may_be_over == [REFUSED not in lines] * count
