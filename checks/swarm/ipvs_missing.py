"""The kernel's balancer of services' addresses."""

from collections.abc import Iterable

from checks.swarm.helpers import NOT_USED
from diagnose.error_signatures import FOUND_NOBODY
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.modules import Ipvs
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.mappings import subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import counted
from diagnose.registry import check

_NO_IPVS = "Could not get ipvs family information from the kernel"


@check("swarm.ipvs-missing", severity=Severity.critical)
def ipvs_missing(swarm: Swarm, log: DaemonLog, ipvs: Ipvs, containers: Containers) -> CheckResult:
    """The kernel cannot balance the load of swarm services: it has no IPVS.

    A service's own address and its published ports in ingress mode lead nowhere then. The engine
    logs it when it makes the network of the first task. Kernels of small boards, of WSL 2 and of
    hosts that are containers themselves lack the module. Ports in host mode, and services with the
    endpoint mode dnsrr, work.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if ipvs.is_there:
        return None
    lines = [line for line in log if _NO_IPVS in line.text]
    tasks = [container for container in containers.running if container.swarm_service]
    by_ingress = [task for task in tasks if "ingress" in task.endpoints]
    harmed = sorted(_balanced_services(swarm, tasks).union(_services(by_ingress)))
    if lines and harmed:
        yield Finding(
            subject=DAEMON,
            summary=(
                "the kernel has no module ip_vs (IPVS): the virtual addresses and the published ports of "
                f"{counted('swarm service', harmed)} do not work"
            ),
            evidence={"/proc/net/ip_vs": "missing", **log.evidence(lines[-1])},
            variables={"module": "ip_vs", "services": "\n".join(harmed)},
            touches=subjects_of(by_ingress),
            signs=FOUND_NOBODY,
        )


def _services(tasks: Iterable[Container]) -> set[str]:
    return {task.swarm_service for task in tasks}


def _balanced_services(swarm: Swarm, tasks: Iterable[Container]) -> set[str]:
    """The services of these tasks that have an address of their own, as far as this node knows."""
    specs = [service.spec for service in swarm.known_services]
    is_balanced = {
        spec.name: spec.endpoint_spec is None or spec.endpoint_spec.mode != "dnsrr"
        for spec in specs
    }
    return {name for name in _services(tasks) if is_balanced.get(name)}
