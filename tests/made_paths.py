"""A made host with networks and containers, and the walk between two of its ends."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.inspect import (
    Binding,
    HostConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.path import ends, hops
from diagnose.path.model import Path, PathEvidence
from diagnose.questions.network import Route
from diagnose.questions.sockets import Socket
from tests.firewall.test_trace import DNAT, MASQUERADE, stack, table

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
BRIDGE = Network(
    "b" * 64, "bridge", "bridge", options={"com.docker.network.bridge.name": "docker0"}
)
INNER = Network(
    "c" * 64, "inner", "bridge", internal=True, options={"com.docker.network.bridge.name": "br-in"}
)
PIDS = {
    "web": 10,
    "api": 11,
    "db": 12,
    "job": 13,
    "off": 0,
    "bare": 14,
    "hostly": 15,
    "sidecar": 16,
    "six": 17,
}


def container(
    name: str, networks: dict[str, str], *, mode: str = "", status: str = "running", **ports: Any
) -> Container:
    settings = NetworkSettings(
        {network: NetworkEndpoint(ip_address=address) for network, address in networks.items()},
        **ports,
    )
    state = State(status=status, pid=PIDS[name], exit_code=0 if PIDS[name] else 3)
    return Container(
        name * 8,
        f"/{name}",
        state=state,
        network_settings=settings,
        host_config=HostConfig(network_mode=mode),
    )


PUBLISHED = {"80/tcp": [Binding("0.0.0.0", "8080")], "81/tcp": [Binding("127.0.0.1", "8081")]}
ALL = (
    container("web", {"bridge": "172.17.0.2"}, ports=PUBLISHED),
    container("api", {"shop": "172.18.0.2"}),
    container("db", {"shop": "172.18.0.3"}),
    container("job", {"inner": "172.19.0.2"}),
    container("off", {"shop": ""}, status="exited"),
    container("bare", {}, mode="none"),
    container("hostly", {}, mode="host"),
    container("sidecar", {}, mode="container:" + "web" * 8),
)
VETHS = {"web": 7, "api": 8, "db": 9}
INTERFACES = Interfaces(
    (
        Interface(2, "eth0", up=True),
        Interface(4, "docker0", up=True, kind="bridge"),
        Interface(5, "br-shop", up=True, kind="bridge"),
        Interface(6, "br-in", up=True, kind="bridge"),
        Interface(7, "veth7", up=True, master=4),
        Interface(8, "veth8", up=True, master=5),
        Interface(9, "veth9", up=True, master=5),
    ),
    (Address(2, "192.0.2.10", 24), Address(4, "172.17.0.1", 16), Address(5, "172.18.0.1", 16)),
)


def inside(
    name: str,
    *sockets: Socket,
    routes: tuple[Route, ...] = (Route("0.0.0.0", 0, gateway="172.17.0.1", oif=2),),
) -> ContainerNetns:
    found = next(container for container in ALL if container.name == name)
    addresses = [endpoint.ip_address for endpoint in found.endpoints.values()]
    link = Interface(2, "eth0", up=True, link=VETHS.get(name))
    return ContainerNetns(
        found, 1, (link,), tuple(Address(2, address, 16) for address in addresses), routes, sockets
    )


OPEN = (
    inside("web", Socket("tcp", "0.0.0.0", 80), Socket("tcp", "127.0.0.1", 9)),
    inside("api"),
    inside("db", Socket("tcp", "::", 5432), Socket("udp", "172.18.0.3", 53)),
    inside("job"),
)
HOST = stack(
    MASQUERADE.replace("172.17.0.0/16 ! -o docker0", "172.16.0.0/12 -o eth0") + table("filter")
)
TRANSLATED = stack(table("nat", DNAT, "-A POSTROUTING -s 172.16.0.0/12 -o eth0 -j MASQUERADE"))


def made(**changes: Any) -> PathEvidence:
    host = PathEvidence(
        Containers(ALL),
        Networks((BRIDGE, INNER, SHOP)),
        HostStack(TRANSLATED),
        INTERFACES,
        Uplinks((Uplink("eth0", "192.0.2.10"),), {2: "eth0"}),
        Namespaces({netns.container.id: netns for netns in OPEN}),
        Listeners(
            (Listener("tcp", "0.0.0.0", 22, 1, "sshd"), Listener("tcp", "127.0.0.1", 25, 2, "exim"))
        ),
    )
    return replace(host, **changes)


def walked(begin: str, target: str, host: PathEvidence) -> Path:
    first = ends.end(begin, host.containers, host.interfaces)
    wanted = ends.target(target)
    last = ends.end(wanted.end, host.containers, host.interfaces, first.container)
    return hops.path(host, first, wanted, last)


def decided(path: Path) -> tuple[str, str]:
    return path.state, path.decisive.kind if path.decisive else ""


DROPPED = stack(table("filter", "-A FORWARD -i br-shop -j DROP") + MASQUERADE)


def changed(netns: ContainerNetns) -> Namespaces:
    return Namespaces(
        {**{opened.container.id: opened for opened in OPEN}, netns.container.id: netns}
    )
