"""Places at localhost that a container's settings name, where its calls are refused from inside.

Many programs do not log a call that fails, or not into the container's log: Caddy 1, Prometheus,
HAProxy, Laravel. The kernel counts it. Where a log does, it does not say which file of
settings it came from.
"""

import itertools
import re
from collections.abc import Iterator

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.linked_files import is_behind_link
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.called_places import called_host
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.questions import Host
from diagnose.registry import evidence

_LEAST = 3
"""Calls that were refused from inside: one that begins before its neighbour tries once or twice."""
_OF_SETTINGS = LazyPattern(r"(?:\.(?:conf|cfg|ya?ml|toml|json|ini|properties)|(?:^|/)Caddyfile)$")
_FOLDER = LazyPattern(
    r"^/etc/|^/config(?:/|$)|^/usr/local/|^/opt/|^/(?:root|home/[^/]{1,60})/\.|^/[^/]{1,60}/config(?:/|$)"
)
_OF_VARIABLES = LazyPattern(
    r"(?:^|/)(?:\.env(?:\.local)?|settings\.py|config\.(?:js|json|php|py|rb|ts))$"
)
_CODE = LazyPattern(r"^/(?:app|code|srv|var/www|usr/src|workspace)(?:/|$)|^/home/\w+/\w")
"""Folders of the code, where frameworks such as Laravel and Symfony also read their variables."""


_KINDS = {
    389: LazyPattern(r"ldap", re.IGNORECASE),
    1433: LazyPattern(r"sqlserver|mssql|\bTDS\b", re.IGNORECASE),
    2181: LazyPattern(r"zookeeper", re.IGNORECASE),
    3306: LazyPattern(r"mysql|maria", re.IGNORECASE),
    5432: LazyPattern(r"postgres|psycopg|\bpq:|\bpgx\b|npgsql", re.IGNORECASE),
    5672: LazyPattern(r"amqp|rabbit", re.IGNORECASE),
    6379: LazyPattern(r"redis|valkey|jedis|lettuce", re.IGNORECASE),
    9092: LazyPattern(r"kafka", re.IGNORECASE),
    9200: LazyPattern(r"elastic|opensearch", re.IGNORECASE),
    11211: LazyPattern(r"memcache", re.IGNORECASE),
    27017: LazyPattern(r"mongo", re.IGNORECASE),
}
"""Words about a server in a log, by the server's usual port, where the log does not name the place.
"""


_OF_CALLEES = ("host", "name", "peer", "place", "server", "url")
"""The values of a known failure that say whom the program calls."""
_QUOTED_CALLEE = LazyPattern(r"\b(?:at|host|on|server|to) ['\"][\w.-]{1,100}['\"]")
"""Can't connect to MySQL server on 'db' (111)"""


_LOOPBACK = LazyPattern(r"localhost|127\.0\.0\.1|\[?::1\]?", re.IGNORECASE)


class LoopbackTarget(msgspec.Struct, frozen=True):
    """A place at localhost that settings name, and where nothing listens in that container."""

    container: Container
    place: str
    """The place as it is written: localhost:5004, DB_HOST=127.0.0.1, or `host: localhost`."""
    port: int
    path: str
    """The file of the host that names the place."""
    refused: int = 0
    """Calls that were refused from inside since the creation of the container's network; 0 where
    its log names them."""
    is_linked: bool = False
    """Whether a link of the container leads to that file, which may be another one on the host."""

    @property
    def has_port_beside(self) -> bool:
        """Whether another variable or key has the port."""
        return not self.place.endswith(f":{self.port}")

    def with_host(self, name: str) -> str:
        """The place with another host."""
        return _LOOPBACK.sub(name, self.place, count=1)


class LoopbackTargets(Items[LoopbackTarget], frozen=True):
    """The places that name localhost by container, in the order of its files and their lines."""

    logged: tuple[LoopbackTarget, ...] = ()
    """The targets of containers whose log names the call."""
    meant: tuple[LoopbackTarget, ...] = ()
    """The targets of failed containers whose log reports a refused call of such a server, without
    its place."""

    def meant_by(self, container: Container) -> LoopbackTarget | None:
        """The first place that its log may mean, where all of them have one port."""
        places = [target for target in self.meant if target.container.id == container.id]
        return places[0] if len({target.port for target in places}) == 1 else None

    def logged_by(self, container: Container, port: str) -> LoopbackTarget | None:
        """The one place of its settings with the port that its log names."""
        places = [
            target
            for target in self.logged
            if target.container.id == container.id and str(target.port) == port
        ]
        return only(places)


@evidence
def loopback_targets(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    network_losses: NetworkLosses | None,
    log_tails: LogTails | None,
) -> LoopbackTargets:
    """The places in settings that name localhost, by the refused calls of containers.

    Files are read only of containers whose calls were refused from inside, or whose log says that
    localhost refused one.
    """
    silent = _silent_targets(host, containers, namespaces, network_losses)
    logged: list[LoopbackTarget] = []
    targets: list[LoopbackTarget] = []
    if log_tails is None:
        return LoopbackTargets(tuple(silent))
    for container in containers:
        tail = log_tails.of(container)
        failure = log_tails.failures.get(container.id)
        if failure is not None and failure.confirmed_by == "container.loopback-peer":
            logged += _targets(host, container, 0)
        elif is_refused_by_nobody(tail):
            targets += [
                target for target in _targets(host, container, 0) if says_kind(tail, target.port)
            ]
    return LoopbackTargets(tuple(silent), tuple(logged), tuple(targets))


def is_refused_by_nobody(tail: LogTail) -> bool:
    """Whether the last lines of a log report a refused call, and none names the target."""
    refused = [line for line in tail.lines if "refused" in signs(line)]
    values = tail.failure.values if tail.failure is not None else {}
    is_named = any(values.get(name) for name in _OF_CALLEES)
    if not refused or is_named or any(map(_QUOTED_CALLEE.search, refused)):
        return False
    return not any(map(called_host, tail.lines))


def says_kind(tail: LogTail, port: int) -> bool:
    """Whether the last lines have words of the kind of server that has this port."""
    words = _KINDS.get(port)
    return words is not None and any(words.search(line) for line in tail.lines)


def _silent_targets(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    network_losses: NetworkLosses | None,
) -> list[LoopbackTarget]:
    """The places of containers in which the kernel has counted refused calls."""
    if namespaces is None or network_losses is None:
        return []
    targets: list[LoopbackTarget] = []
    for container in containers.running:
        refused = network_losses.refused_inside.get(container.id, 0)
        netns = namespaces.of(container)
        if refused < _LEAST or netns is None or container.shares_network:
            continue
        targets += [
            target
            for target in _targets(host, container, refused)
            if not netns.sockets("tcp", target.port)
        ]
    return targets


def _targets(host: Host, container: Container, refused: int) -> Iterator[LoopbackTarget]:
    """The loopback addresses in the mounted files of a container, with their ports."""
    settings = itertools.chain(
        mounted_settings(host, container, "loopback", _OF_SETTINGS, _FOLDER),
        mounted_settings(host, container, "loopback", _OF_VARIABLES, _CODE, is_deep=True),
    )
    for mounted in settings:
        is_linked = bool(mounted.text) and is_behind_link(host, mounted.file)
        for line in dict.fromkeys(mounted.text.splitlines()):
            place, _, port = line.partition("|")
            number = int(port or place.rpartition(":")[2])
            yield LoopbackTarget(
                container,
                place,
                port=number,
                path=mounted.path,
                refused=refused,
                is_linked=is_linked,
            )
