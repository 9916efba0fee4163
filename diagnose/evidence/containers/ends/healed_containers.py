"""Containers that a program restarts because their health check fails, and that never pass it.

willfarrell/autoheal and its like restart what is unhealthy. A program whose start takes longer than
its health check allows never finishes it then.
"""

import itertools
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.socket_clients import SocketClients, StopOrder
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of restarts in a row: one or two may well repair a program."""
APART_S = 1800.0
"""Seconds between two restarts from which on the program worked in between."""
_ROUNDS = 3
"""The last restart lies at most so many rounds back, or the program has stopped to restart it."""
_NANO = 1e9
_RESTARTS = LazyPattern(r"\b[Rr]estart")


class HealedContainer(msgspec.Struct, frozen=True):
    """A container that was restarted again and again, and was not healthy in between."""

    container: Container
    restarts: int
    every_s: float
    """The longest time between two restarts, in seconds."""
    order: StopOrder | None
    """The line of the program that restarts it; None where none says so."""

    @property
    def start_period_s(self) -> float:
        """The seconds after a start in which failed probes do not count."""
        healthcheck = self.container.config.healthcheck
        return ((healthcheck and healthcheck.start_period) or 0) / _NANO


class HealedContainers(Items[HealedContainer], frozen=True):
    """The containers that a program restarts, and that are never healthy."""


@evidence
def healed_containers(
    containers: Containers, clock: Clock, events: Events | None, clients: SocketClients | None
) -> HealedContainers:
    """The containers with a health check that were restarted on request, and not by their policy.

    The engine's events show the restarts and what the health check said before each. Where these
    are no longer in its memory, the log of a program that commands the engine shows them. Asks the
    host nothing.
    """
    healed = []
    for container in containers:
        if container.config.healthcheck is None or container.is_healthy:
            continue
        orders = _orders_about(container, clients)
        times = _restarts_in_events(container, events) or [order.at for order in orders]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        if len(times) < LEAST or max(gaps) > APART_S:
            continue
        if clock.wall - times[-1] > _ROUNDS * max(gaps):
            continue
        order = orders[-1] if orders else None
        healed.append(HealedContainer(container, len(times), max(gaps), order))
    return HealedContainers(tuple(healed))


def _restarts_in_events(container: Container, events: Events | None) -> list[float]:
    """The times of the restarts since it was last healthy, each of a run that was unhealthy."""
    times: list[float] = []
    was_unhealthy = False
    for event in events.of(container.id) if events is not None else ():
        if event.action == "health_status":
            was_unhealthy = event.detail == "unhealthy"
            times = times if was_unhealthy else []
        elif event.action == "restart":
            times = [*times, event.at] if was_unhealthy else []
            was_unhealthy = False
    return times


def _orders_about(container: Container, clients: SocketClients | None) -> Sequence[StopOrder]:
    """The lines about its restarts, of the program that wrote the last one; oldest first."""
    orders = [
        order
        for order in (clients.orders if clients is not None else ())
        if _RESTARTS.search(order.text)
        and order.container.id != container.id
        and order.names(container)
    ]
    return [order for order in orders if order.container.id == orders[-1].container.id]
