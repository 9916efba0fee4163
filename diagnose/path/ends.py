"""The two ends of a path, from what the user typed.

A container, the host, or something beyond it.
"""

import difflib
import re
from ipaddress import ip_address
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.judgement import selection
from diagnose.numbers import is_number

Proto = Literal["tcp", "udp"]
HOST = "host"
INTERNET = "internet"
DEFAULT_PORT = 443
"""What is asked beyond the host where the user names no port."""
DEFAULT_CONTAINER_PORT = 80
DNS_PORT = 53
RECORDS = {"dns": ("", "A", "AAAA", "NS")}
"""The types of record that may be asked for, by what is typed after the slash."""
_TARGET = re.compile(
    r"(?P<end>\[[0-9a-fA-F:]+\]|[^:\[\]]+|[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,})(?::(?P<port>\d{1,5}))?"
)
"""An end with its port: db:5432, [2001:db8::1]:443, or an IPv6 address alone."""


class UnknownEndError(Exception):
    """The user's words name no end of a path. The message is one clear sentence."""


class PathTarget(msgspec.Struct, frozen=True):
    """The parts of `TO[:PORT][/udp|/dns]`. port None: not given."""

    end: str
    port: int | None
    proto: Proto
    record: str = ""
    """The type of record that a DNS query asks for, where `/dns` was typed."""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        protocol = "/udp" if self.proto == "udp" else ""
        return f"{self.end}{port}{protocol}"

    def port_of(self, end: Container | None) -> int:
        """The port that was typed, or else the lowest that the container's image exposes."""
        if self.port is not None:
            return self.port
        exposed = (
            [] if end is None else [name.partition("/") for name in end.config.exposed_ports or {}]
        )
        ports = [
            int(number) for number, _, proto in exposed if proto == self.proto and is_number(number)
        ]
        return min(ports, default=DEFAULT_CONTAINER_PORT)


class End(msgspec.Struct, frozen=True):
    """One end."""

    kind: Literal["container", "host", "outside"]
    called: str
    """The name that was typed."""
    container: Container | None = None
    """None for the host and beyond."""
    address: str | None = None
    """None where any will do."""

    def __str__(self) -> str:
        if self.container is not None:
            return f"{self.container}"
        return "the host" if self.kind == "host" and self.called == HOST else self.called


def target(text: str) -> PathTarget:
    """The parts of `TO[:PORT][/udp|/dns]`. UnknownEndError where it has another shape.

    `TO/dns` is TO:53/udp and a query for the root's name servers, `TO/dns/AAAA` one for another
    type of record.
    """
    place, slash, rest = text.partition("/")
    proto, _, record = (rest if slash else "tcp").partition("/")
    match = _TARGET.fullmatch(place)
    port = int(match["port"]) if match and match["port"] else None
    is_no_port = port is not None and not 0 < port < 65536
    is_known = proto in ("tcp", "udp", "dns") and record in RECORDS.get(proto, ("",))
    if match is None or is_no_port or not is_known:
        raise UnknownEndError(f"{text!r} is not NAME, NAME:PORT, NAME:PORT/udp or NAME/dns")
    place = match["end"].strip("[]")
    if proto == "dns":
        return PathTarget(place, port or DNS_PORT, "udp", record or "NS")
    return PathTarget(place, port, "udp" if proto == "udp" else "tcp")


def end(
    word: str,
    containers: Containers,
    interfaces: Interfaces | None,
    caller: Container | None = None,
) -> End:
    """The end of a path that a word names.

    `host`, `internet`, a container, an address, or a name as `caller` would use it.

    Raises UnknownEndError where it names nothing.
    """
    if word in (HOST, "localhost"):
        return End("host", HOST)
    if word == INTERNET:
        return End("outside", INTERNET)
    named_container = _container(word, containers, caller)
    if named_container is not None:
        return End("container", word, named_container)
    if is_address(word):
        return _end_at_address(word, containers, interfaces)
    if caller is not None and word in ("host.docker.internal", "gateway.docker.internal"):
        return End("host", word)
    if "." in word:
        return End("outside", word)
    similar_names = difflib.get_close_matches(
        word, [container.name for container in containers], n=3
    )
    hint = f"; did you mean {selection.either(similar_names)}?" if similar_names else ""
    raise UnknownEndError(
        f"{word!r} is not a container, no address, not `host` and not `internet`{hint}"
    )


def share_namespace(begin: Container | None, end: Container | None) -> bool:
    """Whether two containers have one network namespace, that of the host included."""
    if begin is None or end is None:
        return False
    if begin.id == end.id or (begin.shares_host_network and end.shares_host_network):
        return True
    return _joins(begin, end) or _joins(end, begin)


def _joins(guest: Container, owner: Container) -> bool:
    """Whether a container was made for the network namespace of another one."""
    return guest.host_config.network_mode in (f"container:{owner.id}", f"container:{owner.name}")


def _container(word: str, containers: Containers, caller: Container | None) -> Container | None:
    """The container that is called so.

    By name or the beginning of its id, or by an alias on a network of the caller.
    """
    names = {container.id: container.name for container in containers}
    called = selection.called(word, names)
    for container in containers:
        if container.name in called and len(called) == 1:
            return container
    for container in containers:
        if caller is not None:
            shared = set(container.endpoints) & set(caller.endpoints)
        else:
            shared = set(container.endpoints)
        if shared and word in container.dns_names:
            return container
    return None


def _end_at_address(word: str, containers: Containers, interfaces: Interfaces | None) -> End:
    for container in containers.running:
        for endpoint in container.endpoints.values():
            if word in endpoint.addresses:
                return End("container", word, container, word)
    if ip_address(word).is_loopback or (interfaces is not None and interfaces.holds(word)):
        return End("host", word, address=word)
    return End("outside", word, address=word)
