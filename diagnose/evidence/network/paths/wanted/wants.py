"""Connections that containers want to open.

What a container wants is in its configuration: extra hosts, environment, command, health check,
the dependencies of its compose service; and in log lines that mention a connection that failed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.addresses import BROWSED_PORTS, is_address
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.paths.wanted.called_names import CalledNames, Words
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.phrases import count

PORT_OF_SCHEME: Mapping[str, int] = {
    "amqp": 5672,
    "amqps": 5671,
    "elasticsearch": 9200,
    "http": 80,
    "https": 443,
    "kafka": 9092,
    "ldap": 389,
    "ldaps": 636,
    "mariadb": 3306,
    "memcached": 11211,
    "mongodb": 27017,
    "mqtt": 1883,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
    "rediss": 6379,
    "smtp": 25,
    "ws": 80,
    "wss": 443,
}
"""The port that a URL means which names none."""

PORT_OF_WORD: Mapping[str, int] = {
    "AMQP": 5672,
    "ELASTIC": 9200,
    "MARIADB": 3306,
    "MEMCACHE": 11211,
    "MONGO": 27017,
    "MQTT": 1883,
    "MYSQL": 3306,
    "PG": 5432,
    "POSTGRES": 5432,
    "RABBIT": 5672,
    "REDIS": 6379,
    "SMTP": 25,
}
"""The port that a variable's name hints at: POSTGRES_HOST."""

DEPENDENCIES = frozenset({*PORT_OF_SCHEME.values(), *PORT_OF_WORD.values()}) - {
    *BROWSED_PORTS,
    1883,
}
"""Ports of services without which programs cannot work: databases, queues, directories, mail.
Devices use HTTP and MQTT."""

_WORD = LazyPattern(r"[A-Za-z0-9][\w.-]*")
_PLACE = LazyPattern(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^@/\s]*@)?)?"
    r"(?P<host>[A-Za-z0-9][\w.-]*)(?::(?P<port>\d{2,5}))?(?![\w.])"
)
"""A host, maybe behind a scheme and credentials, maybe with a port."""
_NUMBER = LazyPattern(r"[0-9]{1,5}")

Source = Literal[
    "environment",
    "command",
    "health check",
    "extra hosts",
    "depends_on",
    "log",
    "socket",
    "process",
]


class Want(msgspec.Struct, frozen=True):
    """A connection that a container should open.

    port 0: any.
    """

    container: Container
    host: str
    port: int
    source: Source
    where: str = ""
    """The variable, or the log's line."""

    @property
    def has_failed(self) -> bool:
        """Whether the container has tried without success, by a log line or a socket."""
        return self.source in ("log", "socket")


def wants_of(
    container: Container, names: CalledNames, log_tails: LogTails | None
) -> Iterator[Want]:
    """The connections that a container should open, by its log and its configuration."""
    words = names.words(container)
    lines = log_tails.of(container).lines if log_tails is not None else ()
    for line in lines:
        if signs(line) & FOUND_NOBODY:
            yield from _wants_in_text(container, line, words, "log", line[:200])
    ports: list[int] = []
    for variable, value in container.config.environment:
        for want in _wants_in_variable(container, variable, value, words):
            ports.append(want.port)
            yield want
    texts: list[tuple[Source, str]] = [("command", " ".join(container.command))]
    probe = container.config.healthcheck
    texts.append(("health check", " ".join((probe.test if probe else None) or ())))
    for source, text in texts:
        yield from _wants_in_text(container, text, words, source, source)
    yield from _dependencies(container, names)
    gateway = names.extra_hosts(container, only_gateway=True)
    if gateway and not ports:
        yield Want(container, first_of(gateway), 0, "extra hosts", first_of(gateway))


def awaited(network_losses: NetworkLosses | None) -> list[Want]:
    """The connections whose answer a socket waits for right now."""
    return [
        Want(
            loss.container,
            call.address,
            call.port,
            "socket",
            f"asked {call.address}:{call.port} again {count(call.repeats, 'time')}",
        )
        for loss in network_losses or ()
        for call in loss.calls
    ]


def logged(logged_failures: LoggedFailures | None) -> list[Want]:
    """The connections that fail now, by the logs of running containers.

    To addresses, and to the host by its name in their hosts file. A refusal at a name of DNS is not
    a matter of the host.
    """
    return [
        Want(failure.container, failure.host, failure.port, "log", failure.line)
        for failure in logged_failures or ()
        if failure.kind != "dns" and failure.port and _is_placed(failure)
    ]


def _is_placed(failure: LoggedFailure) -> bool:
    """Whether a line has the address of the connection, or the hosts file does."""
    named_places = (
        entry.replace("=", ":", 1) for entry in failure.container.host_config.extra_hosts or ()
    )
    return is_address(failure.host) or any(
        entry.partition(":")[0] == failure.host for entry in named_places
    )


def _wants_in_variable(container: Container, name: str, value: str, words: Words) -> Iterator[Want]:
    """The places that the value of one variable names.

    A bare host takes its port from the variable beside it.
    """
    if not words.may_be_in(_WORD.findall(value)):
        return
    for match in _PLACE.finditer(value):
        host = match["host"].rstrip(".")
        if host not in words:
            continue
        port = _port(match) or _port_beside(container, name)
        yield Want(container, host, port, "environment", name)


def _wants_in_text(
    container: Container, text: str, words: Words, source: Source, where: str
) -> Iterator[Want]:
    if not words.may_be_in(_WORD.findall(text)):
        return
    for match in _PLACE.finditer(text):
        host = match["host"].rstrip(".")
        port = _port(match)
        if host in words and port:
            yield Want(container, host, port, source, where)


def _port(match: re.Match[str]) -> int:
    if match["port"]:
        return int(match["port"])
    scheme = (match["scheme"] or "").rpartition("+")[0] or match["scheme"] or ""
    return PORT_OF_SCHEME.get(scheme, 0)


def _port_beside(container: Container, name: str) -> int:
    """The value of DB_PORT beside DB_HOST, or the port that the name hints at; 0 if neither."""
    stem = re.sub(r"_?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS|NAME)$", "", name.upper())
    values = {variable.upper(): value for variable, value in container.config.environment}
    beside = values.get(f"{stem}_PORT", "") or values.get(f"{stem}PORT", "")
    if _NUMBER.fullmatch(beside):
        return int(beside)
    return next((port for word, port in PORT_OF_WORD.items() if word in name.upper()), 0)


def _dependencies(container: Container, names: CalledNames) -> Iterator[Want]:
    """The services that a compose service depends on, at a port that their image exposes."""
    for service in container.compose_dependencies:
        for peer in names.of_service(container, service):
            port = exposed_port(peer)
            if port:
                yield Want(container, peer.name, port, "depends_on", service)


def exposed_port(container: Container) -> int:
    """The lowest TCP port that its image exposes; 0 if none."""
    exposed = [port.partition("/") for port in container.config.exposed_ports or {}]
    ports = [
        int(number)
        for number, _, protocol in exposed
        if protocol == "tcp" and _NUMBER.fullmatch(number)
    ]
    return min(ports, default=0)
