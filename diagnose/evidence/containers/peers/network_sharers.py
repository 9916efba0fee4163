"""Containers that share one network namespace: localhost means each of them. Pure."""

from collections.abc import Iterator

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.wiring.lost_networks import successor_of
from diagnose.mappings import by_key


def absent_sharers(
    container: Container, containers: Containers, clock: Clock, grace: float
) -> Iterator[Container]:
    """The containers that share its network, and do not run, or only ever for a moment.

    grace: how many seconds one that was restarted has to run before it counts.
    """
    owner = containers.owner_of(container).id
    for other in containers:
        if other.id == container.id or containers.owner_of(other).id != owner:
            continue
        is_settled = not other.restart_count or clock.has_passed(other.started_at, grace)
        if not (other.is_running and is_settled):
            yield other


def parted_sharers(containers: Containers, events: Events | None) -> dict[str, list[Container]]:
    """The containers that ask for the network of one that was recreated, by the name of that one.

    They cannot start: the engine knows the former container no more.
    """
    parted = [
        other for other in containers if other.joins_network_of_other and not other.is_running
    ]
    by_successor = by_key((successor_of(other, containers, events), other) for other in parted)
    return {name: others for name, others in by_successor.items() if name}
