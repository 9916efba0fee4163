"""The check in checks/dns/resolver_bypassed.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.dns.absent_resolvers import absent_resolvers
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames, failed_name
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from tests.checks.dns.evidence import container
from tests.judging import judge, rows

NONE = (
    "2026/11/27 17:53:35 [error] 6#6: *5 no resolver defined to resolve shop, client: 192.0.2.1, "
    'server: , request: "GET / HTTP/1.1", host: "192.0.2.10"'
)
REFUSED = "2026/11/27 17:53:35 [error] 6#6: *5 shop could not be resolved ({}), client: 192.0.2.1"


def place(name: str, network: str, **fields: object) -> Container:
    settings = {"Networks": {network: {"IPAddress": "172.18.0.2", "Aliases": [name]}}}
    return container(name, NetworkSettings=settings, **fields)


EDGE, SHOP = place("edge", "front"), place("shop", "front")
GONE = place("shop", "front", State={"Status": "exited", "Pid": 0})
CASES = {
    "no directive": (NONE, (EDGE, SHOP), True),
    "no directive, and nobody has the name": (NONE, (EDGE,), True),
    "another server": (REFUSED.format("3: Host not found"), (EDGE, SHOP), True),
    "another server that refuses": (REFUSED.format("5: Operation refused"), (EDGE, SHOP), True),
    "a backend that has ended": (REFUSED.format("3: Host not found"), (EDGE, GONE), False),
    "another network": (REFUSED.format("3: Host not found"), (EDGE, place("shop", "b")), False),
    "no answer": (REFUSED.format("110: Operation timed out"), (EDGE, SHOP), False),
    "another program": ("could not resolve host: shop", (EDGE, SHOP), False),
}


@pytest.mark.parametrize(("line", "members", "speaks"), CASES.values(), ids=CASES)
def test_nginx_that_asks_another_resolver(
    line: str, members: tuple[Container, ...], speaks: bool
) -> None:
    assert failed_name(line) == "shop"
    failed = FailedNames({EDGE.id: (FailedName("shop", line),)})
    result = judge("dns.resolver-bypassed", containers=Containers(members), failed=failed)
    assert rows(result) == ([("critical", "edge")] if speaks else [])


ENGINE_REFUSES = (
    "2026/11/27 17:53:35 [error] 6#6: send() failed (111: Connection refused) while resolving, "
    "resolver: 127.0.0.11:53"
)
OTHER_REFUSES = ENGINE_REFUSES.replace("127.0.0.11:53", "127.0.0.110:53")
CONF = ResolvConf(("192.0.2.53",))
RESOLVERS = Resolvers(CONF, CONF, configured=(), inside={})
ABSENT: dict[str, tuple[Container, str, int, list[set[str]]]] = {
    "the default network": (
        place("edge", "bridge"), ENGINE_REFUSES, 2, [{"unresolved"}],
    ),
    "the host's network": (
        place("edge", "host", HostConfig={"NetworkMode": "host"}), ENGINE_REFUSES, 2,
        [{"own_server"}],
    ),
    "a network that has it": (place("edge", "front"), ENGINE_REFUSES, 2, []),
    "another server": (place("edge", "bridge"), OTHER_REFUSES, 2, []),
    "once": (place("edge", "bridge"), ENGINE_REFUSES, 1, []),
}  # fmt: skip


@pytest.mark.parametrize(("edge", "line", "times", "expected"), ABSENT.values(), ids=ABSENT)
def test_where_the_engine_has_no_resolver(
    edge: Container, line: str, times: int, expected: list[set[str]]
) -> None:
    clock = Clock(wall=4e9, booted=0.0)
    logs = RecentLogs({edge.id: tuple(RecentLine(4e9 - 1, line) for _ in range(times))})
    members = Containers((edge,))
    absent = absent_resolvers(members, logs, clock, None)
    result = judge(
        "dns.resolver-bypassed",
        containers=members,
        failed=FailedNames({}),
        absent_resolvers=absent,
        resolvers=RESOLVERS,
    )
    offered = {"unresolved", "own_server"}
    assert [offered.intersection(finding.variables) for finding in result.findings] == expected


STARTED = {
    "it never failed": (5.0, 0, True),
    "it failed once, long ago": (90.0, 1, True),
    "in a restart loop": (5.0, 7, False),
}


@pytest.mark.parametrize(("ago", "restarts", "speaks"), STARTED.values(), ids=STARTED)
def test_a_name_that_comes_and_goes(ago: float, restarts: int, *, speaks: bool) -> None:
    shop = place("shop", "front", RestartCount=restarts)
    failed = FailedNames({EDGE.id: (FailedName("shop", REFUSED.format("2: Server failure")),)})
    clock = Clock(wall=(shop.started_at or 0.0) + ago, booted=0.0)
    members = Containers((EDGE, shop))
    result = judge("dns.resolver-bypassed", containers=members, failed=failed, clock=clock)
    assert bool(result.findings) == speaks


ENGINE, PODMAN = Ping("1.51", "28.5.2", ""), Ping("1.41", "4.9.3", "4.9.3")
COMMAND = {"Path": "/docker-entrypoint.sh", "Args": ["nginx", "-g", "daemon off;"]}
SUPERVISED = {"Path": "/usr/bin/supervisord", "Args": []}
ON_HOST = {"HostConfig": {"NetworkMode": "host"}}
CURES: dict[str, tuple[Container, Ping, set[str]]] = {
    "nginx": (place("edge", "front", **COMMAND), ENGINE, {"server", "unserved"}),
    "a supervisor, which a signal restarts": (
        place("edge", "front", **SUPERVISED),
        ENGINE,
        {"server"},
    ),
    "the default network": (place("edge", "bridge", **COMMAND), ENGINE, {"other_server"}),
    "the host's network": (place("edge", "host", **COMMAND, **ON_HOST), ENGINE, set()),
    "Podman's resolver is another one": (place("edge", "front", **COMMAND), PODMAN, set()),
}


@pytest.mark.parametrize(("edge", "ping", "variables"), CURES.values(), ids=CURES)
def test_where_a_resolver_can_be_named(edge: Container, ping: Ping, variables: set[str]) -> None:
    """The engine's resolver serves user-defined networks alone."""
    failed = FailedNames({edge.id: (FailedName("shop", NONE),)})
    (finding,) = judge(
        "dns.resolver-bypassed", containers=Containers((edge,)), failed=failed, ping=ping
    ).findings
    assert set(finding.variables) - {"container", "name"} == variables
