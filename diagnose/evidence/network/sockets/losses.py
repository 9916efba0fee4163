"""Present losses in containers' networks: requests without an answer, and datagrams.

The counters of all namespaces are read once. Where one has risen since the namespace was created,
its sockets are watched for a moment: that shows present losses.
"""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.sockets import (
    CountLosses,
    FullUdpSocket,
    LossCounters,
    WaitingCall,
    WatchSockets,
)
from diagnose.registry import evidence

__all__ = ["FullUdpSocket", "NamespaceLoss", "NetworkLosses", "network_losses"]

MOST = 12
"""Namespaces whose sockets are looked at: each look walks the kernel's table of connections."""

LOSSY_PCT = 3.0
"""Wires lose a thousandth, and radio networks one or two percent."""
CROWDED = 300
"""A namespace with so many TCP sockets is looked at too: a program may leave them open."""
MOST_CROWDED = 4


class NamespaceLoss(msgspec.Struct, frozen=True):
    """The losses in a container's namespace within a moment."""

    container: Container
    calls: tuple[WaitingCall, ...] = ()
    """Peers that do not answer."""
    datagrams: tuple[FullUdpSocket, ...] = ()
    """UDP sockets that had no room."""
    left_open: int = 0
    """Connections that their peers have closed and the program has not."""


class NetworkLosses(Items[NamespaceLoss], frozen=True):
    """The namespaces that lose something now."""

    counted: int = 0
    """How many namespaces had their counters read."""
    ports_used: Mapping[int, int] = {}
    """The TCP sockets by the namespace's inode, with closed ones that still keep their port."""
    sent_again: Mapping[str, float] = {}
    """By container, the percent of its TCP segments that had to be sent again, where that is more
    than a network without faults loses; empty where most containers lose less."""
    refused_inside: Mapping[str, int] = {}
    """By container id, the calls that were refused from inside its own network, where there were
    any."""
    not_forwarded: Mapping[str, int] = {}
    """By container id, the packets for other machines that its network dropped because it forwards
    none, where there were any."""


@evidence
def network_losses(host: Host, namespaces: Namespaces, clock: Clock) -> NetworkLosses | Unavailable:
    """The present losses of namespaces, where their counters show a loss.

    All counters are read at once; only then are sockets watched.
    """
    owners = owners_of(namespaces)
    if not owners:
        return NetworkLosses()
    by_pid = {owner.state.pid: owner for owner in owners.values()}
    answer = host.require(CountLosses(sorted(by_pid)))
    counters = {pid: counted for pid in by_pid if (counted := answer.get(str(pid))) is not None}
    ports_used = _ports_used(owners, counters)
    sent_again = sent_again_by_most(
        {by_pid[pid].name: counted for pid, counted in counters.items()}
    )
    refused_inside = {
        by_pid[pid].id: counted.refused_inside
        for pid, counted in counters.items()
        if counted.refused_inside
    }
    all_time = NetworkLosses(
        counted=len(answer),
        ports_used=ports_used,
        sent_again=sent_again,
        refused_inside=refused_inside,
        not_forwarded={
            by_pid[pid].id: counted.not_forwarded
            for pid, counted in counters.items()
            if counted.not_forwarded
        },
    )
    chosen = _chosen_processes(counters, by_pid, clock)
    if not chosen:
        return all_time
    watched = host.require(WatchSockets(sorted(chosen)))
    losses = tuple(
        NamespaceLoss(by_pid[pid], tuple(loss.calls), tuple(loss.datagrams), loss.left_open)
        for pid in chosen
        if (loss := watched.get(str(pid))) is not None
    )
    return msgspec.structs.replace(all_time, items=losses)


def _ports_used(
    owners: Mapping[int, Container], counters: Mapping[int, LossCounters]
) -> dict[int, int]:
    """The TCP sockets of each namespace, by its inode; not those of which the kernel tells less."""
    counted_by_inode = {inode: counters.get(owner.state.pid) for inode, owner in owners.items()}
    return {
        inode: counted.connections + counted.time_wait
        for inode, counted in counted_by_inode.items()
        if counted is not None and counted.time_wait is not None
    }


def sent_again_by_most(counters: Mapping[str, LossCounters]) -> dict[str, float]:
    """The percent of segments that each container had to send again.

    Empty where most containers lose less: one that calls far away over a bad line says nothing of
    this host.
    """
    lossy = {
        name: counted.sent_again_pct
        for name, counted in counters.items()
        if counted.sent_again_pct >= LOSSY_PCT
    }
    able = sum(counted.has_sent_many for counted in counters.values())
    return lossy if 2 * len(lossy) >= able else {}


def _chosen_processes(
    counters: Mapping[int, LossCounters], by_pid: Mapping[int, Container], clock: Clock
) -> list[int]:
    """The processes whose sockets are read: many connections first, then the highest losses."""

    def losses_per_second(pid: int) -> float:
        lost = counters[pid].repeated_requests + counters[pid].lost_datagrams
        age = clock.age(by_pid[pid].started_at) or 0.0
        return lost / max(age, 1.0)

    crowded = [pid for pid, counted in counters.items() if counted.connections >= CROWDED]
    losing = [pid for pid, counted in counters.items() if counted.has_losses]
    by_rate = sorted(losing, key=losses_per_second, reverse=True)
    return list(dict.fromkeys([*crowded[:MOST_CROWDED], *by_rate]))[:MOST]


def owners_of(namespaces: Namespaces) -> dict[int, Container]:
    """The container with networks for each namespace, by the inode."""
    by_inode: dict[int, Container] = {}
    for netns in namespaces:
        sharers = by_inode.get(netns.inode)
        if sharers is None or (netns.container.endpoints and not sharers.endpoints):
            by_inode[netns.inode] = netns.container
    return by_inode
