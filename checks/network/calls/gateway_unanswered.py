"""network.gateway-unanswered: the gateway of a container on a wire of the host does not answer."""

from ipaddress import ip_address

from msgspec.structs import replace

from checks.network.helpers import calls_fail
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.gateways.silent_gateways import SilentGateways, SilentMachine
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.first_steps.network.gateway_reasons import (
    ONE_MAC,
    answering_machines,
    reason_of_silence,
    reason_of_way_out,
    ways_out,
    wire_variables,
)
from diagnose.mappings import by_key, present
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped, Subject
from diagnose.phrases import agree, and_more, named, sentence
from diagnose.registry import check


@check(
    "network.gateway-unanswered",
    severity=Severity.critical,
    aloud=("has a gateway that does not answer", "have a gateway that does not answer"),
    caused_by=["network.parent-down", "network.parent-subnet-foreign", "network.mac-duplicate"],
    causes=["dns.upstream-unreachable", "network.call-unanswered"],
)
def gateway_unanswered(
    silent_gateways: SilentGateways,
    neighbours: Neighbours | None,
    routes: Routes | None,
    recent_logs: RecentLogs | None,
    unanswered_calls: UnansweredCalls | None,
    networks: Networks | None,
    ping: Ping | None,
) -> CheckResult:
    """A container on a macvlan or ipvlan network gets no answer from its gateway.

    It asks the wire of the parent interface for the gateway's hardware address, as the ARP table
    inside shows, and nobody answers: the container reaches nothing beyond its own subnet.

    Either the network was created with a gateway that does not exist, or the wire takes no frames
    of a second hardware address. Wi-Fi and most virtual switches do not. The host's own gateway and
    its ARP table tell these apart.

    A container that only calls machines of its subnet never asks for the gateway: there it counts
    that nobody at all has answered it, while somebody answers the host. A container that is on a
    bridge as well has one default route: where that leads to the wire, the bridge's way out is not
    used.

    It is advice where no call of these containers is seen to fail: a network of machines alone
    needs no gateway, and one question for a name asks for it.
    """
    if not silent_gateways.looked_at:
        return Skipped("no running container leaves through a macvlan or ipvlan network")
    groups = by_key(
        ((machine.network.name, machine.address), machine) for machine in silent_gateways
    )
    asked_networks = {network for network, _ in groups}
    by_network = by_key(
        (machine.network.name, machine)
        for machine in silent_gateways.neighbours
        if machine.network.name not in asked_networks and answering_machines(machine, neighbours)
    )
    for machines in (*groups.values(), *by_network.values()):
        if machines[0].network.name in asked_networks:
            bridges = ways_out(machines, networks)
            finding = _finding(machines, neighbours, routes, bridges, ping)
        else:
            finding = _neighbours_finding(machines, neighbours)
        callers = (machine.container for machine in machines)
        is_missed = any(calls_fail(caller, recent_logs, unanswered_calls) for caller in callers)
        yield finding if is_missed else replace(finding, severity=Severity.advice)


def _finding(
    machines: list[SilentMachine],
    neighbours: Neighbours | None,
    routes: Routes | None,
    bridges: list[Network],
    ping: Ping | None,
) -> Finding:
    first = machines[0]
    router = _router(first.network, routes)
    if bridges:
        reason = reason_of_way_out(first, bridges[0], ping)
    else:
        reason = reason_of_silence(first, router, neighbours)
    shown = {"router of this host": router}
    finding = _silent_finding(machines, f"gateway {first.address}", reason.why, shown)
    return replace(finding, variables=reason.variables, discriminator=first.address)


def _neighbours_finding(machines: list[SilentMachine], neighbours: Neighbours | None) -> Finding:
    """The finding about containers that asked only for machines of their subnet, and got an answer
    from none.

    A machine that answers the host is on. Another one may be off: the host shows it when it asks.
    """
    addresses = sorted({machine.address for machine in machines}, key=ip_address)
    if answering_machines(machines[0], neighbours).isdisjoint(addresses):
        reason = (
            f"the host has answers from other machines on {machines[0].network.option('parent')}: "
            "these are off, or the network accepts only the MAC address of the host"
        )
        severity: Severity | None = Severity.warning
        silent = {"silent": addresses[0]}
    else:
        reason = ONE_MAC
        severity = None
        silent = {}
    finding = _silent_finding(machines, and_more(addresses), reason, {})
    variables = {**wire_variables(machines[0]), **silent}
    return replace(finding, variables=variables, severity=severity)


def _silent_finding(
    machines: list[SilentMachine], silent: str, reason: str, evidence: dict[str, Json]
) -> Finding:
    first = machines[0]
    network = machines[0].network
    parent = network.option("parent")
    names = sorted({machine.container.name for machine in machines})
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"{named('container', names)} {agree(names, 'gets', 'get')} no answer from {silent} "
            f"of {network.driver} {network}",
            reason,
        ),
        evidence=present(
            {
                f"ARP entry inside {first.container.name}": f"{first.address}: no answer",
                "IPAM.Config.Gateway": list(network.gateways),
                "Options.parent": parent,
                **evidence,
            }
        ),
        touches=(
            *([Subject("interface", parent)] if parent else []),
            *(machine.container.subject for machine in machines),
        ),
        signs=NO_WAY_OUT,
        recheck=tuple(
            {machine.container.id: machine.container.run for machine in machines}.values()
        ),
    )


def _router(network: Network, routes: Routes | None) -> str:
    """The host's default gateway, where the network's subnet holds it."""
    router = routes.router if routes is not None else None
    if router is None or not any(ip_address(router) in subnet for subnet in network.subnets):
        return ""
    return router
