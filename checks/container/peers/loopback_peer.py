"""container.loopback-peer: a program calls localhost, and means another container or the host."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from checks.container.claims import Claim, claims, compose_variables
from checks.container.peers.host_network_calls import host_network_finding
from diagnose.evidence.containers.addresses.hostless_words import (
    HostlessVariable,
    hostless_cure,
    hostless_variables,
)
from diagnose.evidence.containers.addresses.loopback_words import Correction, with_advertised
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.loopback_calls import (
    ID,
    LoopbackCall,
    by_variable,
    logged_target,
    port_of,
)
from diagnose.evidence.containers.peers.loopback_records import (
    CallRecords,
    calls_meant,
    recent_calls,
)
from diagnose.evidence.containers.peers.loopback_targets import LoopbackTargets
from diagnose.evidence.containers.peers.own_servers import may_mean_own_server
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.first_steps.network.loopback_cures import (
    GATEWAY_NAME,
    host_variables,
    name_variables,
    network_variables,
    settings_variables,
)
from diagnose.mappings import names_of, present
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity
from diagnose.model.units import Count, Seconds
from diagnose.phrases import named
from diagnose.registry import check


class ServersHere(EvidenceGroup, frozen=True):
    """The containers and programs of this host that a call to localhost may mean."""

    containers: Containers
    namespaces: Namespaces | None
    listeners: Listeners | None
    processes: Processes | None


@check(ID, severity=Severity.critical, caused_by=("container.variable-malformed",), observed=True)
def loopback_peer(
    here: ServersHere,
    clock: Clock,
    log_tails: LogTails,
    records: CallRecords,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
) -> CheckResult:
    """A container calls localhost instead of another container or the host.

    Inside a container, localhost is the container itself. A line of its log says that localhost
    refused a connection to a port, and another running container offers that port, or publishes
    that port of the host, or else a program of the host listens there.

    A container that keeps running counts where its last lines repeat the refusal `least` times, the
    last line is not older than `fresh`, and nothing inside listens on that port; or where the
    kernel has counted calls that were refused inside, whatever its lines say of that port. Many
    programs do not log a failed call: where a mounted file of settings names such a port, the
    kernel's count is a warning. Addresses for browsers, such as those of CORS and redirects, do not
    count. Many lines do not say whom the program calls: where the kernel counts as many such calls,
    the one variable that names a port of localhost says it.

    On the host's network it counts where nothing of the host listens there, and another container
    does without publishing it.

    The stack of a program that ends often names the kind of its server and no place: the one place
    at localhost with that server's usual port in a mounted file of settings is meant then.

    A program calls localhost also where a variable names the kind of the server or its port, and no
    host, as redis:// does. Without IPv6 the call ends with another error than a refusal: ::1 is not
    an address there.

    Containers that share another container's network are left out: their localhost is shared. A web
    server beside another program is left out too: it means that one. A broker such as Kafka tells
    each client which address to call: a variable of its own that says localhost is the reason then.
    """
    targets = records.loopback_targets
    recent_logs = records.recent_logs
    running = here.containers.running
    calls = list(_calls_of_failed(claims(ID, here.containers, log_tails, clock), targets))
    calls += calls_meant(here.containers, log_tails, targets, _callers_of(calls))
    known_callers = _callers_of(calls)
    for container in running:
        lines = recent_logs.of_this_run(container) if recent_logs is not None else ()
        is_fresh = bool(lines) and clock.is_within(lines[-1].at, fresh)
        if is_fresh and container.id not in known_callers:
            calls += recent_calls(container, lines, here.namespaces, records, least)
    callers_by_lines = _callers_of(calls)
    for variable_call in records.variable_calls or ():
        if variable_call.container.id not in callers_by_lines:
            calls.append(by_variable(variable_call))
    for call in calls:
        yield from _findings(call, here)
    yield from _silent_findings(targets, _callers_of(calls), here)
    if recent_logs is not None:
        yield from recent_logs.left_out(running)


def _callers_of(calls: Iterable[LoopbackCall]) -> set[str]:
    """The ids of the containers that make these calls."""
    return {call.container.id for call in calls}


def _calls_of_failed(
    claims_of: Iterable[Claim], targets: LoopbackTargets | None
) -> Iterator[LoopbackCall]:
    """The calls of containers that have failed, where their logs name the port."""
    for claim in claims_of:
        port = port_of(claim.failure)
        if port:
            target = logged_target(targets, claim.container, port)
            line = claim.failure.line
            signs_of = claim.tail.signs
            yield LoopbackCall(claim.container, port, line, signs_of, target)


def _silent_findings(
    targets: LoopbackTargets | None, failed: Collection[str], here: ServersHere
) -> Iterator[Finding]:
    """The finding for each container, about its first target that another container or the host
    serves.

    failed: the ids of containers whose log names a target.
    """
    failed_ids = set(failed)
    for target in targets or ():
        container = target.container
        if container.id in failed_ids:
            continue
        call = LoopbackCall(container, str(target.port), "", frozenset({"refused"}), target)
        for finding in _findings(call, here):
            failed_ids.add(container.id)
            yield msgspec.structs.replace(finding, severity=Severity.warning)


def _findings(call: LoopbackCall, here: ServersHere) -> Iterator[Finding]:
    """The finding, where another container or the host offers the port that the caller does not."""
    caller = call.container
    port = call.port
    if caller.shares_host_network:
        yield from _host_network_findings(call, here)
        return
    is_own = may_mean_own_server(caller, int(port), here.processes)
    if caller.shares_network or port in caller.offered_ports or is_own:
        return
    others = [other for other in here.containers.running if other.id != caller.id]
    peers = [other for other in others if _serves(other, port, here.namespaces)]
    reachable_peers = [peer for peer in peers if caller.shared_networks(peer)]
    if not reachable_peers:
        yield from _far_findings(call, peers, others, here.listeners)
        return
    correction = with_advertised(reachable_peers[0], int(port), reachable_peers[0].name)
    if correction is not None:
        yield _advertised_finding(call, reachable_peers[0], correction)
    else:
        yield _wrong_host_finding(call, reachable_peers, is_near=True)


def _far_findings(
    call: LoopbackCall,
    peers: Sequence[Container],
    others: Sequence[Container],
    listeners: Listeners | None,
) -> Iterator[Finding]:
    """Findings about a call of localhost where no container on the caller's networks listens at the
    port.

    peers: containers that listen there on other networks. A neighbour that publishes the port of
    the host comes before these. Where no line shows a call, settings may name that port for
    browsers.
    """
    port = int(call.port)
    offers = [(other, way.number) for other in others for way in _ways_from(other, port)]
    publishers = offers if call.line else []
    neighbours = [place for place in publishers if call.container.shared_networks(place[0])]
    program = _host_listener(listeners, port)
    is_known_otherwise = bool(peers) or program is not None
    meant_peers = neighbours or ([] if is_known_otherwise else publishers)
    if meant_peers:
        peer, inner = meant_peers[0]
        yield _wrong_host_finding(call, [peer], is_near=bool(neighbours), inner=str(inner))
    elif peers:
        yield _wrong_host_finding(call, peers, is_near=False)
    elif program is not None:
        yield _host_finding(call, program, _owner_of_program(program, others))


def _ways_from(container: Container, host_port: int) -> list[PortBinding]:
    """The published ports through which a TCP port of the host leads to a container."""
    return [way for way in container.published_by("tcp") if way.host_port == host_port]


def _host_network_findings(call: LoopbackCall, here: ServersHere) -> Iterator[Finding]:
    others = [other for other in here.containers.running if other.id != call.container.id]
    peers = [other for other in others if _serves(other, call.port, here.namespaces)]
    finding = host_network_finding(call.container, call.port, call.line, peers, here.listeners)
    if finding is not None and call.line:
        yield finding


def _host_listener(listeners: Listeners | None, port: int) -> Listener | None:
    """The program on the host's network to which the host's own localhost leads."""
    on_loopback = listeners.on("tcp", "127.0.0.1", port) if listeners is not None else ()
    for listener in on_loopback:
        if listener.comm and listener.comm != DOCKER_PROXY:
            return listener
    return None


def _owner_of_program(program: Listener, others: Sequence[Container]) -> str:
    """The container or the process of the host that owns a program on the host's network, in
    words."""
    holder = next((other for other in others if other.id == program.container), None)
    if holder is not None:
        return f"{holder}, which is on the host's network"
    return f'process "{program.comm}" of the host'


def _serves(container: Container, port: str, namespaces: Namespaces | None) -> bool:
    """Whether a container offers the port, or was seen to listen there for others."""
    netns = namespaces.of(container) if namespaces is not None else None
    is_seen = netns is not None and netns.serves_others("tcp", int(port))
    return port in container.offered_ports or is_seen


def _wrong_host_finding(
    call: LoopbackCall, peers: Sequence[Container], *, is_near: bool, inner: str = ""
) -> Finding:
    """The finding about a call whose localhost should be another container.

    peers: the containers that may be meant, on the caller's networks (is_near) or on others. inner:
    the port inside the first one, where the port is one of the host that leads there.
    """
    container = call.container
    port = call.port
    peer = peers[0]
    network_clause = "" if is_near else ", which is on none of its networks"
    owner = f"belongs to {named('container', names_of(peers))}"
    if inner:
        owner = f"of this host leads to port {inner} of {peer}"
    steps = _steps_to_peer(call, peer, is_near=is_near, inner=inner)
    hostless = hostless_variables(container, peer, int(port)) if is_near and not steps else ()
    if hostless and peer.dns_names:
        steps = {**hostless_cure(hostless), **compose_variables(container)}
    if not steps:
        # compose makes what was not changed as it was
        steps = {"default_image": container.config.image, "default_port": port}
    return Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself: port {port} {owner}{network_clause}"
        f"{call.because}{_hostless_clause(hostless)}",
        {
            **call.evidence,
            **_overridden_variables(call, peer),
            **_hostless_evidence(hostless),
            f"{peer.name} offers": f"port {inner or port}",
            "networks in common": sorted(container.shared_networks(peer)) or "none",
        },
        touches=(peer.subject,),
        signs=call.signs,
        onset=container.failed_first,
        variables={"peer": f"{peer.name}:{inner or port}", **steps},
    )


def _hostless_clause(variables: Sequence[HostlessVariable]) -> str:
    """The variables that name no host, as the end of a sentence; empty without one."""
    if not variables:
        return ""
    verb = "names" if len(variables) == 1 else "name"
    return f"; {named('its variable', names_of(variables))} {verb} no host"


def _hostless_evidence(variables: Sequence[HostlessVariable]) -> dict[str, object]:
    shown = [variable.shown for variable in variables]
    return {"Config.Env without a host": shown} if shown else {}


def _steps_to_peer(
    call: LoopbackCall, peer: Container, *, is_near: bool, inner: str
) -> PageVariables:
    """The page variables that lead the caller to the other container; empty where none is known."""
    steps = {**network_variables(peer, is_near=is_near)}
    if not inner:
        steps |= name_variables(call.container, peer, int(call.port))
    if is_near:
        steps |= settings_variables(call, peer, inner)
    return steps | compose_variables(call.container) if steps else {}


def _overridden_variables(call: LoopbackCall, peer: Container) -> dict[str, object]:
    """The variables with the name of the other container, where the file of settings overrides
    them."""
    if not call.because:
        return {}
    assignments = [
        f"{name}={value}"
        for name, value in call.container.config.environment
        if value in peer.dns_names
    ]
    return present({"set, and not used": assignments})


def _host_finding(call: LoopbackCall, program: Listener, owner: str) -> Finding:
    """The finding about a program that means one on the host's network. owner: its owner."""
    container = call.container
    port = call.port
    return Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself: port {port} belongs to {owner}"
        f"{call.because}",
        {
            **call.evidence,
            "the host listens": f"{program.address}:{port}, {program.holder}",
            "network": container.host_config.network_mode or "default",
        },
        signs=call.signs,
        onset=container.failed_first,
        variables={
            "peer": f"{GATEWAY_NAME}:{port}",
            **host_variables(call, program),
            **compose_variables(container),
        },
    )


def _advertised_finding(call: LoopbackCall, broker: Container, correction: Correction) -> Finding:
    """The finding about a broker whose first answer sends its clients to localhost."""
    container = call.container
    port = call.port
    variable = correction.variable
    return Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself, because {broker} tells its clients to "
        f"call that address ({variable})",
        {LINE: call.line, f"{broker.name} {variable}": broker.config.value_of(variable)},
        touches=(broker.subject,),
        signs=call.signs,
        onset=container.failed_first,
        variables={"broker": broker.name, "advertised": correction.assignment},
    )
