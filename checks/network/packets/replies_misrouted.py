"""network.replies-misrouted: answers of published ports leave by the wrong interface."""

from collections.abc import Iterator

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.inner_paths import InnerInboundPath, InnerPaths
from diagnose.evidence.network.paths.published.return_paths import ReturnPath, ReturnPaths
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths, failing
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.sockets.half_open import HalfOpen
from diagnose.mappings import by_key, present
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import agree, counted, named, numbered
from diagnose.registry import check


@check("network.replies-misrouted", severity=Severity.critical)
def replies_misrouted(
    return_paths: ReturnPaths,
    host_stack: HostStack,
    half_open: HalfOpen | None,
    inner_paths: InnerPaths | None,
    wanted_paths: WantedPaths | None,
) -> CheckResult:
    """Replies of a published port leave through the wrong interface.

    The translated answer still carries the container's own address when the kernel chooses its
    route: rules of the form `from ADDRESS lookup TABLE` do not match it, and the answer takes the
    default route. A container on several networks answers by its own default route; rp_filter=1
    drops what comes from the wrong bridge.

    A VPN that takes all traffic takes the answers too: advice, because only clients of other nets
    are affected, and critical while such clients wait for an answer. A VPN client inside a
    container takes the answers of its own published ports: the host's own requests are answered,
    those of other machines are not.

    A rule `from ADDRESS lookup TABLE` whose table has no routes to Docker's bridges takes the
    host's own answers to containers. A container that calls its neighbour on one bridge by the
    host's address, without docker-proxy, gets answers from a stranger where br_netfilter is off. A
    container that calls its own public address by a rule of the administrator's gets its own
    packets back, unless their source is translated too (hairpin NAT).
    """
    yield from _host_answer_findings(wanted_paths, host_stack)
    yield from _bridged_answer_findings(wanted_paths)
    yield from _own_call_findings(wanted_paths)
    inbound_paths = inner_paths.inbound_paths if inner_paths is not None else ()
    yield from map(
        _inner_tunnel_finding,
        (inbound for inbound in inbound_paths if inbound.is_answered_elsewhere),
    )
    calls_host = any(path.kind == "to the host" for path in wanted_paths or ())
    if not len(return_paths) and not inbound_paths and not calls_host:
        return Skipped("no running container publishes a port on an address of an uplink")
    yield from _published_port_findings(return_paths, host_stack, half_open)


def _published_port_findings(
    return_paths: ReturnPaths, host_stack: HostStack, half_open: HalfOpen | None
) -> Iterator[Finding]:
    """Findings about answers that the host sends by another route than the request came."""
    by_way = by_key((path.stray_way, path) for path in return_paths)
    yield from map(_wrong_bridge_finding, by_way.get("wrong bridge", ()))
    tunnelled = by_key(
        ((path.uplink.name, path.host_answers_by), path) for path in by_way.get("tunnel", ())
    )
    for paths in tunnelled.values():
        yield _tunnel_finding(paths, host_stack, half_open)
    misrouted = by_key((path.uplink.name, path) for path in by_way.get("another uplink", ()))
    for paths in misrouted.values():
        yield _other_uplink_finding(paths, host_stack)


def _host_answer_findings(
    wanted_paths: WantedPaths | None, host_stack: HostStack
) -> Iterator[Finding]:
    """Findings about the host's answers to containers that call it, which leave through another
    interface."""
    groups = by_key(
        ((path.network.name, path.address), path)
        for path in wanted_paths or ()
        if path.is_answer_of_host_lost
    )
    for paths in groups.values():
        yield _host_answer_finding(paths, host_stack)


def _bridged_answer_findings(wanted_paths: WantedPaths | None) -> Iterator[Finding]:
    """Findings about calls of a neighbour by a published port, which answers directly and not
    through the host."""
    groups = by_key(
        (path.network.name, path) for path in wanted_paths or () if path.is_answered_past_host
    )
    for paths in groups.values():
        yield _bridged_answer_finding(paths)


def _bridged_answer_finding(paths: list[WantedPath]) -> Finding:
    first = paths[0]
    network = first.network
    peer = first.peer
    assert peer is not None
    names = sorted({path.want.container.name for path in paths})
    family = "ip6tables" if ":" in first.address else "iptables"
    setting = f"net.bridge.bridge-nf-call-{family}"
    return Finding(
        subject=network.subject,
        summary=(
            f"{named('container', names)} cannot reach {first.address} port {first.port}, which "
            f"leads to {peer} on the same {network}: the answers bypass the host, because {setting} "
            "is 0"
        ),
        evidence={
            "wanted by": f"{first.want.source}: {first.want.where}",
            "answers": str(first.trace.by),
            setting: "0",
        },
        variables={"bridge_setting": f"{setting}=1"},
        discriminator=f"past the host {first.address}",
        severity=None if failing(paths) else Severity.warning,
        touches=(*(path.want.container.subject for path in paths), peer.subject),
        calls=(peer.subject,),
        signs=NO_WAY_OUT,
    )


def _own_call_findings(wanted_paths: WantedPaths | None) -> Iterator[Finding]:
    """Findings about failed calls that a rule leads back to the container itself."""
    groups = by_key(
        ((path.want.container.id, path.address), path)
        for path in wanted_paths or ()
        if path.comes_back and path.want.has_failed
    )
    for paths in groups.values():
        yield _own_call_finding(paths)


def _own_call_finding(paths: list[WantedPath]) -> Finding:
    first = paths[0]
    container = first.want.container
    ports = sorted({path.port for path in paths})
    length = 128 if ":" in first.address else 32
    return Finding.about(
        container,
        f"{container} cannot reach {first.address} {numbered('port', ports)}: a rule of this host "
        "leads the packets back to the container itself, and does not translate their source",
        present(
            {
                "wanted by": f"{first.want.source}: {first.want.where}",
                "rule": str(first.trace.nat_by or ""),
                "network": first.network.name,
            }
        ),
        discriminator=f"itself {first.address}",
        touches=(first.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables={"own_address": f"{first.address}/{length}"},
    )


def _host_answer_finding(paths: list[WantedPath], host_stack: HostStack) -> Finding:
    first = paths[0]
    network = first.network
    subnet = next((net for net in network.subnets if net.version == 4), None)
    peer = str(subnet.network_address + 2) if subnet is not None else SOMEWHERE
    decision = host_stack.stack.routing.look_up(peer, first.address)
    names = sorted({path.want.container.name for path in paths})
    leave = f"leave through {decision.oif}" if decision.oif else "have no route"
    return Finding(
        subject=network.subject,
        summary=(
            f"{named('container', names)} cannot reach {first.address}, an address of this "
            f"host: its answers {leave}, not through {network.bridge} of "
            f"{network} ({decision.by})"
        ),
        evidence={
            "wanted by": f"{first.want.source}: {first.want.where}",
            "answers": str(first.trace.by),
            "routing rules": [str(rule) for rule in host_stack.rules][:6],
        },
        variables={
            "subnet": str(subnet or ""),
            "host_bridge": network.bridge,
            "table_number": str(decision.table or 0),
        },
        discriminator=first.address,
        severity=None if failing(paths) else Severity.warning,
        touches=(
            Subject("interface", network.bridge),
            *(path.want.container.subject for path in paths),
        ),
        signs=NO_WAY_OUT,
    )


def _other_uplink_finding(paths: list[ReturnPath], host_stack: HostStack) -> Finding:
    first = paths[0]
    obstacle = first.trace.obstacle
    assert obstacle is not None
    ports = sorted({path.host_port for path in paths})
    decision = host_stack.stack.routing.look_up(SOMEWHERE, first.uplink.address)
    table = decision.table or 0
    return Finding(
        subject=Subject("interface", first.uplink.name),
        summary=f'interface "{first.uplink.name}": answers of published '
        f"{numbered('port', ports)} to clients of {first.uplink.address} leave through "
        f"{obstacle.by.chain}, while programs of the host answer through {first.uplink.name}",
        evidence={
            "published": f"{first.uplink.address}:{first.host_port} -> {first.container.name} {first.port}",
            "answers of containers": obstacle.by.rule,
            "answers of the host": f"{decision.by} by {decision.oif}",
            "routing rules": [str(rule) for rule in host_stack.rules][:6],
        },
        variables={
            "uplink": first.uplink.name,
            "table_number": str(table),
            "mark": f"{0x10000 + table:#x}",
        },
        severity=Severity.warning,
        touches=tuple(path.container.subject for path in paths),
        signs=NO_WAY_OUT,
    )


def _tunnel_finding(
    paths: list[ReturnPath], host_stack: HostStack, half_open: HalfOpen | None
) -> Finding:
    first = paths[0]
    tunnel = first.host_answers_by
    ports = sorted({path.host_port for path in paths})
    clients = [
        client
        for port in ports
        for client in (half_open.clients.get(port, ()) if half_open is not None else ())
    ]
    waiting = ""
    if clients:
        waiting = (
            f"; {counted('client', clients, most=2)} "
            f"{agree(clients, 'waits', 'wait')} for an answer"
        )
    return Finding(
        subject=Subject("interface", first.uplink.name),
        summary=f'interface "{first.uplink.name}": answers of published '
        f"{numbered('port', ports)} to clients of other"
        f' nets leave through interface "{tunnel}" instead{waiting}',
        evidence=present(
            {
                "published": f"{first.uplink.address}:{first.host_port} -> {first.container.name} {first.port}",
                "answers": str(first.trace.by),
                "connections without an answer from the client": clients[:5],
                "routing rules": [str(rule) for rule in host_stack.rules][:6],
            }
        ),
        variables={
            "uplink": first.uplink.name,
            "table_number": str(_MAIN),
            "mark": f"{0x10000 + _MAIN:#x}",
        },
        discriminator=tunnel,
        severity=None if clients else Severity.advice,
        touches=(Subject("interface", tunnel), *(path.container.subject for path in paths)),
        signs=NO_WAY_OUT if clients else frozenset(),
    )


_MAIN = 254
"""The main routing table, from which the uplinks are known."""


def _inner_tunnel_finding(inbound: InnerInboundPath) -> Finding:
    """The finding about answers that leave through a tunnel inside the container.

    It is critical while clients wait for an answer; advice where only other networks are concerned,
    whose clients may have no need of this port.
    """
    container = inbound.container
    traces = [trace for client, trace in inbound.lost.items() if client != "this host"]
    step = next(trace.by for trace in traces if trace.by is not None)
    tunnel = step.chain
    clients = "clients on other machines"
    if "the local network" not in inbound.lost:
        clients = "clients of networks beyond the host's own"
    severity = Severity.warning if "the local network" in inbound.lost else Severity.advice
    leave = f'leave through its interface "{tunnel}"' if tunnel else "have no route"
    waiting = (
        f"; {counted('client', inbound.waiting, most=2)} got no answer" if inbound.waiting else ""
    )
    fate = "get no answer" if "this host" in inbound.lost else "are answered"
    endpoint = container.endpoints[inbound.network.name]
    return Finding.about(
        container,
        f"{container}: answers of published port {inbound.host_port} to {clients} {leave}{waiting}",
        present(
            {
                "published": f"{inbound.host_port} -> {inbound.address}:{inbound.port}",
                "answers": str(step),
                "clients without an answer": list(inbound.waiting[:5]),
                "clients on this host": fate,
            }
        ),
        discriminator=str(inbound.host_port),
        severity=Severity.critical if inbound.waiting else severity,
        touches=(inbound.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables={"address_inside": inbound.address, "gateway_inside": endpoint.gateway},
    )


def _wrong_bridge_finding(path: ReturnPath) -> Finding:
    obstacle = path.trace.obstacle
    assert obstacle is not None
    return Finding(
        subject=path.container.subject,
        summary=f"{path.container} publishes port {path.host_port} through {path.network.bridge}, "
        f"but sends its answers through {path.answers_by}, where "
        f"{obstacle.by.rule.partition(':')[0]} drops them",
        evidence={
            "published": (
                f"{path.uplink.address}:{path.host_port} -> {path.port} "
                f"on network {path.network.name}"
            ),
            "dropped": str(obstacle.by),
            "default route inside": path.answers_by,
        },
        variables={"container": path.container.name, "bridge_back": path.answers_by},
        discriminator=str(path.host_port),
        touches=(path.network.subject, Subject("interface", path.answers_by)),
        recheck=(path.container.run,),
        signs=NO_WAY_OUT,
        service=path.container.service,
    )
