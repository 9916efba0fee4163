"""Ports of this host that others must reach, as the user says, and the obstacles to that."""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_address, is_everywhere, is_loopback
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.run.options import Options
from diagnose.registry import evidence

Reason = Literal["published elsewhere", "listens elsewhere", "unpublished", "stopped", "nobody"]
"""published elsewhere: at other addresses of the host. listens elsewhere: a program of the host's
network does so. unpublished: a container serves the port on its own networks alone. stopped: who
should publish it does not run."""


class AskedPort(msgspec.Struct, frozen=True):
    """A port that others do not reach."""

    number: int
    address: str
    """The host's address by which it is called; "" where the user names none."""
    reason: Reason
    container: Container | None = None
    published: tuple[PortBinding, ...] = ()
    """The bindings by which it is published instead."""
    listener: Listener | None = None
    """The program of the host's network that listens elsewhere."""


class AskedPorts(Items[AskedPort], frozen=True):
    """The named ports that others do not reach, whatever the firewall does."""

    asked: tuple[str, ...] = ()
    """All that the user named."""


def wanted_ports(places: Iterable[str]) -> Iterator[int]:
    """The numbers of `8080` and of `192.0.2.10:8080`."""
    for place in places:
        number = place.rpartition(":")[2]
        if number.isdecimal():
            yield int(number)


@evidence
def asked_ports(
    options: Options,
    containers: Containers,
    networks: Networks,
    interfaces: Interfaces,
    listeners: Listeners,
    namespaces: Namespaces,
    firewall: Firewall | None,
) -> AskedPorts:
    """The obstacles to the ports that the user names.

    No question to the host; a place of another machine or of a container is left out.
    """
    ports: dict[int, AskedPort] = {}
    for place in options.reach:
        host, _, number = place.rpartition(":")
        address = host.strip("[]").lower()
        if not number.isdecimal() or not _is_of_host(address, containers, networks, interfaces):
            continue
        if firewall is not None and ("tcp", int(number)) in firewall.redirected_ports:
            continue
        called = address if is_address(address) else ""
        port = _out_of_reach(int(number), called, containers, listeners, namespaces)
        if port is not None:
            ports.setdefault(port.number, port)
    return AskedPorts(tuple(ports.values()), options.reach)


def _is_of_host(
    host: str, containers: Containers, networks: Networks, interfaces: Interfaces
) -> bool:
    """Whether this may be the host as other machines call it.

    A name is, unless a container has it; what the host itself calls by its loopback is not, and
    neither is an address by which containers call the host.
    """
    if not is_address(host):
        return host != "localhost" and host not in containers.by_dns_name
    is_inner = networks.bridge_of(ipaddress.ip_address(host)) is not None
    return not is_loopback(host) and not is_inner and interfaces.holds(host)


def _out_of_reach(
    number: int, address: str, containers: Containers, listeners: Listeners, namespaces: Namespaces
) -> AskedPort | None:
    """The reason why others do not reach a port; None where something takes their calls."""
    listening = [
        listener
        for listener in listeners
        if listener.port == number and listener.proto[:3] == "tcp"
    ]
    if any(_covers(listener.address, address) for listener in listening):
        return None
    for container in containers.running:
        if container.publishes(number):
            return _published_elsewhere(number, address, container)
    if listening:
        holder = listening[0]
        owner = containers.by_id.get(holder.container or "")
        return AskedPort(number, address, "listens elsewhere", owner, listener=holder)
    if _serves_datagrams(number, containers, listeners):
        return None
    return _port_without_listener(number, address, containers, namespaces)


def _port_without_listener(
    number: int, address: str, containers: Containers, namespaces: Namespaces
) -> AskedPort:
    """A port at which nothing listens, with the container that is meant to, if there is one."""
    for container in containers:
        if container.wants_port(number) and not container.is_running:
            return AskedPort(number, address, "stopped", container)
    for container in containers.running:
        netns = namespaces.of(container)
        if netns is not None and netns.serves_others("tcp", number):
            return AskedPort(number, address, "unpublished", container)
    return AskedPort(number, address, "nobody")


def _published_elsewhere(number: int, address: str, publisher: Container) -> AskedPort | None:
    """The port that a container publishes at other addresses; None where it does at this one."""
    bindings = tuple(
        binding for binding in publisher.published_by("tcp") if binding.host_port == number
    )
    if any(_covers(binding.host_ip, address) for binding in bindings):
        return None
    return AskedPort(number, address, "published elsewhere", publisher, bindings)


def _serves_datagrams(number: int, containers: Containers, listeners: Listeners) -> bool:
    """Whether something takes UDP at this port: the user may mean that."""
    published = (
        binding for container in containers.running for binding in container.published_by("udp")
    )
    return any(binding.host_port == number for binding in published) or any(
        listener.port == number and listener.proto[:3] == "udp" for listener in listeners
    )


def _covers(own_address: str, called: str) -> bool:
    """Whether a socket at one address takes calls to another. An unnamed address is ""."""
    if is_everywhere(own_address) or not own_address:
        return True
    return not is_loopback(own_address) and called in ("", own_address)
