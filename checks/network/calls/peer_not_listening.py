"""network.peer-not-listening: a program calls a port of another container that does not answer."""

from collections.abc import Iterator

from diagnose.evidence.containers.addresses.loopback_words import with_host
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.inner_engines import (
    CERTIFICATES,
    PLAIN_PORT,
    TLS_PORT,
    may_serve_plainly,
    serves_tls_instead,
)
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.addresses import with_port as address_with_port
from diagnose.evidence.network.calls.called_members import is_taken_over, members_around, servers_of
from diagnose.evidence.network.calls.called_namespaces import (
    inner_port,
    namespace_of_peer,
    serves_other_family_alone,
)
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, had_time_to_listen
from diagnose.first_steps.network.peer_port_steps import steps_to_inner_port, steps_to_served_port
from diagnose.model import CheckResult, Count, Finding, Seconds, Severity
from diagnose.phrases import numbered
from diagnose.registry import check


@check("network.peer-not-listening", severity=Severity.critical)
def peer_not_listening(
    failing_calls: FailingCalls,
    containers: Containers,
    namespaces: Namespaces,
    clock: Clock,
    *,
    least: Count = Count(2),
    fresh: Seconds = Seconds(90),
    settled: Seconds = Seconds(180),
) -> CheckResult:
    """A container calls a port on which the other container does not listen.

    Its log says repeatedly, and within the last moments, that the connection was refused. The other
    container runs, and nothing in it listens on that port, or its server takes connections only
    from inside its own container.

    Where nothing listens it is a warning: the call may be one that the program can do without.
    Between containers, the port that a program listens on counts, not the one that is published on
    the host. A server that was started less than `settled` ago may yet begin to listen, unless it
    serves other ports already and its image does not declare this one.

    A server that is called over IPv6 and listens over IPv4 alone is a warning too: some programs
    try the other address then. A server that takes only IPv6, as nginx with `listen [::]:80`,
    refuses callers over IPv4. The image docker:dind serves TLS at port 2376, and nothing at 2375,
    unless its DOCKER_TLS_CERTDIR is empty.

    A call before the last start of the other container is over. One that
    network.peer-address-stale explains, since the address belonged to another container before, is
    left out. TCP only.
    """
    for logged_call in failing_calls:
        peer = containers.by_place.get((logged_call.network.name, logged_call.address))
        call = logged_call.since(peer.started_at) if peer is not None else None
        if call is None or not call.refused or call.network.name not in call.container.endpoints:
            continue
        netns = namespace_of_peer(peer, call, namespaces)
        is_now = call.times >= least and clock.is_within(call.at, fresh)
        if peer is None or netns is None or not is_now:
            continue
        servers = servers_of(call, members_around(call, containers), namespaces)
        if is_taken_over(call, peer, servers, namespaces):
            continue
        is_settled = had_time_to_listen(netns, call.port, clock, settled)
        yield from _peer_findings(call, peer, netns, is_settled=is_settled)
    yield from failing_calls.unread


def _peer_findings(
    call: FailingCall, peer: Container, netns: ContainerNetns, *, is_settled: bool
) -> Iterator[Finding]:
    """Findings about the sockets of a peer that refused recently. is_settled: whether it had
    time to start."""
    if serves_tls_instead(peer, netns, call.port):
        yield _engine_finding(call, peer, netns)
        return
    if netns.serves_others("tcp", call.port):
        if serves_other_family_alone(netns, call):
            yield _other_family_finding(call, peer, netns)
        return
    inner = inner_port(call, peer, netns)
    if is_settled or inner is not None or netns.sockets("tcp", call.port):
        yield _finding(call, peer, netns, inner)


def _other_family_finding(call: FailingCall, peer: Container, netns: ContainerNetns) -> Finding:
    """The finding about a server that takes no call in the address family of the caller."""
    sockets = netns.sockets("tcp", call.port)
    places = sorted({address_with_port(socket.address, socket.port) for socket in sockets})
    if ":" in call.address:
        called = "IPv6"
        listens = f"IPv4 ({places[0]})"
        severity = Severity.warning
        variables = {"ipv4_only": peer.name}
    else:
        called = "IPv4"
        severity = Severity.critical
        listens = f"IPv6 ({places[0]}, which takes no IPv4)"
        variables = {"ipv6_only": peer.name}
    predicate = f"calls {peer} over {called} at port {call.port}, but {peer} listens there only over {listens}"
    return _call_finding(call, peer, predicate, places, severity).with_variables(variables)


def _engine_finding(call: FailingCall, peer: Container, netns: ContainerNetns) -> Finding:
    predicate = (
        f"calls port {PLAIN_PORT} of {peer}, whose engine listens with TLS at port {TLS_PORT}, "
        f"since {CERTIFICATES} is set"
    )
    finding = _call_finding(call, peer, predicate, _served_over_tcp(netns), Severity.critical)
    cure = {"inner_engine": peer.name, "without_tls": f"{CERTIFICATES}="}
    return finding.with_variables(cure if may_serve_plainly(peer) else {})


def _call_finding(
    call: FailingCall, peer: Container, predicate: str, sockets: list[str], severity: Severity
) -> Finding:
    """The finding about a refused call. sockets: the ports that are served inside the peer."""
    container = call.container
    return Finding.about(
        container,
        f"{container} {predicate}",
        {
            "log": call.line,
            "times in its last lines": call.times,
            f"TCP sockets inside {peer.name}": sockets or "none",
        },
        discriminator=f"{peer.name}:{call.port}",
        severity=severity,
        touches=(peer.subject,),
        calls=(peer.subject,),
        signs=frozenset({"refused"}),
        recheck=(*container.caller_runs, peer.run),
        variables={"peer": peer.name, "port": str(call.port)},
    )


def _served_over_tcp(netns: ContainerNetns) -> list[str]:
    """The TCP addresses and ports that are served inside, without those of the engine's own
    resolver."""
    places = {
        f"{socket.address}:{socket.port}"
        for socket in netns.listeners
        if socket.protocol == "tcp" and socket.address != EMBEDDED
    }
    return sorted(places)


def _finding(
    call: FailingCall, peer: Container, netns: ContainerNetns, inner: int | None
) -> Finding:
    inward = netns.sockets("tcp", call.port)
    port_clause = "where nothing listens"
    if inward:
        port_clause = f"which listens there only at {inward[0].address}, inside itself"
    elif inner is not None:
        port_clause = f"which is its port on the host: other containers reach it at port {inner}"
    elif netns.served_ports:
        port_clause = f"where nothing listens: it serves {numbered('port', netns.served_ports)}"
    severity = Severity.critical if inward or inner is not None else Severity.warning
    predicate = f"calls port {call.port} of {peer}, {port_clause}"
    finding = _call_finding(call, peer, predicate, _served_over_tcp(netns), severity)
    if not inward:
        return finding.with_variables(steps_to_served_port(call, peer, netns, inner))
    return finding.with_variables(
        with_host(peer, call.port, ANY) or steps_to_inner_port(call, peer, inward)
    )
