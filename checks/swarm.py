"""Swarm nodes, managers without a majority, and services that lack tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.swarm import Node, Resources, Service, Swarm, Task
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.modules import Ipvs
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.lazy_pattern import LazyPattern
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
    why = swarm.error or swarm.state
    variables = {"unlock": "unlock"} if swarm.state == "locked" else {}
    expired = _EXPIRED.search(swarm.error)
    if expired:
        why = (
            f"its certificate expired on {expired['end']}: it was off, or away from the managers, "
            "when it should have been renewed"
        )
        variables = {"certificate": _CERTIFICATE}
    if swarm.state == "locked":
        why = (
            "it is locked since its engine was restarted, "
            "until `docker swarm unlock` gives it the key"
        )
    return Finding(
        subject=DAEMON,
        summary=f"this node cannot take part in its swarm: {why}",
        evidence={"Swarm.LocalNodeState": swarm.state, "Swarm.Error": swarm.error},
        variables=variables,
        discriminator="self",
        signs=signs(swarm.error),
    )


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
        age = clock.age(service.changed_at)
        tasks = _tasks(swarm, service)
        is_settling = age is not None and age < settle_s and not _keeps_failing(service, tasks)
        if not service.is_job and not is_settling and service.lacks_tasks(tasks):
            left = _left_interface(tasks, interfaces)
            unfit = f"interface {left} on this host has the network's number" if left else ""
            yield _underreplicated(
                service,
                tasks,
                containers,
                unfit or _unfit(swarm, service, tasks),
                {"left": left} if left else _cure(swarm, service, tasks),
            )
    return None


_REPEATED = 3
"""So many failed tasks are no slow start."""


def _keeps_failing(service: Service, tasks: list[Task]) -> bool:
    """Whether tasks failed again and again since the service was made or changed."""
    changed = service.changed_at or 0.0
    failed = [task for task in tasks if task.has_failed and (task.changed_at or 0.0) > changed]
    return len(failed) >= _REPEATED


def _tasks(swarm: Swarm, service: Service) -> list[Task]:
    tasks = () if isinstance(swarm.tasks, Unavailable) else swarm.tasks
    return [task for task in tasks if task.service_id == service.id]


_NO_SOURCE = LazyPattern(r"bind source path does not exist: (?P<path>/.+)$")
"""Swarm makes no folder for a bind mount, as `docker run -v` does."""
_LABEL = LazyPattern(r"node\.labels\.(?P<name>[\w./-]+) *== *(?P<value>\S+)")
"""A constraint that a label of the node has to meet."""


def _cure(swarm: Swarm, service: Service, tasks: list[Task]) -> dict[str, str]:
    """What makes the only node that is up fit for the service.

    It may take tasks again, or gets the label or the folder that the service asks for. Which of
    several nodes is meant, only the reader knows.
    """
    if folder := _missing_here(swarm, tasks):
        return {"folder": folder}
    if _TOO_LARGE in _errors(tasks) and service.spec.reserved != Resources():
        return {"reserving": service.spec.name}
    nodes = () if isinstance(swarm.nodes, Unavailable) else swarm.nodes
    up = [node for node in nodes if not node.is_down]
    if len(up) != 1 or "no suitable node" not in _errors(tasks):
        return {}
    if up[0].is_drained:
        return {"drained": up[0].name}
    return _lacking_label(up[0], service) if "scheduling constraints" in _errors(tasks) else {}


def _lacking_label(node: Node, service: Service) -> dict[str, str]:
    """The one label that a service asks for and the node does not have."""
    labels = node.spec.labels or {}
    placement = service.spec.task_template.placement
    constraints = (placement.constraints if placement is not None else None) or []
    wanted = [match for text in constraints if (match := _LABEL.fullmatch(text))]
    lacking = [label for label in wanted if labels.get(label["name"]) != label["value"]]
    if len(lacking) != 1:
        return {}
    return {"unlabelled": node.name, "label": f"{lacking[0]['name']}={lacking[0]['value']}"}


_TOO_LARGE = "insufficient resources"
_PORT_TAKEN = "host-mode port already in use"


def _errors(tasks: list[Task]) -> str:
    return " ".join(task.status.err for task in tasks)


def _unfit(swarm: Swarm, service: Service, tasks: list[Task]) -> str:
    """What the scheduler leaves out: who holds the port, or how much is reserved."""
    errors = _errors(tasks)
    if _PORT_TAKEN in errors and isinstance(swarm.services, tuple):
        ports = service.spec.host_ports
        holders = [
            (f"{number}/{protocol}", other.spec.name)
            for other in swarm.services
            if other.id != service.id
            for protocol, number in sorted(other.spec.host_ports & ports)
        ]
        return ", ".join(f'port {port} is held by service "{name}"' for port, name in holders)
    if _TOO_LARGE in errors and isinstance(swarm.nodes, tuple):
        return _reservation(service.spec.reserved, swarm.nodes)
    return ""


def _reservation(reserved: Resources, nodes: Sequence[Node]) -> str:
    """What each task reserves, beside the most that a node has in all."""
    owned = [node.description.resources or Resources() for node in nodes]
    memory = max((node.memory_bytes for node in owned), default=0)
    cpus = max((node.nano_cpus for node in owned), default=0) / _NANO
    parts = []
    if reserved.memory_bytes:
        parts.append(f"{size(reserved.memory_bytes)} of memory{_of_largest(memory, size(memory))}")
    if reserved.nano_cpus:
        wanted = reserved.nano_cpus / _NANO
        noun = "CPU" if wanted == 1 else "CPUs"
        parts.append(f"{wanted:g} {noun}{_of_largest(cpus, f'{cpus:g}')}")
    return f"each task reserves {' and '.join(parts)}" if parts else ""


def _of_largest(most: float, shown: str) -> str:
    """What the largest node has, in brackets; "" where no node says it."""
    return f" (the largest node has {shown} in all)" if most else ""


_NANO = 1e9


def _left_interface(tasks: list[Task], interfaces: Interfaces | None) -> str:
    """The interface of a network that is gone, which keeps its number from the new one.

    The engine makes each VXLAN interface in the host's namespace under a name of its own and moves
    it at once; one that stays there is left from an engine that was killed meanwhile. Those of
    other programs have other names.
    """
    if "creating vxlan interface: file exists" not in _errors(tasks):
        return ""
    left = [
        item.name
        for item in interfaces or ()
        if item.kind == "vxlan" and item.name.startswith("vx-")
    ]
    return left[0] if len(left) == 1 else ""


def _missing_here(swarm: Swarm, tasks: list[Task]) -> str:
    """The folder for lack of which this node refuses the tasks; "" for another reason or node."""
    refused = [task for task in tasks if task.has_failed and task.node_id == swarm.node_id]
    folders = {match["path"] for task in refused if (match := _NO_SOURCE.search(task.status.err))}
    return folders.pop() if len(folders) == 1 else ""


def _underreplicated(
    service: Service,
    tasks: list[Task],
    containers: Containers | None,
    unfit: str,
    cure: Mapping[str, str],
) -> Finding:
    name, status, update = service.spec.name, service.status, service.update_status
    counts = Counter(task.status.err for task in tasks if task.status.err)
    errors = [error for error, _ in counts.most_common()]
    evidence: dict[str, Json] = {
        "ServiceStatus.RunningTasks": status.running_tasks,
        "ServiceStatus.DesiredTasks": status.desired_tasks,
        "task errors": errors[:3],
    }
    if update and update.is_held:
        evidence["UpdateStatus"] = f"{update.state}: {update.message}"
    known = recognise(errors[:1], None, START_ERRORS)
    if known is not None:
        evidence["what it means"] = known.cause
        evidence["what fixes it"] = known.cure
    return Finding(
        subject=DAEMON,
        summary=sentence(
            ": ".join(
                [
                    f'service "{name}" runs {status.running_tasks} of {status.desired_tasks} tasks',
                    *errors[:1],
                ]
            ),
            unfit,
        ),
        evidence=evidence,
        variables={"service": name, **cure},
        discriminator=name,
        severity=Severity.critical if status.running_tasks == 0 else Severity.warning,
        touches=(*_newest_task(name, containers), *_missing_image(errors)),
        signs=signs(*errors),
        service=f"swarm {name}",
    )


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
    harmed = sorted(
        {
            task.swarm_service
            for task in containers.running
            if task.swarm_service in balanced
            or (task.swarm_service and "ingress" in task.endpoints)
        }
    )
    if lines and harmed:
        yield Finding(
            subject=DAEMON,
            summary=(
                "the kernel has no IPVS: the own addresses and the ingress ports of "
                f"{counted('swarm service', harmed)} lead nowhere"
            ),
            evidence={"/proc/net/ip_vs": "missing", **log.evidence(lines[-1])},
            variables={"module": "ip_vs", "service": harmed[0]},
            touches=tuple(
                task.subject for task in containers.running if "ingress" in task.endpoints
            ),
            signs=frozenset({"timeout", "refused", "unreachable"}),
        )
    return None


def _balanced(swarm: Swarm) -> set[str]:
    """The services that have an address of their own, as far as this node knows them."""
    services = swarm.services if isinstance(swarm.services, tuple) else ()
    return {
        service.spec.name
        for service in services
        if service.spec.endpoint_spec is None or service.spec.endpoint_spec.mode != "dnsrr"
    }
