"""Interfaces of containers or uplinks whose queue (`tc`) delays or loses packets.

Tests of bad networks, scripts that limit a bandwidth and images of routers set such queues, and
they stay until somebody removes them.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.queues import QueueCounters, WatchQueues
from diagnose.registry import evidence

_LIMITING = frozenset({"tbf", "htb", "cake", "netem"})
"""Kinds that limit a rate, delay or lose. Others only order what is sent."""
SLOW = 10_000_000 // 8
"""Bytes a second: below this a limit is felt by any page with pictures."""
_LEAST_DELAY_MS = 10.0


class SendingInterface(msgspec.Struct, frozen=True):
    """An interface by which packets of containers go."""

    link: Interface
    network: Network | None = None
    """The network of the bridge."""
    containers: tuple[Container, ...] = ()
    """The containers whose packets pass it: those of the network, or the one at the end of its veth
    pair."""
    inside: Container | None = None
    """The container whose network namespace has it; None for one of the host."""

    @property
    def is_uplink(self) -> bool:
        """Whether it leads from the host to others."""
        return not self.containers

    @property
    def pid(self) -> int | None:
        return self.inside.state.pid if self.inside is not None else None


class ThrottledInterface(msgspec.Struct, frozen=True):
    """An interface with a limiting queue, and the queue's counters within a second."""

    sending: SendingInterface
    queue: QueueCounters
    """The queue, or its class, that loses most."""
    dropped: int
    """Packets within the second."""

    @property
    def is_impaired(self) -> bool:
        """Whether it loses or delays packets on purpose."""
        return bool(self.queue.loss) or self.queue.delay_ms >= _LEAST_DELAY_MS

    @property
    def is_starving(self) -> bool:
        """Whether more is to be sent than it lets pass, at a low rate."""
        rate = self.queue.rate
        return rate is not None and rate <= SLOW and bool(self.dropped or self.queue.backlog)


class ThrottledInterfaces(Items[ThrottledInterface], frozen=True):
    """The throttled interfaces; empty where no container or uplink has a limiting queue."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def throttled_interfaces(
    host: Host,
    links: Interfaces,
    networks: Networks,
    containers: Containers,
    uplinks: Uplinks,
    namespaces: Namespaces | None,
) -> ThrottledInterfaces:
    """The interfaces whose queues limit them.

    The list of interfaces names the kind of each queue: one question more where one limits.
    """
    visited = () if namespaces is None else tuple(namespaces)
    limited = [
        sending
        for sending in _sending_interfaces(links, networks, containers, uplinks, visited)
        if sending.link.queue in _LIMITING
    ]
    interfaces: list[ThrottledInterface] = []
    unexamined: list[Unexamined] = []
    for pid, sending_there in by_key((sending.pid, sending) for sending in limited).items():
        indices = sorted({sending.link.index for sending in sending_there})
        samples = host.ask(WatchQueues(indices, pid))
        if isinstance(samples, Failed):
            unexamined += [
                Unexamined(sending.link.subject, f"its queue: {samples}")
                for sending in sending_there
                if samples.reason != "gone"
            ]
            continue
        for sending in sending_there:
            interfaces += _throttling_queue(sending, samples)
    return ThrottledInterfaces(tuple(interfaces), tuple(unexamined))


def _throttling_queue(
    sending: SendingInterface, samples: Sequence[Sequence[QueueCounters]]
) -> Iterator[ThrottledInterface]:
    """The deciding queue among a queue and its classes: with a limit, and losing most."""
    first, *_, last = samples
    before = {row.handle: row.dropped for row in first if row.index == sending.link.index}
    rows = [row for row in last if row.index == sending.link.index]
    grown = [
        ThrottledInterface(sending, row, row.dropped - before.get(row.handle, row.dropped))
        for row in rows
    ]
    if grown:
        yield max(grown, key=_rank)


def _rank(throttled: ThrottledInterface) -> tuple[bool, bool, int, int]:
    limits = throttled.queue.rate is not None or throttled.is_impaired
    return limits, throttled.is_starving, throttled.dropped, throttled.queue.backlog


def _sending_interfaces(
    links: Interfaces,
    networks: Networks,
    containers: Containers,
    uplinks: Uplinks,
    visited: Sequence[ContainerNetns],
) -> Iterator[SendingInterface]:
    """Uplinks, bridges of networks with running containers, and both ends of their veth pairs."""
    for uplink in uplinks:
        if (link := links.by_name.get(uplink.name)) is not None:
            yield SendingInterface(link)
    for network in networks.bridges:
        bridge = links.by_name.get(network.bridge)
        members = containers.running_on(network.name)
        if bridge is not None and members:
            yield SendingInterface(bridge, network, tuple(members))
    for inode, netns in {netns.inode: netns for netns in visited}.items():
        sharing = tuple(other.container for other in visited if other.inode == inode)
        for inner in netns.links:
            yield SendingInterface(inner, None, sharing, inside=netns.container)
            peer = links.by_index.get(inner.link or 0)
            if peer is not None and inner.kind == peer.kind == "veth" and peer.link == inner.index:
                yield SendingInterface(peer, None, sharing)
