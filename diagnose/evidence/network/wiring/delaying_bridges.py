"""Bridges of networks that keep each new port, and so each new container, waiting."""

from collections.abc import Sequence

import msgspec

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.registry import evidence

_WAITING = frozenset({"listening", "learning"})
"""States of a port that passes no packets yet."""
_PER_SECOND = 100
"""The kernel's unit of the delay is the hundredth of a second (USER_HZ)."""


class DelayingBridge(msgspec.Struct, frozen=True):
    """A bridge with the spanning tree protocol, on which containers are."""

    network: Network
    link: Interface
    outer_ports: tuple[str, ...]
    """Its ports that lead elsewhere than to a container: two of them may be part of a loop."""
    is_waiting: bool
    """Whether a port waits at this moment."""
    failing: tuple[Container, ...]
    """Containers that found no network within that time, and ended for it."""

    @property
    def delay_s(self) -> float:
        return _delay_s(self.link)


class DelayingBridges(Items[DelayingBridge], frozen=True):
    """The bridges that keep new containers waiting."""

    bridges: int = 0
    """How many bridges of networks there are."""


@evidence
def delaying_bridges(
    interfaces: Interfaces,
    networks: Networks,
    containers: Containers,
    log_tails: LogTails | None,
    clock: Clock,
) -> DelayingBridges:
    """The bridges of networks by their own settings.

    A new port listens and then learns, each for the bridge's forward delay (net/bridge/br_stp.c).
    The engine makes its bridges without the protocol: another program made these.
    """
    unlucky = [
        container
        for container in containers
        if log_tails is not None and log_tails.of(container).signs & NO_WAY_OUT
    ]
    bridges = [(network, interfaces.by_name.get(network.bridge)) for network in networks.bridges]
    present_bridges = [(network, link) for network, link in bridges if link is not None]
    items = []
    for network, link in present_bridges:
        delay_s = _delay_s(link)
        if delay_s:
            failing = [
                container
                for container in unlucky
                if network.name in container.endpoints and _ends_within(container, delay_s, clock)
            ]
            ports = interfaces.ports(link)
            items.append(_delaying_bridge(network, link, ports, failing))
    return DelayingBridges(tuple(items), len(present_bridges))


def _delaying_bridge(
    network: Network, link: Interface, ports: Sequence[Interface], failing: Sequence[Container]
) -> DelayingBridge:
    return DelayingBridge(
        network,
        link,
        outer_ports=tuple(port.name for port in ports if port.kind != "veth"),
        is_waiting=any(port.bridge_port_state in _WAITING for port in ports),
        failing=tuple(failing),
    )


def _delay_s(link: Interface) -> float:
    """The seconds for which a new port of a bridge passes no packets."""
    return 2 * (link.forward_delay or 0) / _PER_SECOND if link.spanning_tree else 0.0


def _ends_within(container: Container, delay_s: float, clock: Clock) -> bool:
    """Whether a container failed before its port passed packets, and was started again."""
    if container.is_running:
        is_young = not clock.has_passed(container.started_at, delay_s)
        return is_young and container.restart_count > 0
    ran_for = container.ran_for
    has_failed = bool(container.state.exit_code)
    return has_failed and ran_for is not None and ran_for < delay_s
