"""Containers of one compose project that went down with the engine or its host: one finding."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from checks.container.helpers import severity_of_end
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.run_evidence import took
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import Finding
from diagnose.phrases import named


def by_project(fallen: Iterable[Container]) -> list[list[Container]]:
    """The containers of each compose project with the same restart policy; any other container is a
    group of its own.

    Within a project they have the order in which they are started.
    """
    groups = by_key(
        (
            (container.compose_project or container.id, container.host_config.restart_policy.name),
            container,
        )
        for container in fallen
    )
    return [_start_order(group) for group in groups.values()]


def _start_order(containers: Sequence[Container]) -> list[Container]:
    """The containers in an order where each follows those that it depends on; otherwise by name."""
    by_name = sorted(containers, key=lambda container: container.name)
    of_service = by_key((container.compose_service, container) for container in by_name)
    order = TopologicalSorter[str]()
    for service, container in of_service.items():
        order.add(service, *(container[0].compose_dependencies.keys() & of_service.keys()))
    try:
        services = list(order.static_order())
    except CycleError:  # labels that compose did not write
        return by_name
    return [container for service in services for container in of_service[service]]


def fallen_project_finding(fallen: Sequence[Container], upgrade: str, clock: Clock) -> Finding:
    """The finding about the first container that serves clients: the containers that it needs went
    down with it.

    fallen: in the order in which they are started. upgrade: of the engine, that stopped them; ""
    for none.
    """
    worst = max(severity_of_end(container) for container in fallen)
    first = next(container for container in fallen if severity_of_end(container) == worst)
    policy = first.host_config.restart_policy.name or "no"
    cause = f", when an upgrade ({upgrade}) restarted the engine," if upgrade else ""
    return Finding.about(
        first,
        f"{named('container', names_of(fallen))} of compose project "
        f'"{first.compose_project}" went down with the engine {clock.ago(first.finished_at)}{cause} '
        f'and were not restarted: their restart policy is "{policy}"',
        {
            **{
                container.name: f"{container.state}, ran {took(container.ran_for)}"
                for container in fallen[:6]
            },
            "HostConfig.RestartPolicy": policy,
        },
        severity=worst,
        touches=subjects_of(fallen),
        variables={"fallen": " ".join(names_of(fallen))},
    )
