"""The namespace of a node's routing mesh, which hands no packet on."""

from collections.abc import Iterator

from checks.swarm.helpers import NOT_USED
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.swarm.ingress_sandbox import PATH, IngressSandbox
from diagnose.evidence.swarm.swarm import Swarm
from diagnose.mappings import subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import counted
from diagnose.registry import check

_NETWORK = "ingress"


@check("swarm.ingress-forwarding-off", severity=Severity.critical)
def ingress_forwarding_off(
    swarm: Swarm, sandbox: IngressSandbox, containers: Containers
) -> CheckResult:
    """IP forwarding is off in the namespace that leads calls to swarm services.

    A new namespace takes the setting from the kernel's first one. In an LXC guest that is the
    namespace of the host around it, where forwarding is off, while the engine has switched it on in
    the guest's own. Ports in host mode are not concerned.
    """
    if not swarm.is_used:
        return Skipped(NOT_USED)
    services = sorted(set(_services(swarm, containers)))
    if services and sandbox.is_there and not sandbox.forwards:
        yield Finding(
            subject=Subject("network", _NETWORK),
            summary=(
                f'IP forwarding is off in the namespace of network "{_NETWORK}": calls to published '
                f"ports of {counted('swarm service', services)} are not forwarded by this node"
            ),
            evidence={f"net.ipv4.ip_forward in {PATH}": "0", "services": services},
            variables={"namespace": PATH},
            touches=subjects_of(
                container for container in containers.running if _NETWORK in container.endpoints
            ),
            signs=frozenset({"timeout", "unreachable"}),
        )


def _services(swarm: Swarm, containers: Containers) -> Iterator[str]:
    """The services with ports in ingress mode, as far as this node knows them."""
    for service in swarm.known_services:
        if service.spec.has_mesh_ports:
            yield service.spec.name
    for container in containers.running:
        if container.swarm_service and _NETWORK in container.endpoints:
            yield container.swarm_service
