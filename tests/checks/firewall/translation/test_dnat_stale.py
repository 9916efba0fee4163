"""What is said of rules of published ports that lead to nobody, over made rulesets."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.firewall.ruleset import assemble
from diagnose.model import Verdict
from tests.inspected import container, of
from tests.judging import judge, rows

BRIDGE = {
    "Id": "a" * 64,
    "Name": "bridge",
    "Driver": "bridge",
    "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]},
}
OF_TASKS = {
    "Id": "b" * 64,
    "Name": "docker_gwbridge",
    "Driver": "bridge",
    "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}]},
}
NETWORKS = Networks(tuple(msgspec.convert(row, Network) for row in (BRIDGE, OF_TASKS)))
PORTS = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}
WEB = container(
    "web", NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}, "Ports": PORTS}
)
NOW = Clock(1000.0, 0.0)
SSH = Listener("tcp", "0.0.0.0", 22, 700, "sshd")
LOCAL = Listener("tcp", "127.0.0.1", 22, 700, "sshd")
PROXY = Listener("tcp", "0.0.0.0", 22, 701, "docker-proxy")


def wall(*rules: str) -> Firewall:
    lines = [f"-A DOCKER {rule}" for rule in rules]
    jump = "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"
    return Firewall(
        assemble(
            None,
            {"ip": "\n".join(["*nat", ":PREROUTING ACCEPT", ":DOCKER -", jump, *lines, "COMMIT"])},
        )
    )


def rule(host_port: int, target: str, protocol: str = "tcp") -> str:
    return f"! -i docker0 -p {protocol} -m {protocol} --dport {host_port} -j DNAT --to-destination {target}"


OWN = rule(8080, "172.17.0.2:80")
CASES = {
    "the container's own rule": ([OWN], [SSH], []),
    "before the container's own": ([rule(8080, "172.17.0.9:80"), OWN], [], [("critical", "host")]),
    "in the way of a program": ([OWN, rule(22, "172.17.0.9:22")], [SSH], [("critical", "host")]),
    "another protocol": ([OWN, rule(22, "172.17.0.9:22", "udp")], [SSH], [("advice", "host")]),
    "a program for the host alone": (
        [OWN, rule(22, "172.17.0.9:22")],
        [LOCAL],
        [("advice", "host")],
    ),
    "a leftover proxy": ([OWN, rule(22, "172.17.0.9:22")], [PROXY], [("advice", "host")]),
    "a task of a swarm": ([OWN, rule(8080, "172.18.0.6:80")], [PROXY], []),
    "a machine beyond the host": ([OWN, rule(22, "192.0.2.7:22")], [SSH], []),
}


@pytest.mark.parametrize("name", CASES)
def test_leftover_rules(name: str) -> None:
    rules, listening, wanted = CASES[name]
    result = judge(
        "firewall.dnat-stale",
        firewall=wall(*rules),
        containers=of(WEB),
        networks=NETWORKS,
        listeners=Listeners(tuple(listening)),
        clock=NOW,
    )
    assert rows(result) == wanted


def test_the_first_matching_rule_is_named_by_its_place() -> None:
    result = judge(
        "firewall.dnat-stale",
        firewall=wall(rule(8080, "172.17.0.9:80"), OWN),
        containers=of(WEB),
        networks=NETWORKS,
        clock=NOW,
    )
    assert result.findings[0].variables["rule_number"] == "1"


def test_no_published_port_no_leftover() -> None:
    result = judge(
        "firewall.dnat-stale", firewall=wall(), containers=of(WEB), networks=NETWORKS, clock=NOW
    )
    assert result.verdict is Verdict.SKIPPED


STATES: dict[str, tuple[dict[str, object], list[tuple[str, str]]]] = {
    "restarts": ({"Status": "restarting", "Pid": 0}, []),
    "has run for a second since its last failure": (
        {"Status": "running", "Pid": 9, "StartedAt": "1970-01-01T00:16:39Z"},
        [],
    ),
    "has run for an hour since its last failure": (
        {"Status": "running", "Pid": 9, "StartedAt": "1969-12-31T23:16:40Z"},
        [("critical", "host")],
    ),
    "has just ended": ({"Status": "exited", "Pid": 0, "FinishedAt": "1970-01-01T00:16:38Z"}, []),
}


@pytest.mark.parametrize(("state", "expected"), STATES.values(), ids=STATES)
def test_the_rule_of_a_container_between_two_runs(
    state: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    """Its rule and its address were read at two moments of a restart."""
    ports = {"22/tcp": [{"HostIp": "", "HostPort": "22"}]}
    looping = container("looping", State=state, RestartCount=7, HostConfig={"PortBindings": ports})
    result = judge(
        "firewall.dnat-stale",
        firewall=wall(OWN, rule(22, "172.17.0.9:22")),
        containers=of(WEB, looping),
        networks=NETWORKS,
        listeners=Listeners((SSH,)),
        clock=NOW,
    )
    assert rows(result) == expected
