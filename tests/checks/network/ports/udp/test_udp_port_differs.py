"""UDP ports that are published where nothing listens, beside the one that a program takes."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.moved_udp_ports import moved_udp_ports
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

CLOCK = Clock(wall=1767225600.0, booted=0)
STARTED = "2025-12-31T23:00:00Z"
VPN = {"12345/udp": "12345"}
RANGE = {f"{port}/udp": str(port) for port in range(51820, 51840)}


def server(ports: dict[str, str], *declared: str, **config: Any) -> Container:
    bindings = {port: [{"HostIp": "0.0.0.0", "HostPort": host}] for port, host in ports.items()}
    mount = {"Type": "bind", "Source": "/srv/vpn", "Destination": "/etc/wireguard"}
    exposed: dict[str, Json] = {port: {} for port in (*ports, *declared)}
    return container(
        "vpn",
        State={"Status": "running", "Pid": 7, "StartedAt": STARTED},
        Config={"ExposedPorts": exposed, **config},
        NetworkSettings={"Ports": bindings, "Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        Mounts=[mount],
    )


def udp(*ports: int, address: str = "0.0.0.0") -> list[Socket]:
    return [Socket("udp", address, port) for port in ports]


EXPOSED = server(VPN, "51820/udp")
NAMED = server(VPN, Env=["LISTEN=51820"])
WARNED, ADVISED = [("warning", "vpn")], [("advice", "vpn")]
CASES = {
    "the image declares the port": (EXPOSED, udp(51820), "", WARNED),
    "a variable names it": (NAMED, udp(51820), "", WARNED),
    "a file names it": (server(VPN), udp(51820), "ListenPort = 51820\n", WARNED),
    "a low port that nothing names": (server(VPN), udp(514), "", ADVISED),
    "the kernel chose it": (server(VPN), udp(51820), "", []),
    "a published one is served": (EXPOSED, udp(12345, 51820), "", []),
    "for itself alone": (EXPOSED, udp(51820, address="127.0.0.1"), "", []),
    "for devices": (server(VPN, "5353/udp"), udp(5353), "", []),
    "two of them": (server(VPN, "8301/udp", "8302/udp"), udp(8301, 8302), "", []),
    "a range for calls": (server(RANGE, "5060/udp"), udp(5060), "", []),
    "a range beside the port of a file": (server(RANGE), udp(51713), "ListenPort=51713", WARNED),
    "published for TCP": (server({**VPN, "53/tcp": "53"}, "53/udp"), udp(53), "", []),
}


@pytest.mark.parametrize(("who", "sockets", "text", "expected"), CASES.values(), ids=CASES)
def test_udp_port_differs(
    who: Container, sockets: list[Socket], text: str, expected: list[tuple[str, str]]
) -> None:
    assert rows(_judged(who, sockets, text)) == expected


def test_a_vpn_client_whose_network_another_program_uses() -> None:
    guest = container("torrents", HostConfig={"NetworkMode": f"container:{EXPOSED.id}"})
    assert rows(_judged(EXPOSED, udp(51820), "", guest)) == []


def test_cures() -> None:
    (one,) = _judged(EXPOSED, udp(51820), "").findings
    assert one.variables["publish"] == "12345:51820/udp"
    assert one.variables["narrow"] == "12345:12345/udp"
    (more,) = _judged(server(RANGE), udp(51713), "ListenPort=51713").findings
    assert more.variables["further"] == "51713:51713/udp"


def _judged(who: Container, sockets: list[Socket], text: str, *more: Container) -> Any:
    def read(question: Question[Any]) -> Json | Failed:
        return {"text": text, "truncated": False} if text else Failed("missing", "")

    listing = {"entries": [{"name": "wg0.conf", "type": "file"}], "truncated": False}
    netns = ContainerNetns(who, 1, links=(), addresses=(), routes=(), listeners=tuple(sockets))
    host = Made({"file.list": listing, "file.read": read})
    moved = moved_udp_ports(host, of(who, *more), Namespaces({who.id: netns}, ()), CLOCK)
    return judge("network.udp-port-differs", moved_udp_ports=moved)
