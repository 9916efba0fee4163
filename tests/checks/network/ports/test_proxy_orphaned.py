"""The checks in checks/network/ports/proxy_orphaned.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.network.evidence import OLD_BIND, PUBLISHED, container, refused_start
from tests.judging import judge, rows

PROXY = [
    "docker-proxy",
    "-proto",
    "tcp",
    "-host-port",
    "8080",
    "-container-ip",
    "172.17.0.9",
    "-container-port",
    "80",
]


INIT, ENGINE = Process(1, comm="systemd"), Process(20, comm="dockerd")


@pytest.mark.parametrize(
    ("parent", "listed", "expected"),
    [
        pytest.param(1, [container("a")], [("warning", "host")], id="of nobody"),
        pytest.param(
            1,
            [refused_start("b", OLD_BIND)],
            [("critical", "host")],
            id="a container wants the port",
        ),
        pytest.param(20, [container("a")], [], id="of an engine"),
        pytest.param(
            1, [container("a", NetworkSettings=PUBLISHED)], [], id="its port is published"
        ),
    ],
)
def test_proxy_orphaned(
    parent: int, listed: list[Container], expected: list[tuple[str, str]]
) -> None:
    processes = Processes(
        (INIT, ENGINE, Process(30, ppid=parent, comm="docker-proxy", cmdline=PROXY))
    )
    result = judge(
        "network.proxy-orphaned", containers=Containers(tuple(listed)), processes=processes
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["pid"] == "30"
