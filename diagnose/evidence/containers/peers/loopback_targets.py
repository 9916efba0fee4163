"""Places at localhost that a container's settings name, where its calls are refused from inside.

Many programs do not log a call that fails, or not into the container's log: Caddy 1, Prometheus,
HAProxy, Laravel. The kernel counts it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.registry import evidence

_LEAST = 3
"""Calls that were refused from inside: one that begins before its neighbour tries once or twice."""
_OF_SETTINGS = LazyPattern(r"(?:\.(?:conf|cfg|ya?ml|toml|json|ini)|(?:^|/)Caddyfile)$")
_FOLDER = LazyPattern(r"^/etc/|^/config(?:/|$)|^/usr/local/")
_OF_VARIABLES = LazyPattern(r"(?:^|/)\.env(?:\.local)?$")
_CODE = LazyPattern(r"^/(?:app|code|srv|var/www|usr/src|workspace)(?:/|$)|^/home/\w+/\w")
"""Where frameworks such as Laravel and Symfony read their variables: beside their code."""


class LoopbackTarget(msgspec.Struct, frozen=True):
    """A place at localhost that settings name, and where nothing listens in that container."""

    container: Container
    place: str
    """As it is written: localhost:5004, or DB_HOST=127.0.0.1."""
    port: int
    path: str
    """The file of the host that names the place."""
    refused: int
    """Calls that were refused from inside since the container's network was made."""

    @property
    def is_variable(self) -> bool:
        """Whether another variable has the port."""
        return "=" in self.place

    def with_host(self, name: str) -> str:
        """The place with another host."""
        if self.is_variable:
            return f"{self.place.partition('=')[0]}={name}"
        return f"{name}:{self.port}"


class LoopbackTargets(Items[LoopbackTarget], frozen=True):
    """By container, in the order of its files and of their lines."""


@evidence
def loopback_targets(
    host: Host, containers: Containers, namespaces: Namespaces, network_losses: NetworkLosses
) -> LoopbackTargets:
    """Files are read only of containers whose calls were refused from inside."""
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
    return LoopbackTargets(tuple(targets))


def _targets(host: Host, container: Container, refused: int) -> Iterator[LoopbackTarget]:
    settings = itertools.chain(
        mounted_settings(host, container, "loopback", _OF_SETTINGS, _FOLDER),
        mounted_settings(host, container, "loopback", _OF_VARIABLES, _CODE),
    )
    for file, text in settings:
        path = f"{file.root or ''}{file.path}"
        for words in dict.fromkeys(text.split()):
            place, _, port = words.partition("|")
            yield LoopbackTarget(
                container, place, int(port or place.rpartition(":")[2]), path, refused
            )
