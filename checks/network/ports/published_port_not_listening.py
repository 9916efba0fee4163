"""network.published-port-not-listening: a port is published, and nothing listens there."""

from collections.abc import Iterator

from msgspec.structs import replace

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.peers.network_sharers import absent_sharers, parted_sharers
from diagnose.evidence.containers.peers.unanswered_peers import called_too_early, calls_of
from diagnose.evidence.containers.port_binding import in_long_ranges
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.inward_programs import InwardPrograms
from diagnose.evidence.network.sockets.udp_flows import UdpFlows
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts
from diagnose.first_steps.network.unserved_ports import (
    UnservedPort,
    UnservedReason,
    known_failure_line,
    misled_binding,
    publish_instead,
    serves_clients,
    serves_elsewhere,
    steps_to_port,
    was_taken,
)
from diagnose.mappings import evidence_of, names_of, present, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, Json, Seconds, Severity
from diagnose.phrases import agree, counted, named, sentence
from diagnose.registry import check

_WHY_A_PROGRAM_FAILED = (
    "container.crashed",
    "container.data-locked",
    "container.data-version-mismatch",
    "container.database-refused",
    "container.device-missing",
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exits-at-start",
    "container.failing-inside",
    "container.file-mode-refused",
    "container.kernel-setting-low",
    "container.loopback-peer",
    "container.mount-forbidden",
    "container.mount-source-missing",
    "container.mount-unwritable",
    "container.network-gone",
    "container.oom-killed",
    "container.option-missing",
    "container.own-files-refused",
    "container.paused",
    "container.restart-loop",
    "container.restarts-exhausted",
    "container.runtime-limit-hit",
    "container.start-refused",
    "container.syscall-refused",
    "container.variable-malformed",
    "container.variable-missing",
    "network.peer-not-listening",
    "network.port-allocated",
    "network.port-held-by-process",
    "resources.cpu-throttled",
)
"""Checks that name why a program failed while its container's first process still runs, or why
another container does not run that shares its network and serves its ports, or for which it
waits."""


class Surroundings(EvidenceGroup, frozen=True):
    """Evidence of what else keeps a program from its port: empty mounts, recreated containers."""

    empty_mounts: EmptyMounts | None
    events: Events | None


@check(
    "network.published-port-not-listening",
    severity=Severity.warning,
    caused_by=_WHY_A_PROGRAM_FAILED,
    observed=True,
)
def published_port_not_listening(
    containers: Containers,
    namespaces: Namespaces,
    clock: Clock,
    unserved: UnservedPorts | None,
    inward_programs: InwardPrograms | None,
    udp_flows: UdpFlows | None,
    surroundings: Surroundings,
    *,
    grace: Seconds = Seconds(20),
) -> CheckResult:
    """Nothing in a container listens on a port that it publishes.

    Clients are accepted by the engine's proxy and cut off at once. It is advice where other
    published ports of the container are served: images declare more ports than they use. A stand-by
    that begins to listen when it is needed looks the same; beside a port that is served, a range of
    ports is left out: passive FTP and calls open each one for a moment. Where the container serves
    none of its ports, its log may say why: its first process still runs although the program has
    failed. Many programs open ports for UDP when they need them: a UDP port is reported where the
    program listens there only for TCP, and where packets of clients came and got no answer. A
    container that shares its network may be the one that serves the port, and is named where it
    does not run, also where it asks for the former container, which was recreated since. The same
    holds for one that its program calls at its start, and waits for. Where
    the host's port has the number of the one that is served, and leads to
    another one (80:8000), the container's other ports are advice.
    """
    hidden = surroundings.empty_mounts or EmptyMounts()
    programs = inward_programs or InwardPrograms()
    publishing = [container for container in containers.running if container.published_ports]
    subjects = frozenset(subjects_of(publishing))
    parted = parted_sharers(containers, surroundings.events)
    yield from (missed for missed in namespaces.unvisited if missed.subject in subjects)
    for container in publishing:
        netns = namespaces.of(container)
        if netns is None or container.has_own_kernel or not _is_settled(container, clock, grace):
            continue
        silent = unserved if unserved is not None else UnservedPorts()
        tail = silent.of(container)
        calls = calls_of(container, containers, tail, namespaces)
        ready = () if serves_elsewhere(netns) else calls.ready
        absent = tuple(absent_sharers(container, containers, clock, grace))
        deaf = tuple(peer for peer in calls.callees if calls.inner_socket(peer) is not None)
        reason = UnservedReason(
            tail,
            ready,
            silent.watcher_of(container),
            absent,
            parted=tuple(parted.get(container.name, ())),
            deaf=deaf if tail.lines else (),
            down=tuple(peer for peer in calls.callees if not peer.is_running),
        )
        yield from _tcp_findings(container, netns, reason, hidden, programs)
        yield from _udp_findings(container, netns, udp_flows)


def _is_settled(container: Container, clock: Clock, grace: float) -> bool:
    """Whether a container runs for `grace` seconds, not paused and not about to start again."""
    is_running = container.state.status == "running"
    return is_running and clock.has_passed(container.started_at, grace)


def _tcp_findings(
    container: Container,
    netns: ContainerNetns,
    reason: UnservedReason,
    hidden: EmptyMounts,
    programs: InwardPrograms,
) -> Iterator[Finding]:
    published = container.published_tcp_ports
    led = programs.led.get(container.id, frozenset())
    served = {port for port in published if port in led or serves_clients(netns, port)}
    severity = Severity.advice if served else Severity.warning
    on_demand = in_long_ranges(published) if served else frozenset()
    misled = misled_binding(container, netns)
    for number in published:
        if number in served or number in on_demand:
            continue
        inward = [socket.address for socket in netns.sockets("tcp", number)]
        of_port = reason
        unread = None
        if inward:
            tail = known_failure_line(programs.tails.get(container.id, LogTail(())))
            of_port = replace(reason, tail=tail, absent=(), parted=(), deaf=(), down=())
            unread = programs.unread.get(container.id)
        elif served:
            of_port = replace(reason, tail=LogTail(()), deaf=(), down=())
        port = UnservedPort(
            container, netns, port=number, inward=inward, why=of_port, unread=unread
        )
        is_beside = misled is not None and misled.number != number
        finding = _tcp_finding(port, hidden, Severity.advice if is_beside else severity)
        yield finding.with_variables({} if is_beside else steps_to_port(port, hidden))


def _udp_findings(
    container: Container, netns: ContainerNetns, flows: UdpFlows | None
) -> Iterator[Finding]:
    """Findings about ports that are published for UDP and that clients miss."""
    for published in container.published_ports:
        port = published.number
        if published.protocol != "udp" or published.is_ipv6 or netns.sockets("udp", port):
            continue
        is_for_tcp = port not in container.published_tcp_ports and netns.serves_others("tcp", port)
        clients: tuple[str, ...] = ()
        if flows is not None and published.host_port:
            clients = flows.neighbours_at(published.host_port, container)
        if is_for_tcp or clients:
            finding = _udp_finding(container, netns, port, clients, is_for_tcp=is_for_tcp)
            yield finding.with_variables(
                publish_instead(container, str(port)) if is_for_tcp else {}
            )


def _udp_finding(
    container: Container,
    netns: ContainerNetns,
    port: int,
    clients: tuple[str, ...],
    *,
    is_for_tcp: bool,
) -> Finding:
    """The finding about such a port. clients: those without an answer. is_for_tcp: the program
    listens at the port, but for TCP."""
    predicate = f"publishes port {port} for UDP and serves nothing there"
    if is_for_tcp:
        predicate = f"publishes port {port} for UDP, and its program listens there for TCP"
    unanswered = f"{counted('client', clients, most=2)} got no answer" if clients else ""
    serves = any(netns.serves_others("tcp", number) for number in container.published_tcp_ports)
    return Finding.about(
        container,
        sentence(f"{container} {predicate}: no client can reach it", unanswered),
        present(
            {
                "NetworkSettings.Ports": container.published_names,
                "TCP sockets inside": netns.tcp_listeners,
                "UDP sockets inside": netns.udp_listeners,
                "clients without an answer": list(clients[:5]),
            }
        ),
        discriminator=f"{port}/udp",
        severity=Severity.advice if serves and not clients else None,
        recheck=(container.run,),
        variables={"port": str(port)},
    )


def _tcp_finding(port: UnservedPort, hidden: EmptyMounts, severity: Severity) -> Finding:
    container = port.container
    reason = port.why
    return Finding.about(
        container,
        sentence(f"{container} {port.what}: no client can reach it", *_reasons(port)),
        {
            **evidence_of(port.unread),
            "NetworkSettings.Ports": container.published_names,
            "TCP sockets inside": port.netns.tcp_listeners,
            **present({"UDP socket inside": f"port {port.port}" if port.is_for_udp else ""}),
            "State.StartedAt": container.state.started_at,
            **_log(reason.tail, is_over=was_taken(port) or bool(reason.down)),
            **{f"{peer.name}, which it calls": "listens there now" for peer in reason.ready},
            **hidden.evidence_of(container),
        },
        discriminator=str(port.port),
        severity=severity,
        signs=reason.tail.signs or None,
        calls=subjects_of((*reason.absent, *reason.parted, *reason.deaf, *reason.down)),
        recheck=(container.run,),
        variables={"port": str(port.port)},
    )


def _reasons(port: UnservedPort) -> Iterator[str]:
    """The reasons why nothing listens, as parts of a sentence."""
    reason = port.why
    if reason.watcher:
        yield f"its program has ended, and {reason.watcher} waits for a change of its files"
    if reason.absent:
        sharers = named("container", names_of(reason.absent))
        yield f"{sharers} may be meant to serve it, shares its network, and is not running"
        return
    if reason.parted:
        yield (
            f"{named('container', names_of(reason.parted))} shared its network until it was recreated, "
            "may be meant to serve it, and is not running"
        )
        return
    failure = reason.tail.failure
    if reason.ready:
        yield called_too_early(reason.ready)
    elif reason.down:
        down = named("container", names_of(reason.down))
        yield f"it waits for {down}, {agree(reason.down, 'which is', 'which are')} not running"
    elif reason.deaf:
        deaf = named("container", names_of(reason.deaf))
        yield f"it calls {deaf}, which {agree(reason.deaf, 'listens', 'listen')} for itself only"
    elif was_taken(port):
        yield "its log says that the port was taken, and nothing has it now"
    elif failure is not None:
        yield f"its log says why: {failure.cause}"


def _log(tail: LogTail, *, is_over: bool) -> dict[str, Json]:
    """The line of the log that explains why nothing listens, and its usual cure, as evidence.

    is_over: whether that was so only at its start.
    """
    log: dict[str, Json] = {"log": tail.telling.whole} if tail.telling is not None else {}
    if tail.failure is not None and not is_over:
        log["what fixes it"] = tail.failure.cure
    return log
