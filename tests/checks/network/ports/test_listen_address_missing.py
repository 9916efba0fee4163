"""The check in checks/network/ports/listen_address_missing.py."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.runbooks import Place, cure
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
    "in the words of musl": (
        "host",
        "bind: 192.0.2.99:443: Address not available",
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


KEEPALIVED = "Keepalived_vrrp[23]: bind unicast_src 192.0.2.33 failed 99 - Address not available"
RUNNING = {
    "an earlier address": ("host", KEEPALIVED, [("warning", "lb")]),
    "an address that came": ("host", KEEPALIVED.replace(".33", ".10"), []),
    "in a network of its own": ("shop", KEEPALIVED, []),
    "a client": ("host", "connect 192.0.2.33:80: Address not available", []),
}


@pytest.mark.parametrize(("mode", "line", "wanted"), RUNNING.values(), ids=RUNNING)
def test_a_program_that_runs_on_without_its_address(
    mode: str, line: str, wanted: list[tuple[str, str]]
) -> None:
    mount = {"Type": "bind", "Source": "/srv/k.conf", "Destination": "/etc/k.conf", "RW": True}
    balancer = container("lb", HostConfig={"NetworkMode": mode}, Mounts=[mount])
    at = (balancer.started_at or 0.0) + 5
    result = judge(
        "network.listen-address-missing",
        containers=Containers((balancer,)),
        log_tails=LogTails({}, {}),
        links=HOST,
        recent_logs=RecentLogs({balancer.id: (RecentLine(at, line),)}),
        uplinks=Uplinks((Uplink("eth0", "192.0.2.10"),)),
    )
    assert rows(result) == wanted
    for finding in result.findings:
        assert finding.variables["own_edit"] == r"s/\b192\.0\.2\.33\b/192.0.2.10/g"


FOREIGN = "Could not create server TCP listening socket 192.0.2.9:6379: bind: Cannot assign requested address"
PLACES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "its command": (
        {"Config": {"Cmd": ["redis-server", "--bind", "192.0.2.9"]}},
        {"new_command": "redis-server --bind 0.0.0.0"},
    ),
    "a variable": (
        {"Config": {"Env": ["LISTEN=192.0.2.9:80"]}},
        {"assignment": "LISTEN=0.0.0.0:80"},
    ),
    "a mounted file": (
        {"Mounts": [{"Type": "bind", "Source": "/srv/a.conf", "Destination": "/etc/a.conf"}]},
        {"edited": "/srv/a.conf"},
    ),
    "nowhere": ({}, {}),
    "two places": ({"Config": {"Env": ["A=192.0.2.9", "B=192.0.2.9"]}}, {}),
}


def test_an_address_that_is_called_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text(
        "listen 192.0.2.9:80;\nproxy_pass http://192.0.2.9:81;\nreplicaof 192.0.2.9 1\n"
    )
    mount = {"Type": "bind", "Source": str(file), "Destination": "/etc/a.conf"}
    edit = _variables({"Mounts": [mount]})["edit"]
    subprocess.run(["sed", "-i", edit, str(file)], check=True)
    lines = file.read_text().splitlines()
    assert lines[0] == "listen 0.0.0.0:80;"
    assert all("192.0.2.9" in line for line in lines[1:])


@pytest.mark.parametrize(("parts", "expected"), PLACES.values(), ids=PLACES)
def test_where_the_address_is_set(parts: dict[str, Any], expected: dict[str, str]) -> None:
    found = _variables(parts)
    assert {name: found.get(name) for name in expected} == expected
    offered = cure("network.listen-address-missing", found, Place())
    assert (offered is not None) is bool(expected)


def _variables(parts: dict[str, Any]) -> Mapping[str, str]:
    server = container("lb", **parts)
    result = judge(
        "network.listen-address-missing",
        containers=Containers((server,)),
        log_tails=LogTails({server.id: LogTail((FOREIGN,))}, {}),
        links=HOST,
    )
    (finding,) = result.findings
    return finding.variables
