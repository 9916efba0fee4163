"""The check in checks/network/listen_addresses.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTail, LogTails
from diagnose.evidence.network.interfaces import Address, Interfaces
from tests.checks.network.evidence import container
from tests.judging import judge, rows

HAPROXY = (
    "Starting frontend web: cannot bind socket (Cannot assign requested address) [192.0.2.99:443]"
)
HOST = Interfaces((), (Address(2, "192.0.2.10", 24),))
CASES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a floating address": ("host", HAPROXY, [("critical", "lb")]),
    "an address that came": ("host", HAPROXY.replace(".99", ".10"), []),
    "the host's address in a container": (
        "shop",
        "listen tcp 192.0.2.10:80: bind: cannot assign requested address",
        [("critical", "lb")],
    ),
    "all addresses": ("shop", "bind 0.0.0.0:80: cannot assign requested address", []),
    "a client": ("shop", "connect 192.0.2.99:80: cannot assign requested address", []),
    "a port that is taken": ("host", "bind 192.0.2.99:80: address already in use", []),
}


@pytest.mark.parametrize(("mode", "line", "wanted"), CASES.values(), ids=CASES)
def test_listen_address(mode: str, line: str, wanted: list[tuple[str, str]]) -> None:
    balancer = container("lb", HostConfig={"NetworkMode": mode})
    result = judge(
        "network.listen-address-missing",
        containers=Containers((balancer,)),
        log_tails=LogTails({balancer.id: LogTail((line,))}, {}),
        links=HOST,
    )
    assert rows(result) == wanted
    floating = {finding.variables.get("floating") for finding in result.findings}
    assert floating == ({"lb"} if wanted and mode == "host" else {None} if wanted else set())
