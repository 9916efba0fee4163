"""network.call-unanswered: a container waits for an answer that does not come."""

from __future__ import annotations

from ipaddress import ip_address

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.host_paths import Obstacle
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.evidence.network.sockets.unanswered_calls import (
    MAIL,
    METADATA,
    UnansweredCall,
    UnansweredCalls,
)
from diagnose.mappings import by_key, present
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped
from diagnose.phrases import agree, count, named, sentence
from diagnose.registry import check


@check(
    "network.call-unanswered",
    severity=Severity.warning,
    caused_by=[
        "container.paused",
        "firewall.backend-mixed",
        "firewall.between-containers",
        "firewall.chains-missing",
        "firewall.dropped-inside-container",
        "firewall.forward-dropped",
        "firewall.forwarding-off",
        "firewall.input-dropped",
        "firewall.masquerade-missing",
        "firewall.redirected-to-nobody",
        "network.accept-queue-full",
        "network.bridge-down",
        "network.interface-taken",
        "network.mac-duplicate",
        "network.neighbour-table-full",
        "network.peer-address-stale",
        "network.peer-on-other-network",
        "network.replies-misrouted",
        "network.subnet-overlaps-route",
        "network.veth-detached",
    ],
)
def call_unanswered(unanswered_calls: UnansweredCalls, *, least: Count = Count(1)) -> CheckResult:
    """A container keeps trying to connect, and nothing answers.

    Its sockets wait in the state SYN_SENT, seen more than once within a moment, have repeated their
    request at least `least` times, and no other connection to that place stands. A refusal would be
    an answer: packets are lost on the way there or back, or nobody is there. The kernel's counters
    of each namespace say where to look. Programs that try many places are left out, and so are
    calls out of internal networks (network.internal-called-out).
    """
    if not unanswered_calls.watched and not len(unanswered_calls):
        return Skipped("no running container uses a network")
    calls = [
        call for call in unanswered_calls.items if call.repeats >= least and not call.has_no_way_out
    ]
    for same_place in by_key((call.place, call) for call in calls).values():
        yield _unanswered(same_place)
    return None


def _unanswered(calls: list[UnansweredCall]) -> Finding:
    first = calls[0]
    callers = {call.container.id: call.container for call in calls}
    names = sorted(container.name for container in callers.values())
    peer = first.peer
    whom = f"{peer} ({first.place})" if peer is not None else first.place
    if first.further:
        whom += f" and {count(len(first.further), 'more address', 'more addresses')} at that port"
    gets = agree(names, "gets", "get")
    networks = {call.network.subject for call in calls if call.network is not None}
    trace = first.trace
    return Finding.about(
        first.container,
        sentence(
            f"{named('container', names)} {gets} no answer from {whom}",
            _why(first),
        ),
        present(
            {
                "requests that were repeated": {
                    call.container.name: count(call.repeats, "time") for call in calls[:5]
                },
                "the address comes from": first.named_by,
                "this host": _by_host(first),
                "packets whose hop limit ended on this host": first.expired or None,
                "leaves through": trace.to
                if trace is not None and trace.obstacle is None
                else None,
            }
        ),
        discriminator=first.place,
        touches=(
            *sorted(networks),
            *(container.subject for container in callers.values()),
        ),
        calls=(peer.subject,) if peer is not None else (),
        signs=NO_WAY_OUT,
        stable=tuple(container.life for container in callers.values()),
    ).with_variables(_variables(first))


def _why(call: UnansweredCall) -> str:
    """What is known of the reason; empty where the packets leave as they should."""
    obstacle = call.trace.obstacle if call.trace is not None and call.trace.is_blocked else None
    if call.address == METADATA:
        return "it is the cloud's metadata service, whose answers may not pass a router"
    if call.is_untranslated:
        return (
            f"its packets leave with the container's own address {call.source}, "
            "because a rule exempts them from translation"
        )
    if obstacle is not None:
        what = "the answers" if obstacle.part == "reply" else "the requests"
        return f"{obstacle.by} stops {what}"
    if _is_routed(call):
        return (
            f"{call.network} is routed and not translated, so that the answers need a route to it "
            "on the router of this host"
        )
    if call.silent_router and not call.no_machine:
        return f"the router of this host, {call.silent_router}, does not answer either"
    if call.protocol == "udp":
        return "its packets over UDP leave this host, and none comes back"
    if _is_own_site(call) and call.publisher is not None:
        return (
            f'its log names "{call.own_name}", which this host serves at the same '
            f"port ({call.publisher}): the router of this site does not lead calls of its own "
            "public address back (hairpin)"
        )
    if _is_mail(call):
        return "many providers let nothing out to port 25 until they are asked to"
    if call.no_machine:
        return f"no machine on the network of interface {call.no_machine} has that address"
    if call.of_network is not None and call.peer is None:
        return f"no running container has that address of {call.of_network}"
    if call.may_filter and call.peer is None:
        return "its own network namespace may hold rules that stop them (NET_ADMIN)"
    return ""


def _is_own_site(call: UnansweredCall) -> bool:
    """Whether it is this site's own public address by which this host's service is called."""
    is_open = call.trace is None or call.trace.obstacle is None
    return bool(call.own_name) and is_open and not call.silent_router and not call.no_machine


def _is_mail(call: UnansweredCall) -> bool:
    """Whether a mail server of the internet is called, and the router of this host answers."""
    is_outside = ip_address(call.address).is_global and not call.silent_router
    return call.port == MAIL and is_outside


def _is_routed(call: UnansweredCall) -> bool:
    """Whether it leaves a network whose containers keep their addresses, as its mode says."""
    if call.network is None or call.of_network is not None or call.trace is None:
        return False
    family = "6" if ":" in call.address else "4"
    mode = call.network.option(f"com.docker.network.bridge.gateway_mode_ipv{family}", "nat")
    return mode == "routed" and call.trace.obstacle is None


def _by_host(call: UnansweredCall) -> str | None:
    if call.trace is None:
        return None
    if call.is_untranslated:
        return f"does not translate {call.source}"
    if call.trace.obstacle is None:
        return "lets the requests and their answers pass"
    return f"stops them: {call.trace.obstacle.by}"


_REFUSED = ("route unreachable ", "route blackhole ", "route prohibit ")
"""Routes that lead nowhere on purpose, as a trace writes them."""


def _variables(call: UnansweredCall) -> dict[str, str]:
    """The case that the page has a block for, and its values."""
    place = {"container": call.container.name, "address": call.address, "port": str(call.port)}
    if call.protocol == "udp":
        return _udp_variables(call)
    if call.address == METADATA:
        return {**place, "hop_limit": "2"}
    if call.is_untranslated and call.network is not None and "." in call.address:
        return {**place, "untranslated": call.source, "bridge": call.network.bridge}
    if call.network is not None and _is_routed(call):
        return {**place, "routed": call.network.name}
    obstacle = call.trace.obstacle if call.trace is not None and call.trace.is_blocked else None
    stopped_by = _obstacle_variables(call, obstacle) if obstacle is not None else {}
    if stopped_by:
        return {**place, **stopped_by}
    if _is_own_site(call):
        return {**place, "own_host": f"{call.own_name}:host-gateway"}
    if obstacle is None and _is_mail(call):
        return {**place, "mailer": call.container.name}
    beyond = {"beyond": call.address} if obstacle is None else {}
    return {**place, **(_peer_variables(call) or beyond)}


def _udp_variables(call: UnansweredCall) -> dict[str, str]:
    """The place over UDP, and the tunnel that can do without UDP."""
    words = f"{call.container.config.image} {' '.join(call.container.command)}"
    place = {"container": call.container.name, "udp_port": str(call.port)}
    is_stopped_here = call.trace is not None and call.trace.is_blocked
    if is_stopped_here or call.is_untranslated or call.silent_router:
        return place
    place["edge"] = call.address
    return {**place, "tunnel": call.container.name} if "cloudflared" in words else place


def _obstacle_variables(call: UnansweredCall, obstacle: Obstacle) -> dict[str, str]:
    """What stops a call on this host: a route that refuses, or a rule."""
    if obstacle.by.rule.startswith(_REFUSED):
        _, kind, blocked = obstacle.by.rule.split()
        return {"route_type": kind, "blocked": blocked}
    if obstacle.reason != "rule":
        return {}
    where = place_of(obstacle.by, "ip6" if ":" in call.address else "ip")
    if not call.source:
        return {**where, "own_chain": where.pop("chain")} if "program" in where else {}
    if obstacle.part == "reply" and "program" in where:
        where["answers_chain"] = where.pop("chain")
    return {**where, "source": call.source}


def _peer_variables(call: UnansweredCall) -> dict[str, str]:
    """Who should answer, where that is a container, a router, or a machine with its own rules."""
    if call.peer is not None:
        return {"peer": call.peer.name}
    if call.of_network is not None:
        return {"stale": call.container.name}
    if call.silent_router and not call.no_machine:
        return {"router": call.silent_router}
    return {"own_rules": call.container.name} if call.may_filter else {}
