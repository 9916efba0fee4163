"""The host's default route and the engine's own interfaces: who configured them."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.wiring.docker_interfaces import DockerInterface, DockerInterfaces
from diagnose.evidence.network.wiring.interface_managers import InterfaceManager, InterfaceManagers
from diagnose.first_steps.network.interface_steps import interface_steps
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import joined
from diagnose.registry import check


@check(
    "network.interface-taken",
    severity=Severity.warning,
    causes=[
        "dns.host-broken",
        "dns.upstream-unreachable",
        "firewall.masquerade-missing",
        "image.registry-unreachable",
    ],
)
def interface_taken(
    interfaces: DockerInterfaces, managers: InterfaceManagers | None, containers: Containers | None
) -> CheckResult:
    """Another program configured one of Docker's interfaces.

    dhcpcd, NetworkManager and systemd-networkd set addresses and default routes on bridges and veth
    interfaces unless their configuration excludes them. If such a default route wins, the host and
    its containers are offline, and the finding is critical. The engine itself sets no address on a
    veth interface of the host, and only addresses of the network's subnet on a bridge.
    """
    running = () if containers is None else subjects_of(containers.running)
    for interface in interfaces:
        owners = () if managers is None else managers.of(interface)
        yield Finding(
            subject=interface.subject,
            summary=_summary(interface, owners),
            evidence=present(
                {
                    "default routes": [str(route) for route in interface.defaults],
                    "addresses that the engine did not set": list(interface.addresses),
                    "programs that configure interfaces": [str(manager) for manager in owners],
                    "bridge": interface.port_of or interface.link.name,
                }
            ),
            variables=interface_steps(interface, owners),
            severity=Severity.critical if interface.wins else Severity.warning,
            touches=_touched_subjects(interface, running),
            signs=frozenset({"dns", "timeout", "unreachable"}),
        )


def _touched_subjects(
    interface: DockerInterface, running: tuple[Subject, ...]
) -> tuple[Subject, ...]:
    """The subjects that a default route of the host concerns: the engine and every container."""
    network = subjects_of([interface.network])
    return (Subject("daemon", "docker"), *running, *network) if interface.wins else network


def _summary(interface: DockerInterface, managers: tuple[InterfaceManager, ...]) -> str:
    """The sentence about the address or the route of an interface that the engine did not set,
    and the program that likely did."""
    kind = f"a port of bridge {interface.port_of}" if interface.port_of else "a bridge of Docker"
    if interface.wins:
        harm = (
            f"the host's default route leads to {interface.link.name}, {kind}: "
            "the host and its containers are offline"
        )
    elif interface.defaults:
        harm = f"{interface.link.name}, {kind}, has a default route of the host"
    else:
        harm = (
            f"{interface.link.name}, {kind}, "
            f"has address {interface.addresses[0]}, which the engine did not set"
        )
    manager_names = joined([str(manager) for manager in managers[:2]], "or")
    return f"{harm}; likely set by {manager_names}" if manager_names else harm
