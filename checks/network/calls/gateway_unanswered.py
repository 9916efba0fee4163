"""network.gateway-unanswered: the gateway of a container on a wire of the host does not answer."""

from ipaddress import ip_address

import msgspec
from msgspec.structs import replace

from checks.network.helpers import calls_fail
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.gateways.silent_gateways import SilentGateways, SilentMachine
from diagnose.evidence.network.neighbours import Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.mappings import by_key, present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped, Subject
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
    inside shows, and nobody answers: the container reaches nothing beyond its own subnet. Either
    the network was created with a gateway that does not exist, or the wire takes no frames of a
    second hardware address. Wi-Fi and most virtual switches do not. The host's own gateway and its
    ARP table tell these apart. A container that only calls machines of its subnet never asks for
    the gateway: there it counts that nobody at all has answered it, while somebody answers the
    host. A container that is on a bridge as well has one default route: where that leads to the
    wire, the bridge's way out is not used. It is advice where no call of these containers is seen
    to fail: a network of machines alone needs no gateway, and one question for a name asks for it.
    """
    if not silent_gateways.looked_at:
        return Skipped("no running container leaves through a macvlan or ipvlan network")
    groups = by_key(
        ((machine.network.name, machine.address), machine) for machine in silent_gateways
    )
    asked = {network for network, _ in groups}
    by_network = by_key(
        (machine.network.name, machine)
        for machine in silent_gateways.neighbours
        if machine.network.name not in asked and _answering_machines(machine, neighbours)
    )
    for machines in (*groups.values(), *by_network.values()):
        if machines[0].network.name in asked:
            ways_out = _ways_out(machines, networks)
            finding = _finding(machines, neighbours, routes, ways_out, ping)
        else:
            finding = _neighbours_finding(machines, neighbours)
        callers = (machine.container for machine in machines)
        is_missed = any(calls_fail(caller, recent_logs, unanswered_calls) for caller in callers)
        yield finding if is_missed else replace(finding, severity=Severity.advice)


def _answering_machines(machine: SilentMachine, neighbours: Neighbours | None) -> set[str]:
    """The machines from which the host has an answer on the parent interface."""
    parent = machine.network.option("parent")
    return {
        entry.address
        for entry in neighbours or ()
        if entry.interface == parent and not entry.is_unanswered
    }


_CHOOSES = (28,)
"""The first engine with an option for the network that has the default route (`--gw-priority`)."""


def _ways_out(machines: list[SilentMachine], networks: Networks | None) -> list[Network]:
    """The bridges of the first container that would lead out, if its default route went there.

    None unless each of the containers has such a bridge: the others miss the gateway itself.
    """
    if networks is None:
        return []
    ways = [_bridges_out(machine.container, networks) for machine in machines]
    return ways[0] if all(ways) else []


def _bridges_out(container: Container, networks: Networks) -> list[Network]:
    """The bridge networks of a container that lead out."""
    return [way for way in networks.of(container) if way.is_bridge and not way.internal]


def _finding(
    machines: list[SilentMachine],
    neighbours: Neighbours | None,
    routes: Routes | None,
    ways_out: list[Network],
    ping: Ping | None,
) -> Finding:
    first = machines[0]
    router = _router(first.network, routes)
    if ways_out:
        reason = _reason_of_way_out(first, ways_out[0], ping)
    else:
        reason = _reason_of_silence(first, router, neighbours)
    shown = {"router of this host": router}
    finding = _silent_finding(machines, f"gateway {first.address}", reason.why, shown)
    return replace(finding, variables=reason.variables, discriminator=first.address)


class _Reason(msgspec.Struct, frozen=True):
    """Why a gateway may be silent, "" if that is not known, and what the page needs for it."""

    why: str
    variables: PageVariables


def _reason_of_way_out(machine: SilentMachine, way_out: Network, ping: Ping | None) -> _Reason:
    """The container has a bridge that leads out: from some engine on an option chooses it."""
    name = machine.container.name
    why = f"its default route leads there, and not through bridge {way_out}"
    if ping is not None and ping.version >= _CHOOSES:
        return _Reason(why, {"container": name, "way_out": way_out.name})
    return _Reason(why, {"container": name, "first_network": f"0-{name}"})


def _reason_of_silence(
    machine: SilentMachine, router: str, neighbours: Neighbours | None
) -> _Reason:
    """router: that of this host on the same wire, or ""."""
    gateway, container = machine.address, machine.container.name
    answering = {entry.address for entry in neighbours or () if not entry.is_unanswered}
    if gateway in answering:
        return _Reason(_ONE_MAC, _wire_variables(machine))
    if router and router != gateway:
        variables = {"container": container, "router": router, "interface": machine.interface}
        return _Reason(f"the router of this host is {router}", variables)
    if router and neighbours is not None and neighbours.unanswered(router) is None:
        why = "the host has the same router: it is off, or the network accepts only the host's MAC"
        return _Reason(why, {**_wire_variables(machine), "silent": router})
    return _Reason("", {"container": container})


_ONE_MAC = "the host gets an answer, so the network accepts only the MAC address of the host"


def _wire_variables(machine: SilentMachine) -> PageVariables:
    """The variables for a wire that takes frames of one hardware address alone."""
    parent = machine.network.option("parent")
    return {"container": machine.container.name, "network": machine.network.name, "parent": parent}


def _neighbours_finding(machines: list[SilentMachine], neighbours: Neighbours | None) -> Finding:
    """Containers that asked for machines of their subnet alone, and have an answer from nobody.

    A machine that answers the host is on. Another one may be off: the host tells when it asks.
    """
    addresses = sorted({machine.address for machine in machines}, key=ip_address)
    if _answering_machines(machines[0], neighbours).isdisjoint(addresses):
        why = (
            f"the host has answers from other machines on {machines[0].network.option('parent')}: "
            "these are off, or the network accepts only the MAC address of the host"
        )
        severity: Severity | None = Severity.warning
        silent = {"silent": addresses[0]}
    else:
        why, severity, silent = _ONE_MAC, None, {}
    finding = _silent_finding(machines, and_more(addresses), why, {})
    variables = {**_wire_variables(machines[0]), **silent}
    return replace(finding, variables=variables, severity=severity)


def _silent_finding(
    machines: list[SilentMachine], whom: str, why: str, more: dict[str, Json]
) -> Finding:
    first, network = machines[0], machines[0].network
    parent = network.option("parent")
    names = sorted({machine.container.name for machine in machines})
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"{named('container', names)} {agree(names, 'gets', 'get')} no answer from {whom} "
            f"of {network.driver} {network}",
            why,
        ),
        evidence=present(
            {
                f"ARP entry inside {first.container.name}": f"{first.address}: no answer",
                "IPAM.Config.Gateway": list(network.gateways),
                "Options.parent": parent,
                **more,
            }
        ),
        touches=(
            *([Subject("interface", parent)] if parent else []),
            *(machine.container.subject for machine in machines),
        ),
        signs=NO_WAY_OUT,
        stable=tuple(
            {machine.container.id: machine.container.life for machine in machines}.values()
        ),
    )


def _router(network: Network, routes: Routes | None) -> str:
    """The host's default gateway, where the network's subnet holds it."""
    router = routes.router if routes is not None else None
    if router is None or not any(ip_address(router) in subnet for subnet in network.subnets):
        return ""
    return router
