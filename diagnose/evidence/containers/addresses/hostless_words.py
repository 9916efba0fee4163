"""Variables that name a kind of server and no host, so that a program takes localhost. Pure."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.changed_words import spliced
from diagnose.evidence.network.addresses import host_of_url
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.redact import holds_token

_PORTS = {
    "amqp": 5672,
    "memcached": 11211,
    "mongodb": 27017,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
}
"""The port of a URL that names none, by its scheme."""
_HOSTLESS_URL = LazyPattern(
    r"^(?P<before>(?P<scheme>[a-z]{2,12})(?:\+[a-z0-9]{1,12})?://(?:[^/@\s]{0,200}@)?)"
    r"(?P<after>(?::(?P<port>\d{2,5}))?(?:/\S{0,200})?)$",
    re.IGNORECASE,
)
"""redis://, redis://:6379/0 or redis://:secret@:6379/0"""
_OF_CELERY = LazyPattern(r"(?:^|_)RESULT_BACKEND$", re.IGNORECASE)
"""Celery takes a value without `://` for the kind of its result store, at localhost."""
_STEM = LazyPattern(r"^(?P<stem>\w{1,60}?)_?(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$", re.IGNORECASE)
_WITH_PASSWORD = LazyPattern(r"requirepass|PASSWORD", re.IGNORECASE)


class HostlessVariable(msgspec.Struct, frozen=True):
    """A variable without a host, for a server whose port a program calls at localhost."""

    name: str
    value: str
    """Its value, which may hold a secret."""
    cure: PageVariables
    """The page variables that give it the neighbour's name; empty where that needs more."""

    @property
    def shown(self) -> str:
        """The assignment, without a value that holds a secret."""
        return f"{self.name} names no host" if holds_token(self.value) else self._assignment

    @property
    def _assignment(self) -> str:
        return f"{self.name}={self.value}"


def hostless_variables(
    container: Container, peer: Container, port: int
) -> Sequence[HostlessVariable]:
    """The variables for a server with this port that name no host.

    peer: the neighbour that serves the port.
    """
    variables: list[HostlessVariable] = []
    for name, value in container.config.environment:
        url = _HOSTLESS_URL.match(value)
        if url is not None and _port_of(url) == port:
            cure = _with_host_in_url(name, url, peer)
        elif _OF_CELERY.search(name) and _PORTS.get(value.lower()) == port:
            cure = _with_url_of_store(name, container, peer, f"{value.lower()}://")
        elif not value and _is_host_of(name, container, port):
            cure = {"assignment": f"{name}={peer.name}"}
        else:
            continue
        variables.append(HostlessVariable(name, value, cure))
    return variables


def hostless_cure(variables: Sequence[HostlessVariable]) -> PageVariables:
    """The page variables of the only such variable; empty where there are several."""
    variable = only(list(variables))
    return variable.cure if variable is not None else {}


def _port_of(url: re.Match[str]) -> int | None:
    return int(url["port"]) if url["port"] else _PORTS.get(url["scheme"].lower())


def _with_host_in_url(name: str, url: re.Match[str], peer: Container) -> PageVariables:
    assignment = f"{name}={url['before']}{peer.name}{url['after']}"
    if not holds_token(assignment):
        return {"assignment": assignment}
    place = f":{url['port']}" if url["port"] else ""
    return spliced(name, url.string, place, f"{peer.name}{place}") if place else {}


def _with_url_of_store(
    name: str, container: Container, peer: Container, begin: str
) -> PageVariables:
    """The variable with the address that another variable has for the neighbour.

    Without another one it is the neighbour's name, where the neighbour asks for no password.
    """
    names = {peer_name.lower() for peer_name in peer.dns_names}
    addresses = {
        value
        for _, value in container.config.environment
        if value.startswith(begin) and host_of_url(value) in names
    }
    address = only(list(addresses))
    asks_for_password = any(map(_WITH_PASSWORD.search, _words_of(peer)))
    if not addresses and not asks_for_password:
        address = f"{begin}{peer.name}"
    if address is None or holds_token(address):
        return {}
    return {"assignment": f"{name}={address}"}


def _words_of(peer: Container) -> list[str]:
    return [*peer.command, *(name for name, _ in peer.config.environment)]


def _is_host_of(name: str, container: Container, port: int) -> bool:
    """Whether a variable is for the host of a server with this port.

    The variable beside it has the port, or its name begins with the kind: REDIS_HOST.
    """
    match = _STEM.match(name)
    if match is None:
        return False
    stem = match["stem"]
    if container.config.value_of(f"{stem}_PORT") == str(port):
        return True
    return _PORTS.get(stem.rpartition("_")[2].lower()) == port
