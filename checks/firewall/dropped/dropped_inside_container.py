"""Checks of the packet filter inside a container's network namespace."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.host_paths import Obstacle
from diagnose.evidence.network.paths.inner_paths import (
    InnerArrival,
    InnerInboundPath,
    InnerOutboundPath,
    InnerPaths,
)
from diagnose.evidence.network.paths.outside_calls import OutsideCall, OutsideCalls
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.wanted.wanted_paths import failing
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import by_key, names_of, paired, present, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import agree, named, numbered, sentence
from diagnose.registry import check

_Path = TypeVar("_Path", InnerOutboundPath, InnerArrival)


@check(
    "firewall.dropped-inside-container",
    severity=Severity.critical,
    causes=("network.call-unanswered", "network.calls-failing"),
)
def dropped_inside_container(
    inner_paths: InnerPaths, outside_calls: OutsideCalls | None
) -> CheckResult:
    """Rules inside a container drop connections to its published ports, or its own.

    So they do to what a neighbour's settings or log name, and to other machines that a log calls
    unanswered. A VPN client in a container closes its
    network namespace with a kill switch, and fail2ban in a container bans addresses there. The
    rules apply to every container that shares the namespace. The host's rules do not show them.
    """
    yield from inner_paths.unread
    if not (inner_paths or inner_paths.unread or outside_calls):
        return Skipped("no running container can have network rules of its own")
    inward = by_key(
        ((inbound.container.id, obstacle.by), (inbound, obstacle))
        for inbound, obstacle in paired(inner_paths.inbound_paths, _rule_for)
    )
    for stopped in inward.values():
        yield _inward_finding(stopped[0][1], [inbound for inbound, _ in stopped])
    for (_, step), outbound_paths in _by_obstacle(inner_paths.outbound_paths).items():
        yield _outward_finding(step, outbound_paths)
    for (_, step), arrivals in _by_obstacle(inner_paths.arrivals).items():
        yield _arrival_finding(step, arrivals)
    stopped_calls = by_key(
        ((call.owner.id, obstacle.by), call)
        for call in outside_calls or ()
        if (obstacle := call.trace.rule_in_the_way) is not None
    )
    for (_, step), calls in stopped_calls.items():
        yield _outside_finding(step, calls)


def _by_obstacle(paths: Iterable[_Path]) -> dict[tuple[str, Step], list[_Path]]:
    """The paths that a rule stops, by their container and that rule."""
    return by_key(
        ((path.owner.id, obstacle.by), path)
        for path in paths
        if (obstacle := path.trace.rule_in_the_way) is not None
    )


def _rule_for(inbound: InnerInboundPath) -> Obstacle | None:
    """The rule that stops the clients of a port; None where a route does, or nothing."""
    for trace in inbound.lost.values():
        if trace.rule_in_the_way is not None:
            return trace.rule_in_the_way
    return None


def _inward_finding(obstacle: Obstacle, inbound_paths: Sequence[InnerInboundPath]) -> Finding:
    step = obstacle.by
    first = inbound_paths[0]
    container = first.container
    ports = sorted({inbound.host_port for inbound in inbound_paths})
    kinds: list[Json] = list(first.lost)
    is_host_alone = kinds == ["this host"]
    senders = "this host and docker-proxy send" if is_host_alone else "clients send"
    is_answer = obstacle.part == "reply"
    packets = f"its answers to what {senders}" if is_answer else f"what {senders}"
    number, _, proto = first.port.partition("/")
    gateway = container.endpoints[first.network.name].gateway
    return Finding(
        subject=container.subject,
        summary=(
            f"{container} itself drops {packets} to published {numbered('port', ports)}: "
            f"{step} inside the container"
        ),
        evidence=present(
            {
                **step.evidence,
                "clients that are dropped": kinds,
                "clients without an answer": list(first.waiting[:5]),
            }
        ),
        variables={
            "container": container.name,
            **place_of(step),
            **_opening(number, proto, gateway if is_host_alone else "", is_answer=is_answer),
        },
        service=container.service,
        discriminator=f"in {step.key}",
        severity=Severity.warning if is_host_alone else None,
        touches=(first.network.subject,),
        signs=NO_WAY_OUT,
    )


def _opening(port: str, proto: str, gateway: str, *, is_answer: bool) -> PageVariables:
    """The page variables for the rule that opens a port: the port, or the one client.

    gateway: the client, where no other client is dropped.
    """
    if is_answer:
        return {"answering_port": port, "proto": proto}
    return {"gateway": gateway} if gateway else {"port": port, "proto": proto}


def _outward_finding(step: Step, outbound_paths: Sequence[InnerOutboundPath]) -> Finding:
    first = outbound_paths[0]
    paths = [outbound.path for outbound in outbound_paths]
    path = first.path
    callers = {path.want.container.id: path.want.container for path in paths}
    names = sorted(names_of(callers.values()))
    peer = path.peer
    callee = str(peer) if peer is not None else f"this host ({path.address})"
    sources = {
        f"{path.want.container.name} to {path.address}:{path.port}": (
            f"{path.want.source}: {path.want.where}"
        )
        for path in paths[:5]
    }
    return Finding(
        subject=first.owner.subject,
        summary=f"{named('container', names)} cannot reach port {path.port} of {callee}: {step} inside "
        f"{first.owner} drops the packets",
        evidence={**step.evidence, "wanted by": sources},
        variables={"container": first.owner.name, **place_of(step), "address": path.address},
        service=first.owner.service,
        discriminator=f"out {step.key}",
        severity=None if failing(paths) else Severity.warning,
        touches=(path.network.subject, *subjects_of(callers.values())),
        calls=subjects_of([peer]),
        signs=NO_WAY_OUT,
    )


def _outside_finding(step: Step, calls: Sequence[OutsideCall]) -> Finding:
    """The finding about calls of other machines. To an address of the internet no way past the
    tunnel is offered: the kill switch is there to prevent it."""
    first = calls[0]
    owner = first.owner
    failures = [call.failure for call in calls]
    callers = {failure.container.id: failure.container for failure in failures}
    names = sorted(names_of(callers.values()))
    variables: PageVariables = {"container": owner.name, **place_of(step)}
    if first.is_private:
        variables = {**variables, "address": first.failure.host}
    elif not first.has_tunnel:
        variables = {**variables, "tunnelless": owner.name}
    return Finding(
        subject=owner.subject,
        summary=sentence(
            f"{named('container', names)} cannot reach {first.failure.place}: {step} inside {owner} "
            "drops the packets",
            "" if first.has_tunnel else "no tunnel of a VPN is up there",
        ),
        evidence={
            **step.evidence,
            "log": first.failure.line,
            "calls": sorted({failure.place for failure in failures}),
        },
        variables=variables,
        service=owner.service,
        discriminator=f"outside {step.key}",
        touches=subjects_of(callers.values()),
        recheck=tuple(run for caller in callers.values() for run in caller.caller_runs),
        signs=NO_WAY_OUT,
    )


def _arrival_finding(step: Step, arrivals: Sequence[InnerArrival]) -> Finding:
    first = arrivals[0]
    owner = first.owner
    paths = [arrival.path for arrival in arrivals]
    callers = {path.want.container.id: path.want.container for path in paths}
    ports = sorted({path.port for path in paths})
    names = sorted(names_of(callers.values()))
    arrival_evidence = {
        f"{path.want.container.name} to {path.address}:{path.port}": (
            f"{path.want.source}: {path.want.where}"
        )
        for path in paths[:5]
    }
    return Finding(
        subject=owner.subject,
        summary=f"{owner} itself drops what {named('container', names)} "
        f"{agree(names, 'sends', 'send')} to its {numbered('port', ports)}: {step} inside the container",
        evidence={**step.evidence, "wanted by": arrival_evidence},
        variables={
            "container": owner.name,
            **place_of(step),
            "port": str(first.path.port),
            "proto": "tcp",
        },
        service=owner.service,
        discriminator=f"called {step.key}",
        severity=None if failing(paths) else Severity.warning,
        touches=(first.path.network.subject, *subjects_of(callers.values())),
        signs=NO_WAY_OUT,
    )
