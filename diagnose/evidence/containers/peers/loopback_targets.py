"""Places at localhost that a container's settings name, where its calls are refused from inside.

Many programs do not log a call that fails: Caddy 1, Prometheus, HAProxy. The kernel counts it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile
from diagnose.registry import evidence

_LEAST = 3
"""Calls that were refused from inside: one that begins before its neighbour tries once or twice."""
_OF_SETTINGS = LazyPattern(r"(?:\.(?:conf|cfg|ya?ml|toml|json|ini)|(?:^|/)Caddyfile)$")
_FOLDER = LazyPattern(r"^/etc/|^/config(?:/|$)|^/usr/local/")
_MOST = 20
"""Files that are read of one container."""


class LoopbackTarget(msgspec.Struct, frozen=True):
    """A place at localhost that settings name, and where nothing listens in that container."""

    container: Container
    place: str
    """As it is written: localhost:5004."""
    path: str
    """The file of the host that names the place."""
    refused: int
    """Calls that were refused from inside since the container's network was made."""

    @property
    def port(self) -> int:
        return int(self.place.rpartition(":")[2])


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
    for question in list(_settings(host, container))[:_MOST]:
        text = host.ask(question)
        places = [] if isinstance(text, Failed) else text.text.split()
        path = f"{question.root or ''}{question.path}"
        for place in dict.fromkeys(places):
            yield LoopbackTarget(container, place, path, refused)


def _settings(host: Host, container: Container) -> Iterator[ReadFile]:
    """Its mounted files of settings."""
    for mount in container.bind_mounts:
        if _OF_SETTINGS.search(mount.destination):
            yield ReadFile(mount.source, parts="loopback")
        elif _FOLDER.match(mount.destination):
            listing = host.ask(ListFolder(mount.source))
            entries = [] if isinstance(listing, Failed) else listing.entries
            yield from (
                ReadFile(f"/{entry.name}", root=mount.source, parts="loopback")
                for entry in entries
                if _OF_SETTINGS.search(entry.name)
            )
