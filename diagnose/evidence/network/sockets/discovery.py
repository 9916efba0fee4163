"""Programs that look for devices of the local network from networks where they hear none."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.sockets import CountMulticast, MulticastCounters
from diagnose.registry import evidence

PROTOCOLS = {5353: "mDNS", 1900: "SSDP", 3702: "WS-Discovery"}
"""By the UDP port of its group: 224.0.0.251 (RFC 6762), 239.255.255.250 (UPnP, WS-Discovery)."""
_LEAST_SENT = 3
_SEEKS_DEVICES = LazyPattern(
    r"home-?assistant|\bhass\b|homebridge|openhab|scrypted|music-?assistant|matter-?server|esphome"
    r"|iobroker|shairport|airplay|airconnect|aircast|minidlna|gerbera|rygel|\bwsdd|avahi"
    r"|snapcast|owntone|logitechmediaserver|lyrion",
    re.IGNORECASE,
)
"""In the name of the image or the container: programs that are of little use without the devices
that they find, or unless devices find them. Media servers such as Plex and Jellyfin do without, and
browsers speak mDNS by the way."""


class UnheardDiscovery(msgspec.Struct, frozen=True):
    """A container whose multicast questions do not reach the local network."""

    container: Container
    networks: tuple[Network, ...]
    ports: tuple[int, ...]
    """Ports of discovery protocols at which it listens."""
    counters: MulticastCounters


class UnheardDiscoveries(Items[UnheardDiscovery], frozen=True):
    """Containers that receive no packets to a group but their own, or those of few neighbours."""

    asked: int = 0
    """How many containers seek devices from bridges."""


@evidence
def unheard_discoveries(
    host: Host, containers: Containers, networks: Networks, namespaces: Namespaces
) -> UnheardDiscoveries | Unavailable:
    """The containers that receive no multicast packets of the local network.

    A bridge passes packets to groups on to its own ports alone, and a published port takes none. A
    program receives its own packets too. One that has received more is reached: by a reflector such
    as Avahi's, or by neighbours.
    """
    seekers = []
    for container in containers.running:
        netns = namespaces.of(container)
        if netns is not None and _may_seek(container, networks) and _ports_of_discovery(netns):
            seekers.append(netns)
    if not seekers:
        return UnheardDiscoveries()
    pids = {netns.container.id: netns.container.state.pid for netns in seekers}
    counted = host.require(CountMulticast(sorted(pids.values())))
    unheard = []
    for netns in seekers:
        container = netns.container
        ports = _ports_of_discovery(netns)
        counters = counted.get(str(pids[container.id]))
        if counters is not None and _hears_nobody(counters):
            reached = tuple(networks.of(container))
            unheard.append(UnheardDiscovery(container, reached, ports, counters))
    return UnheardDiscoveries(tuple(unheard), len(seekers))


def _ports_of_discovery(netns: ContainerNetns) -> tuple[int, ...]:
    """The ports of discovery at which a container's programs wait for datagrams."""
    return tuple(port for port in PROTOCOLS if netns.serves_others("udp", port))


def _may_seek(container: Container, networks: Networks) -> bool:
    """Whether a container is there to find devices, and is only on bridges."""
    called = f"{container.config.image} {container.name}"
    if container.shares_network or _SEEKS_DEVICES.search(called) is None:
        return False
    own_networks = networks.of(container)
    return bool(own_networks) and all(network.is_bridge for network in own_networks)


def _hears_nobody(counters: MulticastCounters) -> bool:
    return counters.sent >= _LEAST_SENT and counters.received <= counters.sent
