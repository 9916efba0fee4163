"""Evidence that several files of this family share."""

from __future__ import annotations

from typing import Any

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.routes import Route
from diagnose.model import Finding, Severity, Skipped

NET_ID = "0123456789ab" + 52 * "0"


def container(name: str, **fields: Any) -> Container:
    """A container as inspect shows it: running, with an address on network shop, unless `fields`
    say otherwise."""
    state = {"Status": "running", "Pid": 7, "StartedAt": "2026-01-01T00:00:00Z"} | fields.pop(
        "State", {}
    )
    settings = {
        "Networks": {"shop": {"IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02"}}
    } | fields.pop("NetworkSettings", {})
    return msgspec.convert(
        {"Id": name.ljust(64, "0"), "Name": f"/{name}", "State": state, "NetworkSettings": settings}
        | fields,
        Container,
    )


def refused_start(name: str, error: str, **fields: Any) -> Container:
    return container(
        name,
        State={"Status": "created", "Pid": 0, "ExitCode": 128, "Error": error},
        **{"NetworkSettings": {"Networks": {}}, **fields},
    )


def network(
    name: str = "shop", subnet: str = "172.18.0.0/16", gateway: str = "172.18.0.1", **fields: Any
) -> Network:
    pools = [{"Subnet": subnet, "Gateway": gateway} | fields.pop("pool", {})]
    made = {"Id": NET_ID, "Name": name, "Driver": "bridge", "IPAM": {"Config": pools}} | fields
    return msgspec.convert(made, Network)


BRIDGE = Interface(
    index=5, name="br-0123456789ab", up=True, operstate="up", kind="bridge", mtu=1500
)


UPLINK = Interface(index=2, name="eth0", up=True, operstate="up", mtu=1500)


VETH = Interface(
    index=9, name="veth1", up=True, operstate="up", kind="veth", link=8, link_netnsid=0, master=5
)


ADDRESSES = (Address(5, "172.18.0.1", 16), Address(2, "192.0.2.10", 24))


def links(*items: Interface, addresses: tuple[Address, ...] = ADDRESSES) -> Interfaces:
    return Interfaces(items or (UPLINK, BRIDGE, VETH), addresses)


def with_fields(link: Interface, **fields: Any) -> Interface:
    return msgspec.structs.replace(link, **fields)


def subjects_and_severities(answer: Any) -> list[tuple[str, Severity | None]]:
    """Subject and severity of each finding."""
    assert not isinstance(answer, Skipped), answer
    return [
        (str(outcome.subject), outcome.severity)
        for outcome in answer
        if isinstance(outcome, Finding)
    ]


PUBLISHED = {"Networks": {}, "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}


OLD_BIND = "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"


INNER = Interface(
    index=8, name="eth0", up=True, operstate="up", kind="veth", link=9, link_netnsid=0, mtu=1500
)


def namespaces_of(
    who: Container,
    *sockets: Socket,
    link: Interface | None = INNER,
    addresses: tuple[Address, ...] = (Address(8, "172.18.0.2", 16),),
    routes: tuple[Route, ...] = (),
) -> Namespaces:
    return Namespaces(
        {who.id: ContainerNetns(who, 1, (link,) if link else (), addresses, routes, sockets)}
    )


LATER = Clock(wall=1767225600.0 + 3600, booted=0)


ENDED = {"Status": "exited", "Pid": 0, "ExitCode": 1}


VPN = Route(dst="172.18.5.0", prefix=24, oif=2, scope="link")
