"""Swarm nodes, managers without a majority, services that lack tasks, and stuck updates."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.swarm import Node, Resources, Service, Swarm, UpdateStatus
from diagnose.evidence.containers.swarm_services import (
    NO_MATCH,
    NO_NODE,
    PORT_TAKEN,
    TOO_LARGE,
    PlacedService,
)
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.modules import Ipvs
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import (
    DAEMON,
    CheckResult,
    Finding,
    Json,
    Seconds,
    Severity,
    Skipped,
    Subject,
    Unavailable,
)
from diagnose.phrases import counted, sentence, size
from diagnose.programs.failures import START_ERRORS, recognise
from diagnose.registry import check

TASK_CAUSES = (
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-source-missing",
    "container.oom-killed",
    "container.restart-loop",
    "container.runtime-limit-hit",
    "container.start-refused",
    "image.pull-denied",
    "image.pull-no-space",
    "image.pull-rate-limited",
    "image.platform-mismatch",
    "image.registry-tls",
    "image.registry-unreachable",
)
"""What keeps a task from running on this node."""
NOT_USED = "this engine is in no swarm"
_CERTIFICATE = "/var/lib/docker/swarm/certificates/swarm-node.crt"
NO_MANAGER = "this node is no manager: only managers know"


@check("swarm.quorum-lost", severity=Severity.critical, caused_by=["daemon.clock-skewed"])
def quorum_lost(swarm: Swarm) -> CheckResult:
    """The managers of the swarm have lost their majority.

    Seen on engines 20.10.24, 26.1.5 and 28.5.2: /nodes answers 503 "The swarm does not have a
    leader"; running tasks go on. A swarm that elects a new leader says the same for some seconds.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    words = swarm.nodes.detail if isinstance(swarm.nodes, Unavailable) else swarm.error
    if "does not have a leader" in words or "without a leader" in words:
        yield Finding(
            subject=DAEMON,
            summary=(
                "the swarm has no leader: "
                f"too few of its {swarm.managers or 'managers'} managers can be reached"
            ),
            evidence={
                "GET /nodes": words,
                "Swarm.LocalNodeState": swarm.state,
                "Swarm.Managers": swarm.managers,
                "Swarm.RemoteManagers": list(swarm.other_managers),
            },
            variables={"manager": swarm.other_managers[0]} if swarm.other_managers else {},
            signs=signs(words),
        )
    return None


@check("swarm.node-down", severity=Severity.critical, caused_by=["swarm.quorum-lost"])
def node_down(swarm: Swarm) -> CheckResult:
    """A node of the swarm is down.

    A node that was drained before it was taken down is left alone. A manager learns of a dead node
    after some heartbeats (15 s by default).
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if swarm.state in ("error", "locked") or (swarm.state == "pending" and swarm.error):
        yield _this_node(swarm)
        return None
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.nodes, Unavailable):
        return swarm.nodes
    for node in swarm.nodes:
        if node.is_down and not node.is_drained:
            yield _down(node)
    return None


_EXPIRED = LazyPattern(r"swarm-node\.crt: certificate .*not valid after (?P<end>[^,]+, [^,]+) UTC")
"""swarmkit's ca package, 20.10 to 28.5."""


def _this_node(swarm: Swarm) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"this node cannot take part in its swarm: {_why_apart(swarm)}",
        evidence={"Swarm.LocalNodeState": swarm.state, "Swarm.Error": swarm.error},
        variables=_cure_of_node(swarm),
        discriminator="self",
        signs=signs(swarm.error),
    )


def _why_apart(swarm: Swarm) -> str:
    """Why this node takes no part in its swarm."""
    expired = _EXPIRED.search(swarm.error)
    if swarm.state == "locked":
        return (
            "it is locked since its engine was restarted, "
            "until `docker swarm unlock` gives it the key"
        )
    if expired:
        return (
            f"its certificate expired on {expired['end']}: it was off, or away from the managers, "
            "when it should have been renewed"
        )
    return swarm.error or swarm.state


def _cure_of_node(swarm: Swarm) -> dict[str, str]:
    if _EXPIRED.search(swarm.error):
        return {"certificate": _CERTIFICATE}
    return {"unlock": "unlock"} if swarm.state == "locked" else {}


def _down(node: Node) -> Finding:
    role = " (a manager)" if node.manager_status else ""
    return Finding(
        subject=Subject("host", node.name),
        summary=(
            f'node "{node.name}"{role} is {node.status.state}: '
            f"{node.status.message or 'no heartbeat'}"
        ),
        evidence={
            "Status.State": node.status.state,
            "Status.Message": node.status.message,
            "Status.Addr": node.status.addr,
            "Spec.Availability": node.spec.availability,
        },
        variables={"node": node.name, "address": node.status.addr or node.name},
        discriminator=node.id[:12],
    )


@check(
    "swarm.service-underreplicated",
    severity=Severity.critical,
    caused_by=["swarm.node-down", "swarm.quorum-lost", *TASK_CAUSES],
)
def service_underreplicated(
    swarm: Swarm,
    clock: Clock,
    containers: Containers | None,
    interfaces: Interfaces | None,
    *,
    settle_s: Seconds = Seconds(120),
) -> CheckResult:
    """A swarm service runs fewer tasks than it should.

    A service that was changed within settle_s is left alone: it may still be starting, unless its
    tasks were refused or failed three times since. Jobs are left alone too, and tasks that ended
    well and are not to be started again count as running.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.services, Unavailable):
        return swarm.services
    for service in swarm.services:
        placed = PlacedService(swarm, service)
        age = clock.age(service.changed_at)
        is_settling = age is not None and age < settle_s and not placed.keeps_failing
        if placed.lacks_tasks and not is_settling:
            yield _underreplicated(placed, containers, placed.left_interface(interfaces))
    return None


@check("swarm.update-stuck", severity=Severity.warning, caused_by=[*TASK_CAUSES])
def update_stuck(swarm: Swarm, clock: Clock, *, settle_s: Seconds = Seconds(120)) -> CheckResult:
    """The update of a swarm service is stuck: its former tasks still run.

    Swarm pauses an update whose tasks fail, and waits without end for a node that can take the
    next task. Counts of tasks are as they should be, so that nothing looks wrong. With the order
    start-first, a task that takes a port of its node waits for the one that it is to replace. An
    update that began within settle_s is left alone.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    if isinstance(swarm.services, Unavailable):
        return swarm.services
    for service in swarm.services:
        placed, update = PlacedService(swarm, service), service.update_status
        age = clock.age(service.changed_at)
        if update is None or placed.lacks_tasks or age is None or age < settle_s:
            continue
        if update.state == "updating" and isinstance(swarm.tasks, Unavailable):
            return swarm.tasks
        waits = update.state == "updating" and bool(placed.obstacles)
        if waits or update.state in ("paused", "rollback_paused"):
            yield _stuck(placed, update)
    return None


def _stuck(placed: PlacedService, update: UpdateStatus) -> Finding:
    name, errors = placed.service.spec.name, placed.obstacles or placed.blamed
    why = errors[0] if errors else update.message or update.state
    waits = update.state == "updating"
    state = "is stuck, and its former tasks still run" if waits else "was paused and does not go on"
    own_port = placed.waits_for_own_port
    variables = {"service": name}
    if own_port:
        variables["port_holder"] = name
    elif update.state == "paused":
        variables["held"] = name
    return Finding(
        subject=DAEMON,
        summary=sentence(
            f'the update of service "{name}" {state}: {why}',
            "its own task holds the port, and is to end only after the new one has started"
            if own_port
            else "",
        ),
        evidence={
            "UpdateStatus": f"{update.state}: {update.message}",
            "task errors": errors[:3],
            **({"UpdateConfig.Order": "start-first"} if own_port else {}),
        },
        variables=variables,
        discriminator=name,
        touches=_missing_image(errors),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


def _cure(placed: PlacedService) -> dict[str, str]:
    """What makes the only node that is up fit for the service.

    It may take tasks again, or gets the label or the folder that the service asks for. Which of
    several nodes is meant, only the reader knows.
    """
    if placed.missing_folder:
        return {"folder": placed.missing_folder}
    spec, node = placed.service.spec, placed.only_node
    if placed.says(TOO_LARGE) and spec.reserved != Resources():
        return {"reserving": spec.name}
    if node is None or not placed.says(NO_NODE):
        return {}
    if node.is_drained:
        return {"drained": node.name}
    label = placed.lacking_label(node) if placed.says(NO_MATCH) else None
    return {"unlabelled": node.name, "label": "=".join(label)} if label is not None else {}


def _unfit(placed: PlacedService) -> str:
    """What the scheduler leaves out: who holds the port, or how much is reserved."""
    if placed.says(PORT_TAKEN):
        holders = placed.swarm.port_holders(placed.service)
        return ", ".join(
            f'port {port} is held by service "{other.spec.name}"' for port, other in holders
        )
    is_known = isinstance(placed.swarm.nodes, tuple)
    return _reservation(placed) if placed.says(TOO_LARGE) and is_known else ""


def _reservation(placed: PlacedService) -> str:
    """What each task reserves, beside the most that a node has in all."""
    reserved, largest = placed.service.spec.reserved, placed.largest
    parts = []
    if reserved.memory_bytes:
        most = _of_largest(largest.memory_bytes, size(largest.memory_bytes))
        parts.append(f"{size(reserved.memory_bytes)} of memory{most}")
    if reserved.nano_cpus:
        wanted, cpus = reserved.nano_cpus / _NANO, largest.nano_cpus / _NANO
        noun = "CPU" if wanted == 1 else "CPUs"
        parts.append(f"{wanted:g} {noun}{_of_largest(cpus, f'{cpus:g}')}")
    return f"each task reserves {' and '.join(parts)}" if parts else ""


def _of_largest(most: float, shown: str) -> str:
    """What the largest node has, in brackets; "" where no node says it."""
    return f" (the largest node has {shown} in all)" if most else ""


_NANO = 1e9


def _underreplicated(placed: PlacedService, containers: Containers | None, left: str) -> Finding:
    """left: the interface on this host that has the network's number."""
    service, errors = placed.service, placed.errors
    name, status = service.spec.name, service.status
    runs = f'service "{name}" runs {status.running_tasks} of {status.desired_tasks} tasks'
    on_this_host = f"interface {left} on this host has the network's number" if left else ""
    return Finding(
        subject=DAEMON,
        summary=sentence(": ".join([runs, *errors[:1]]), on_this_host or _unfit(placed)),
        evidence={
            "ServiceStatus.RunningTasks": status.running_tasks,
            "ServiceStatus.DesiredTasks": status.desired_tasks,
            "task errors": errors[:3],
            **_held_update(service),
            **_meaning(errors),
        },
        variables={"service": name, **({"left": left} if left else _cure(placed))},
        discriminator=name,
        severity=Severity.critical if status.running_tasks == 0 else Severity.warning,
        touches=(*_newest_task(name, containers), *_missing_image(errors)),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


def _held_update(service: Service) -> dict[str, Json]:
    update = service.update_status
    if update is None or not update.is_held:
        return {}
    return {"UpdateStatus": f"{update.state}: {update.message}"}


def _meaning(errors: Sequence[str]) -> dict[str, Json]:
    """What the most frequent error means, where that is known."""
    known = recognise(errors[:1], None, START_ERRORS)
    if known is None:
        return {}
    return {"what it means": known.cause, "what fixes it": known.cure}


_NO_IMAGE = LazyPattern(r"No such image: (?P<image>\S+)")


def _missing_image(errors: Sequence[str]) -> tuple[Subject, ...]:
    """The image that a node did not have and could not pull."""
    matches = [match for error in errors[:1] if (match := _NO_IMAGE.search(error))]
    return tuple(Subject("image", match["image"].partition("@")[0]) for match in matches)


def _newest_task(service: str, containers: Containers | None) -> tuple[Subject, ...]:
    """The youngest container of a service on this node, if there is one."""
    tasks = [container for container in containers or () if container.service == f"swarm {service}"]
    newest = max(tasks, key=lambda container: container.created_at or 0.0, default=None)
    return (newest.subject,) if newest else ()


_NO_IPVS = "Could not get ipvs family information from the kernel"


@check("swarm.ipvs-missing", severity=Severity.critical)
def ipvs_missing(swarm: Swarm, log: DaemonLog, ipvs: Ipvs, containers: Containers) -> CheckResult:
    """The kernel cannot balance the load of swarm services: it has no IPVS.

    A service's own address and its published ports in ingress mode lead nowhere then. The engine
    says so in its log when it makes the network of the first task. Kernels of small boards, of
    WSL 2 and of hosts that are containers themselves lack the module. Ports in host mode, and
    services with the endpoint mode dnsrr, work.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if ipvs.is_there:
        return None
    lines = [line for line in log if _NO_IPVS in line.text]
    balanced = _balanced(swarm)
    tasks = [container for container in containers.running if container.swarm_service]
    by_ingress = [task for task in tasks if "ingress" in task.endpoints]
    by_address = [task for task in tasks if task.swarm_service in balanced]
    harmed = sorted({task.swarm_service for task in (*by_address, *by_ingress)})
    if lines and harmed:
        yield Finding(
            subject=DAEMON,
            summary=(
                "the kernel has no IPVS: the own addresses and the ingress ports of "
                f"{counted('swarm service', harmed)} lead nowhere"
            ),
            evidence={"/proc/net/ip_vs": "missing", **log.evidence(lines[-1])},
            variables={"module": "ip_vs", "service": harmed[0]},
            touches=subjects_of(by_ingress),
            signs=frozenset({"timeout", "refused", "unreachable"}),
        )
    return None


def _balanced(swarm: Swarm) -> set[str]:
    """The services that have an address of their own, as far as this node knows them."""
    specs = [service.spec for service in swarm.known_services]
    return {
        spec.name
        for spec in specs
        if spec.endpoint_spec is None or spec.endpoint_spec.mode != "dnsrr"
    }
