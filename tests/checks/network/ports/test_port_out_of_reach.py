"""network.port-out-of-reach, on ports that the user names."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.asked_ports import AskedPorts, asked_ports
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.ports_for_host_alone import ports_for_host_alone
from diagnose.evidence.run.options import Options
from diagnose.model import Severity
from diagnose.questions.network import Address
from diagnose.questions.processes import Process
from diagnose.questions.sockets import Socket
from tests.checks.network.evidence import container, links, namespaces_of, network
from tests.hosts import Made
from tests.judging import judge, rows


def published(address: str, name: str = "web") -> Container:
    binding = {"8080/tcp": [{"HostIp": address, "HostPort": "3000"}]}
    return container(name, NetworkSettings={"Ports": binding}, HostConfig={"PortBindings": binding})


STOPPED = container(
    "web",
    State={"Status": "exited", "Pid": 0},
    HostConfig={"PortBindings": {"8080/tcp": [{"HostIp": "", "HostPort": "3000"}]}},
)
DATAGRAMS = container(
    "wg", NetworkSettings={"Ports": {"3000/udp": [{"HostIp": "0.0.0.0", "HostPort": "3000"}]}}
)
CASES: dict[str, tuple[list[str], Container, str, int, list[tuple[str, str]]]] = {
    "nothing was asked": ([], published("127.0.0.1"), "", 0, []),
    "on loopback": (["3000"], published("127.0.0.1"), "", 0, [("warning", "web")]),
    "on all addresses": (["3000"], published("0.0.0.0"), "", 0, []),
    "at another address": (
        ["192.0.2.10:3000"], published("10.0.0.5"), "", 0, [("warning", "web")],
    ),
    "at the address": (["192.0.2.10:3000"], published("192.0.2.10"), "", 0, []),
    "at an address of the host": (["3000"], published("10.0.0.5"), "", 0, []),
    "at an address of another machine": (["198.51.100.7:3000"], published("127.0.0.1"), "", 0, []),
    "from the host itself": (["127.0.0.1:3000"], published("127.0.0.1"), "", 0, []),
    "by the gateway of a network": (["172.18.0.1:3000"], published("127.0.0.1"), "", 0, []),
    "of a container by its name": (["web:3000"], published("127.0.0.1"), "", 0, []),
    "served on its network alone": (["3000"], container("web"), "", 3000, [("warning", "web")]),
    "on loopback in it": (["3000"], container("web"), "", -3000, [("warning", "host")]),
    "stopped": (["3000"], STOPPED, "", 0, [("warning", "web")]),
    "of UDP": (["3000"], DATAGRAMS, "", 0, []),
    "nobody": (["3000"], container("web"), "", 0, [("warning", "host")]),
    "a program of the host": (["3000"], container("web"), "0.0.0.0", 0, []),
    "a program of the host on loopback": (
        ["3000"], container("web"), "127.0.0.1", 0, [("warning", "host")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "web", "listens", "inside", "expected"), CASES.values(), ids=CASES
)
def test_ports_that_the_user_names(
    asked: list[str], web: Container, listens: str, inside: int, expected: list[tuple[str, str]]
) -> None:
    """listens: where a program of the host does. inside: at which port one does in the container,
    negative for its loopback alone."""
    address = "0.0.0.0" if inside > 0 else "127.0.0.1"
    sockets = [Socket("tcp", address, abs(inside))] if inside else []
    found: Any = asked_ports(
        Options(reach=tuple(asked)),
        Containers((web,)),
        Networks((network(),)),
        links(),
        Listeners((Listener("tcp", listens, 3000, 7, "node"),) if listens else ()),
        namespaces_of(web, *sockets),
        firewall=None,
    )
    result = judge("network.port-out-of-reach", asked_ports=found)
    assert rows(result) == expected
    assert (result.verdict == "skipped") == (not asked)


REFUSED = {"src": "192.168.1.7", "dst": "192.0.2.10", "sport": 50000, "reply_src": "192.0.2.10"}
SHUT: dict[str, tuple[int, dict[str, Any], str, list[str] | None]] = {
    "an entry": (80, {}, "", []),
    "behind a web server of the host": (80, {}, "nginx", None),
    "behind a tunnel": (443, {}, "cloudflared", None),
    "a desktop": (80, {}, "gnome-shell", None),
    "another port": (3000, {}, "", None),
    "a container of this host": (3000, {**REFUSED, "src": "172.18.0.7"}, "", None),
    "another port, and a neighbour was refused": (3000, REFUSED, "nginx", ["192.168.1.7"]),
    "refused long ago": (3000, {**REFUSED, "state": "time_wait"}, "", None),
    "a scanner of the internet": (3000, {**REFUSED, "src": "8.8.8.8"}, "", None),
    "the host itself": (3000, {**REFUSED, "src": "192.0.2.10"}, "", None),
}


@pytest.mark.parametrize(("number", "call", "program", "callers"), SHUT.values(), ids=SHUT)
def test_ports_that_are_published_for_this_host_alone(
    number: int, call: dict[str, Any], program: str, callers: list[str] | None
) -> None:
    ports = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(number)}]}
    policy = {"RestartPolicy": {"Name": "always"}}
    networks = {"shop": {"NetworkID": "n", "IPAddress": "172.18.0.7"}}
    settings = {"Ports": ports, "Networks": networks}
    web = container("web", NetworkSettings=settings, HostConfig=policy)
    rows_of_table = [{"state": "close", "dport": number, **call}] if call else []
    found = ports_for_host_alone(
        Made({"conntrack": {"entries": rows_of_table}}),
        Containers((web,)),
        Listeners((Listener("tcp", "127.0.0.1", number, comm="docker-proxy"),)),
        links(addresses=(Address(2, "192.0.2.10", 24),)),
        Processes((Process(7, comm=program),)),
    )
    given = judge("network.port-out-of-reach", asked_ports=AskedPorts(()), for_host_alone=found)
    assert [finding.evidence.get("refused", []) for finding in given.findings] == (
        [] if callers is None else [callers]
    )
    assert all(finding.severity == Severity.advice for finding in given.findings)


def test_a_machine_that_tries_each_port_is_no_caller() -> None:
    numbers = (3000, 3001, 3002)
    ports = {
        f"{number}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(number)}] for number in numbers
    }
    web = container("web", NetworkSettings={"Ports": ports})
    found = ports_for_host_alone(
        Made({"conntrack": {"entries": [{"state": "close", "dport": 3000, **REFUSED}]}}),
        Containers((web,)),
        Listeners(()),
        links(addresses=(Address(2, "192.0.2.10", 24),)),
        Processes(()),
    )
    assert not list(found)
