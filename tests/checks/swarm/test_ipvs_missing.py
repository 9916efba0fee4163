"""A kernel without the balancer of services."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.machine.modules import Ipvs
from tests.checks.swarm.evidence import swarm_of, task_on
from tests.inspected import of
from tests.judging import judge

NO_IPVS = 'time="2026-01-02T03:00:00Z" level=error msg="Could not get ipvs family information from the kernel."'


@pytest.mark.parametrize(
    ("mode", "networks", "there", "expected"),
    [
        ("vip", ["shop"], False, ["web"]),
        ("dnsrr", ["shop"], False, []),
        ("dnsrr", ["ingress"], False, ["web"]),
        ("vip", ["shop"], True, []),
    ],
    ids=["an own address", "no own address", "a port in ingress mode", "a kernel that has it"],
)
def test_a_kernel_without_a_balancer(
    mode: str, networks: list[str], there: bool, expected: list[str]
) -> None:
    result = judge(
        "swarm.ipvs-missing",
        swarm=swarm_of({"EndpointSpec": {"Mode": mode}}, []),
        log=DaemonLog(parse([NO_IPVS]), "journal docker.service"),
        ipvs=Ipvs(there),
        containers=of(task_on(*networks)),
    )
    assert [finding.variables["services"] for finding in result.findings] == expected
