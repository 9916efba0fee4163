"""Services that lack tasks."""

from collections.abc import Sequence

import msgspec

from checks.swarm.helpers import (
    TASK_CAUSES,
    ending_or_stalled,
    missing_image,
    reason_without_services,
)
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.swarm.allocations import Allocation, FailedAllocations
from diagnose.evidence.swarm.services import NO_MATCH, NO_NODE, PORT_TAKEN, TOO_LARGE, PlacedService
from diagnose.evidence.swarm.swarm import Resources, Service, Swarm
from diagnose.evidence.swarm.unhealthy_tasks import ended_for_health
from diagnose.mappings import distinct, evidence_of, only, present
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity, Subject
from diagnose.model.units import Seconds
from diagnose.phrases import sentence, size
from diagnose.programs.failures import START_ERRORS, recognise
from diagnose.registry import check


@check(
    "swarm.service-underreplicated",
    severity=Severity.critical,
    caused_by=["swarm.node-down", "swarm.quorum-lost", *TASK_CAUSES],
    observed=True,
)
def service_underreplicated(
    swarm: Swarm,
    clock: Clock,
    containers: Containers | None,
    interfaces: Interfaces | None,
    allocations: FailedAllocations | None,
    networks: Networks | None,
    *,
    settle_s: Seconds = Seconds(120),
    refused_s: Seconds = Seconds(5),
) -> CheckResult:
    """A swarm service runs fewer tasks than it should.

    A service that was changed within settle_s is left out: it may still be starting, unless its
    tasks were refused or failed three times since, its update was paused, or its tasks wait for an
    address that their network does not have. For refused_s a new task may wait for a node that
    fits: the scheduler gets nothing by waiting then. Jobs are left out too, and tasks that ended
    well and that swarm does not start again count as running.
    """
    without = reason_without_services(swarm)
    if without is not None:
        return without
    for service in swarm.known_services:
        placed = PlacedService(swarm, service)
        is_young = clock.is_within(service.changed_at, settle_s)
        allocation = allocations.of(placed.tasks) if allocations is not None else None
        update = service.update_status
        is_held = update is not None and update.is_held
        is_unfit = placed.is_refused_for_good(clock, refused_s)
        has_stopped = placed.keeps_failing or is_held or is_unfit
        is_settling = is_young and not has_stopped and allocation is None
        if not placed.lacks_tasks or is_settling:
            continue
        finding = _finding(placed, containers, placed.left_interface(interfaces))
        if allocation is not None and not placed.errors:
            finding = _addressless_finding(finding, allocation, networks)
        yield finding


def _cure(placed: PlacedService) -> PageVariables:
    """The page variables that make the only node that is up fit for the service.

    It may take tasks again, or gets the label or the folder that the service asks for. Of several
    nodes, only the reader knows the right one.
    """
    if placed.missing_folder:
        return {"folder": placed.missing_folder}
    spec = placed.service.spec
    node = placed.only_node
    driver = only(placed.missing_drivers)
    if driver is not None:
        return {"undriven" if driver.type == "Log" else "driven": spec.name, "driver": driver.name}
    if placed.says(TOO_LARGE) and spec.reserved != Resources():
        return {"reserving": spec.name}
    if node is None or not placed.says(NO_NODE):
        return {}
    if node.is_drained:
        return {"drained": node.name}
    label = placed.lacking_label(node) if placed.says(NO_MATCH) else ""
    if label:
        return {"unlabelled": node.name, "label": label}
    unmet = only(placed.unmet)
    if unmet is None:
        return {}
    cure = {"constrained": spec.name, "misspelt": unmet.text, "meant": unmet.meant}
    return cure if unmet.meant else {"constrained": spec.name, "unmet": unmet.text}


def _unfit_clause(placed: PlacedService) -> str:
    """The clause about the constraint that no node meets, the service that holds the port, or the
    resources that each task reserves; "" for none of these."""
    if placed.unmet:
        return ", ".join(f"constraint {unmet.text}: {unmet.why}" for unmet in placed.unmet)
    if placed.says(PORT_TAKEN):
        holders = placed.swarm.port_holders(placed.service)
        return ", ".join(
            f'port {holder.port} is held by service "{holder.service.spec.name}"'
            for holder in holders
        )
    if placed.missing_drivers:
        drivers = [f'{_DRIVERS[driver.type]} "{driver.name}"' for driver in placed.missing_drivers]
        return f"no node has the {' and the '.join(drivers)}, for which the service asks"
    is_known = isinstance(placed.swarm.nodes, tuple)
    return _reservation(placed) if placed.says(TOO_LARGE) and is_known else ""


_DRIVERS = {"Log": "log driver", "Volume": "volume driver"}


def _reservation(placed: PlacedService) -> str:
    """The clause about the resources that each task reserves, and the most that a node has in
    all."""
    reserved = placed.service.spec.reserved
    largest = placed.largest
    parts = []
    if reserved.memory_bytes:
        most = _largest_clause(largest.memory_bytes, size(largest.memory_bytes))
        parts.append(f"{size(reserved.memory_bytes)} of memory{most}")
    if reserved.nano_cpus:
        wanted_cpus = reserved.nano_cpus / _NANO
        cpus = largest.nano_cpus / _NANO
        noun = "CPU" if wanted_cpus == 1 else "CPUs"
        parts.append(f"{wanted_cpus:g} {noun}{_largest_clause(cpus, f'{cpus:g}')}")
    return f"each task reserves {' and '.join(parts)}" if parts else ""


def _largest_clause(most: float, shown: str) -> str:
    """The clause with the resources of the largest node, in brackets; "" where no node has a
    figure."""
    return f" (the largest node has {shown} in all)" if most else ""


_NANO = 1e9


def _finding(placed: PlacedService, containers: Containers | None, left_interface: str) -> Finding:
    """The finding about a service that lacks tasks.

    left_interface: the interface on this host that has the network's number.
    """
    service = placed.service
    errors = placed.errors
    name = service.spec.name
    status = service.status
    health = ended_for_health(errors, name, containers)
    reasons = [health.summary] if health is not None else errors[:1]
    runs = f'service "{name}" runs {status.running_tasks} of {status.desired_tasks} tasks'
    on_this_host = ""
    if left_interface:
        on_this_host = f"interface {left_interface} on this host has the network's number"
    return Finding(
        subject=DAEMON,
        summary=sentence(": ".join([runs, *reasons]), on_this_host or _unfit_clause(placed)),
        evidence={
            "ServiceStatus.RunningTasks": status.running_tasks,
            "ServiceStatus.DesiredTasks": status.desired_tasks,
            **present({"task errors": errors[:3]}),
            **_held_update(service),
            **_meaning(errors),
            **evidence_of(health),
        },
        variables={
            "service": name,
            **({"left": left_interface} if left_interface else _cure(placed)),
            **ending_or_stalled(name, errors),
            **(health.variables if health is not None else {}),
        },
        discriminator=name,
        severity=Severity.critical if status.running_tasks == 0 else Severity.warning,
        touches=(*_failing_tasks(name, containers), *missing_image(errors)),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


def _addressless_finding(
    finding: Finding, allocation: Allocation, networks: Networks | None
) -> Finding:
    """The finding about a service whose tasks wait for an address that the leader cannot
    give them."""
    evidence = {**finding.evidence, "engine log": allocation.line.text}
    full = [other for other in networks or () if other.id and other.id == allocation.network]
    if not full:
        allocation_error = allocation.line.fields.get("error", allocation.line.message)
        return msgspec.structs.replace(
            finding, summary=f"{finding.summary}: {allocation_error}", evidence=evidence
        )
    network = full[0]
    subnets = ", ".join(map(str, network.subnets))
    summary = f'{finding.summary}: network "{network.name}" ({subnets}) has no free address'
    return msgspec.structs.replace(
        finding,
        summary=summary,
        evidence=evidence,
        variables={
            "service": finding.variables["service"],
            "full_network": network.name,
            "larger_network": f"{network.name}2",
        },
    )


def _held_update(service: Service) -> dict[str, Json]:
    update = service.update_status
    if update is None or not update.is_held:
        return {}
    return {"UpdateStatus": f"{update.state}: {update.message}"}


def _meaning(errors: Sequence[str]) -> dict[str, Json]:
    """The meaning and the cure of the most frequent error, as evidence; empty where it is not
    known."""
    recognised = recognise(errors[:1], None, START_ERRORS)
    if recognised is None:
        return {}
    return {"this means": recognised.cause, "what fixes it": recognised.cure}


def _failing_tasks(service: str, containers: Containers | None) -> tuple[Subject, ...]:
    """The youngest container of a service on this node, and those whose start was refused.

    Swarm may have made the youngest one a moment ago, and not have tried it yet: then the one
    before it, whose program has run, counts too.
    """
    tasks = [container for container in containers or () if container.service == f"swarm {service}"]
    newest = max(tasks, key=lambda container: container.created_at or 0.0, default=None)
    ran = [task for task in tasks if not task.never_ran]
    tried = max(ran, key=lambda container: container.created_at or 0.0, default=None)
    refused = [task for task in tasks if task.start_failed]
    failing = [task.subject for task in (newest, tried, *refused) if task is not None]
    return distinct(failing)
