"""Places of the host that files of settings name, and whose program listens on the loopback alone.

Programs that collect figures seldom log a call that fails: the target is DOWN on a page of theirs.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import SETTINGS_FILE, mounted_settings
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_parts import Parts
from diagnose.registry import evidence

MOST = 10
"""Containers whose files are read."""
_COLLECTS = LazyPattern(
    r"(?i)(?:^|[/_-])(?:alloy|fluent-?bit|gatus|grafana-agent|metricbeat|netdata|otel[\w-]{0,40}"
    r"|prometheus|telegraf|victoria-?metrics|vm-?agent|vmsingle)(?:[:@_-]|$)"
)
"""Images of programs that call others by their files of settings."""
_FOLDER = LazyPattern(r"^/(?:etc|config|conf|opt|prometheus|usr/local)(?:/|$)")
_GATEWAY = "host-gateway"


class HostTarget(msgspec.Struct, frozen=True):
    """A port of the host that a file names, and its listener on the loopback."""

    container: Container
    path: str
    """The file on the host."""
    place: str
    """The place in the file: host.docker.internal:9323."""
    address: str
    """The address that the container calls by that name."""
    listener: Listener

    @property
    def port(self) -> int:
        return self.listener.port


class HostTargets(Items[HostTarget], frozen=True):
    """The targets on the host by container, in the order of its files."""


@evidence
def host_targets(
    host: Host,
    containers: Containers,
    networks: Networks,
    listeners: Listeners,
    uplinks: Uplinks | None,
    info: Info | None,
    ping: Ping | None,
) -> HostTargets:
    """The places of the host in settings of metrics collectors, whose program listens on loopback.

    Under a rootless engine or Podman a container may reach the loopback of the host.
    """
    is_podman = ping is None or ping.is_podman
    if info is None or is_podman or info.has_security("rootless"):
        return HostTargets()
    callers = [
        container
        for container in containers.running
        if not container.shares_network and _COLLECTS.search(container.config.image)
    ]
    outer = [uplink.address for uplink in uplinks or () if uplink.address]
    targets = []
    for container in host.first(callers, MOST, "collectors of figures"):
        host_words = _host_words(container, networks, outer)
        known_ports: set[int] = set()
        for target in _targets(host, container, host_words, listeners):
            if target.port not in known_ports and containers.publisher_of(target.port) is None:
                known_ports.add(target.port)
                targets.append(target)
    return HostTargets(tuple(targets))


def _host_words(container: Container, networks: Networks, outer: list[str]) -> dict[str, str]:
    """The words by which a container reaches the host: addresses, and names in its hosts file.

    Engines before 26 list no gateway for the default bridge: the container's own end has it.
    """
    gateways = [end.gateway for end in container.endpoints.values() if end.gateway]
    default = networks.by_name.get("bridge")
    reached = [*gateways, *(default.gateways if default is not None else ()), *outer]
    words = {address: address for address in reached}
    engines_own = (*(default.gateways if default is not None else ()), *reached)
    for entry in container.host_config.extra_hosts or ():
        name, _, address = entry.replace("=", ":", 1).partition(":")
        if address == _GATEWAY and engines_own:
            words[name] = engines_own[0]
        elif address in words:
            words[name] = address
    return words


def _targets(
    host: Host, container: Container, words: dict[str, str], listeners: Listeners
) -> Iterator[HostTarget]:
    """The places of the host in a container's files at which only the loopback is served."""
    kinds: tuple[Parts, ...] = ("names", "addresses")
    for parts in kinds:
        for mounted in mounted_settings(host, container, parts, SETTINGS_FILE, _FOLDER):
            for line in mounted.text.splitlines():
                name, _, port = line.rpartition("://")[2].partition(":")
                listener = _loopback_listener(int(port), listeners) if port.isdecimal() else None
                if name in words and listener is not None:
                    place = f"{name}:{port}"
                    yield HostTarget(container, mounted.path, place, words[name], listener)


def _loopback_listener(port: int, listeners: Listeners) -> Listener | None:
    """The listener of a TCP port, where all of them are on the loopback of the host."""
    listeners_there = [
        listener
        for listener in listeners
        if listener.port == port and listener.proto.startswith("tcp")
    ]
    if not listeners_there or not all(
        is_loopback(listener.address) for listener in listeners_there
    ):
        return None
    return listeners_there[0]
