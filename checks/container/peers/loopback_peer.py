"""container.loopback-peer: a program calls localhost, and means another container or the host."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from checks.container.claims import Claim, claims, compose_variables
from checks.container.peers.host_network_calls import host_network_finding
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.loopback_calls import (
    ID,
    LoopbackCall,
    by_variable,
    is_refused_inside,
    logged_target,
    named_call,
    port_of,
    repeated_call,
    with_target,
)
from diagnose.evidence.containers.peers.loopback_targets import LoopbackTarget, LoopbackTargets
from diagnose.evidence.containers.peers.own_servers import may_mean_own_server
from diagnose.evidence.containers.peers.variable_calls import VariableCalls
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.settings.loopback_words import (
    Correction,
    with_advertised,
    with_host,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.addresses import EVERYWHERE, is_everywhere
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.mappings import names_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity
from diagnose.model.units import Count, Seconds
from diagnose.phrases import named
from diagnose.registry import check

GATEWAY_NAME = "host.docker.internal"
_LITERAL = str.maketrans({".": "[.]", "[": "[[]"})
"""What sed takes for a pattern in an address, as itself: `[::1]:5004`."""


class ServersHere(EvidenceGroup, frozen=True):
    """The containers and programs of this host that a call to localhost may mean."""

    containers: Containers
    namespaces: Namespaces | None
    listeners: Listeners | None
    processes: Processes | None


class CallRecords(EvidenceGroup, frozen=True):
    """What shows, beside last words, that a container calls its localhost."""

    recent_logs: RecentLogs | None
    loopback_targets: LoopbackTargets | None
    network_losses: NetworkLosses | None
    variable_calls: VariableCalls | None


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
    refused a connection to a port, and another running container offers that port, or else a
    program of the host listens there.

    A container that keeps running counts where its last lines say so `least` times, the last line
    is not older than `fresh`, and nothing inside listens on that port; or where the kernel has
    counted calls that were refused inside, whatever its lines say of that port. Many programs do
    not log a failed call: where a mounted file of settings names such a port, the kernel's count is
    a warning. Many lines do not say whom the program calls: where the kernel counts as many such
    calls, the one variable that names a port of localhost says it.

    On the host's network it counts where nothing of the host listens there, and another container
    does without publishing it.

    The stack of a program that ends often names the kind of its server and no place: the one place
    at localhost with that server's usual port in a mounted file of settings is meant then.

    Left out are containers that share another container's network: their localhost is shared. So is
    a web server beside another program, which means that one. A broker such as
    Kafka tells each client which address to call: a variable of its own that says localhost is the
    reason then.
    """
    targets, recent_logs = records.loopback_targets, records.recent_logs
    running = here.containers.running
    calls = list(_calls_of_failed(claims(ID, here.containers, log_tails, clock), targets))
    failed = {call.container.id for call in calls}
    calls += _calls_meant(here.containers, log_tails, targets, failed)
    failed = {call.container.id for call in calls}
    for container in running:
        lines = recent_logs.of(container) if recent_logs is not None else ()
        is_fresh = bool(lines) and clock.is_within(lines[-1].at, fresh)
        if is_fresh and container.id not in failed:
            calls += _recent_calls(container, lines, here.namespaces, records, least)
    failed = {call.container.id for call in calls}
    variable_calls = records.variable_calls or ()
    calls += [by_variable(said) for said in variable_calls if said.container.id not in failed]
    for call in calls:
        yield from _findings(call, here)
    failed = {call.container.id for call in calls}
    yield from _silent_findings(targets, failed, here)
    if recent_logs is not None:
        yield from recent_logs.left_out(running)


def _recent_calls(
    container: Container,
    lines: Sequence[RecentLine],
    namespaces: Namespaces | None,
    records: CallRecords,
    least: int,
) -> Iterator[LoopbackCall]:
    """The call that the recent lines of a running container repeat, if they repeat one."""
    call = repeated_call(container, lines, namespaces, least)
    if call is None and is_refused_inside(container, records.network_losses):
        call = named_call(container, lines, namespaces, least)
    if call is not None:
        yield with_target(call, records.loopback_targets)


def _calls_of_failed(
    claims_of: Iterable[Claim], targets: LoopbackTargets | None
) -> Iterator[LoopbackCall]:
    """The calls of containers that have failed, as far as their logs name the port."""
    for claim in claims_of:
        port = port_of(claim.failure)
        if port:
            target = logged_target(targets, claim.container, port)
            line, signs_of = claim.failure.line, claim.tail.signs
            yield LoopbackCall(claim.container, port, line, signs_of, target)


def _calls_meant(
    containers: Containers,
    log_tails: LogTails,
    targets: LoopbackTargets | None,
    failed: Collection[str],
) -> Iterator[LoopbackCall]:
    """The calls of failed containers whose log names only the kind of the server.

    One mounted file of settings says where they look for it. failed: ids of containers whose log
    names the place.
    """
    for container in containers:
        target = targets.meant_by(container) if targets is not None else None
        if target is not None and container.id not in failed:
            tail = log_tails.of(container)
            line = next(line for line in tail.lines if "refused" in signs(line))
            yield LoopbackCall(container, str(target.port), line, tail.signs, target)


def _silent_findings(
    targets: LoopbackTargets | None, failed: Collection[str], here: ServersHere
) -> Iterator[Finding]:
    """For each container, its first target that another container or the host serves.

    failed: the ids of containers whose log tells.
    """
    found = set(failed)
    for target in targets or ():
        container = target.container
        if container.id in found:
            continue
        call = LoopbackCall(container, str(target.port), "", frozenset({"refused"}), target)
        for finding in _findings(call, here):
            found.add(container.id)
            yield msgspec.structs.replace(finding, severity=Severity.warning)


def _findings(call: LoopbackCall, here: ServersHere) -> Iterator[Finding]:
    """The finding, where another container or the host offers the port that the caller does not."""
    caller, port = call.container, call.port
    if caller.shares_host_network:
        yield from _host_network_findings(call, here)
        return
    is_own = may_mean_own_server(caller, int(port), here.processes)
    if caller.shares_network or port in caller.offered_ports or is_own:
        return
    others = [other for other in here.containers.running if other.id != caller.id]
    peers = [other for other in others if _serves(other, port, here.namespaces)]
    near = [peer for peer in peers if caller.shared_networks(peer)]
    if not near:
        program = _host_listener(here.listeners, int(port))
        if peers:
            yield _wrong_host_finding(call, peers, is_near=False)
        elif program is not None:
            yield _host_finding(call, program, _owner_of_program(program, others))
        return
    correction = with_advertised(near[0], int(port), near[0].name)
    if correction is not None:
        yield _advertised_finding(call, near[0], correction)
    else:
        yield _wrong_host_finding(call, near, is_near=True)


def _host_network_findings(call: LoopbackCall, here: ServersHere) -> Iterator[Finding]:
    others = [other for other in here.containers.running if other.id != call.container.id]
    peers = [other for other in others if _serves(other, call.port, here.namespaces)]
    finding = host_network_finding(call.container, call.port, call.line, peers, here.listeners)
    if finding is not None and call.line:
        yield finding


def _host_listener(listeners: Listeners | None, port: int) -> Listener | None:
    """The program on the host's network that the host's own localhost leads to."""
    on_loopback = listeners.on("tcp", "127.0.0.1", port) if listeners is not None else ()
    for listener in on_loopback:
        if listener.comm and listener.comm != DOCKER_PROXY:
            return listener
    return None


def _owner_of_program(program: Listener, others: Sequence[Container]) -> str:
    """Whose program on the host's network it is."""
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
    call: LoopbackCall, peers: Sequence[Container], *, is_near: bool
) -> Finding:
    """peers: who may be meant, on the caller's networks (is_near) or on others."""
    container, port, peer = call.container, call.port, peers[0]
    where = "" if is_near else ", which is on none of its networks"
    finding = Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself: port {port} "
        f"belongs to {named('container', names_of(peers))}{where}{call.because}",
        {
            **call.evidence,
            **_passed_over(call, peer),
            f"{peer.name} offers": f"port {port}",
            "networks in common": sorted(container.shared_networks(peer)) or "none",
        },
        touches=(peer.subject,),
        signs=call.signs,
        onset=container.failed_first,
        peer=f"{peer.name}:{port}",
    )
    steps = {
        **_network_variables(peer, is_near=is_near),
        **_name_variables(container, peer, int(port)),
        **(_settings_variables(call, peer) if is_near else {}),
    }
    if steps:
        return finding.with_variables(steps | compose_variables(container))
    # compose makes what was not changed as it was
    return finding.with_variables({"default_image": container.config.image, "default_port": port})


def _passed_over(call: LoopbackCall, peer: Container) -> dict[str, object]:
    """The variables that name the other container, where the file of settings comes before them."""
    given = [
        f"{name}={value}"
        for name, value in call.container.config.environment
        if value in peer.dns_names
    ]
    return {"set, and not used": given} if call.because and given else {}


def _host_finding(call: LoopbackCall, program: Listener, who: str) -> Finding:
    """A program that means one on the host's network. who: whose that one is."""
    container, port = call.container, call.port
    finding = Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself: port {port} belongs to {who}"
        f"{call.because}",
        {
            **call.evidence,
            "the host listens": f"{program.address}:{port}, {program.holder}",
            "network": container.host_config.network_mode or "default",
        },
        signs=call.signs,
        onset=container.failed_first,
        peer=f"{GATEWAY_NAME}:{port}",
    )
    return finding.with_variables(_host_variables(call, program) | compose_variables(container))


def _settings_variables(call: LoopbackCall, peer: Container) -> PageVariables:
    """How the page changes the file of settings, for a peer that has a name for the caller."""
    has_names = bool(call.container.shared_networks(peer) - {DEFAULT_NETWORK})
    if call.target is None or call.target.is_linked:
        return {}
    correction = _sed_program(call.target, peer.name)
    if has_names:
        return {"correction": correction, "settings": call.target.path}
    joint = f"{call.container.name}-{peer.name}"
    named = {"joint_correction": correction, "joint": joint, "joined": peer.name}
    return {**named, "settings": call.target.path}


def _sed_program(target: LoopbackTarget, name: str) -> str:
    """The program of sed that writes another host; OTHER_DB_HOST is not DB_HOST."""
    place = target.place.translate(_LITERAL)
    begin = r"\b" if target.place[:1].isalnum() else ""
    return f"s|{begin}{place}|{target.with_host(name)}|g"


def _host_variables(call: LoopbackCall, program: Listener) -> PageVariables:
    """How the page has the program reach the host.

    By its name, where a word or a variable says localhost and the host listens for containers too.
    Otherwise on the host's own network, where it publishes nothing that would be lost there.
    """
    container, target = call.container, call.target
    if target is not None:
        if target.is_linked or not is_everywhere(program.address):
            return {}
        return {"correction_to_host": _sed_program(target, GATEWAY_NAME), "settings": target.path}
    named = with_host(container, program.port, GATEWAY_NAME)
    if named and is_everywhere(program.address):
        return {f"{name}_to_host": text for name, text in named.items()}
    if not container.wanted_ports:
        return {"on_host_network": container.name}
    has_own_ports = all(
        wanted.port == f"{wanted.host_port}/tcp" and wanted.host_ip in EVERYWHERE
        for wanted in container.wanted_ports
    )
    is_alone = set(container.endpoints) == {DEFAULT_NETWORK}
    return {"published_there": container.name} if has_own_ports and is_alone else {}


def _advertised_finding(call: LoopbackCall, broker: Container, correction: Correction) -> Finding:
    """A broker whose first answer sends its clients to localhost."""
    container, port, variable = call.container, call.port, correction.variable
    return Finding.about(
        container,
        f"{container} calls localhost:{port}, which is itself, because {broker} tells its clients to "
        f"call that address ({variable})",
        {LINE: call.line, f"{broker.name} {variable}": broker.config.value_of(variable)},
        touches=(broker.subject,),
        signs=call.signs,
        onset=container.failed_first,
        broker=broker.name,
        advertised=correction.assignment,
    )


def _name_variables(container: Container, peer: Container, port: int) -> PageVariables:
    """How the page has the program call the other container by its name.

    The engine resolves names on networks that a user made, not on the default one.
    """
    has_names = bool(container.shared_networks(peer) - {DEFAULT_NETWORK})
    return with_host(container, port, peer.name) if has_names else {}


def _network_variables(peer: Container, *, is_near: bool) -> PageVariables:
    """The peer's own network, to which the caller has to be connected first."""
    network = next((name for name in peer.endpoints if name not in ("bridge", "host", "none")), "")
    return {} if is_near or not network else {"network": network}
