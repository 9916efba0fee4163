"""The server that a line is about without its name, where the only one of a kind is down."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only


class _Kind(msgspec.Struct, frozen=True):
    """A kind of server: its name, words of its callers, and names of its images."""

    name: str
    words: LazyPattern
    images: LazyPattern


_KINDS = (
    _Kind("MQTT", LazyPattern(r"(?i)\bmqtt"), LazyPattern(r"mosquitto|emqx|vernemq|hivemq|nanomq")),
    _Kind("AMQP", LazyPattern(r"(?i)\b(?:amqp|rabbit)"), LazyPattern(r"rabbitmq|lavinmq")),
    _Kind("Redis", LazyPattern(r"(?i)redis"), LazyPattern(r"redis|valkey|keydb|dragonfly")),
    _Kind("MongoDB", LazyPattern(r"(?i)mongo"), LazyPattern(r"mongo")),
    _Kind("MySQL", LazyPattern(r"(?i)mysql|mariadb"), LazyPattern(r"mysql|mariadb|percona")),
    _Kind("PostgreSQL", LazyPattern(r"(?i)postgres|psycopg"), LazyPattern(r"postgres|timescale")),
)


class SpokenPeer(msgspec.Struct, frozen=True):
    """The server that is down, and its kind."""

    container: Container
    kind: str

    @property
    def clause(self) -> str:
        return f"{self.container}, the only {self.kind} server on its networks, is not running"


def spoken_peer(line: str, caller: Container, containers: Containers) -> SpokenPeer | None:
    """The only server of the kind that a line is about, on a network of the caller's own.

    None where one of the kind runs there, or where several do not. The default network has no
    names.
    """
    kind = next((kind for kind in _KINDS if kind.words.search(line)), None)
    neighbours = containers.beside(caller) if kind is not None and _has_own_network(caller) else []
    servers = [
        other
        for other in neighbours
        if kind is not None and kind.images.search(_program(other.config.image))
    ]
    if kind is None or any(server.is_running for server in servers):
        return None
    server = only(servers)
    return SpokenPeer(server, kind.name) if server is not None else None


def _has_own_network(container: Container) -> bool:
    return any(network != "bridge" for network in container.endpoints)


def _program(image: str) -> str:
    """The last part of an image's name: a registry's name is not a program."""
    return image.lower().rpartition("/")[2]
