"""network.call-unanswered: a container waits for an answer that does not come."""

from collections.abc import Mapping

from checks.network.causes import NO_WAY_TO_PEER
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.names.moved_names import MovedName, MovedNames
from diagnose.evidence.network.calls.unanswered_call import MAIL_BLOCKED, CallLoss, UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.first_steps.network.unanswered_call_steps import unanswered_call_steps
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import CheckResult, Count, Finding, Severity, Skipped
from diagnose.phrases import agree, count, named, sentence
from diagnose.registry import check


@check(
    "network.call-unanswered",
    severity=Severity.warning,
    aloud=("calls a machine that does not answer", "call machines that do not answer"),
    caused_by=sorted(NO_WAY_TO_PEER),
)
def call_unanswered(
    unanswered_calls: UnansweredCalls, moved_names: MovedNames | None, *, least: Count = Count(1)
) -> CheckResult:
    """A container keeps trying to connect, and nothing answers.

    Its sockets wait in the state SYN_SENT each time they are looked at, have repeated their request
    at least `least` times, and no other connection to that place is open. A refusal would be an
    answer, unless a rule of this host gives it: packets are lost on the way there or back, or
    nobody is there. The kernel's counters of
    each namespace say where to look.

    Programs that try many places are left out, and so are calls out of internal networks
    (network.internal-called-out).

    It is advice where a program such as home automation has found a device of the local network by
    itself, and that device is off: no configuration names the device, the port is not that of a
    database or queue, and the container is well. It is also advice where a monitor has found a
    machine that is down.
    """
    if not unanswered_calls.watched and not len(unanswered_calls):
        return Skipped("no running container uses a network")
    calls = [call for call in unanswered_calls if call.repeats >= least and not call.has_no_way_out]
    for same_place in by_key((call.place, call) for call in calls).values():
        yield _finding(same_place, _moved_name(same_place[0], moved_names))


def _moved_name(call: UnansweredCall, names: MovedNames | None) -> MovedName | None:
    """The name that had the called address before, and has another one now.

    A call that this host certainly stops would not reach the present address either.
    """
    if names is None or call.obstacle is not None:
        return None
    return names.called_by(call.container, call.address)


def _finding(calls: list[UnansweredCall], moved: MovedName | None) -> Finding:
    first = calls[0]
    callers = {call.container.id: call.container for call in calls}
    names = sorted(names_of(callers.values()))
    networks = {call.network.subject for call in calls if call.network is not None}
    is_expected = all(call.is_device_off or call.is_watched for call in calls)
    return Finding.about(
        first.container,
        sentence(
            f"{named('container', names)} {_outcome(first, names)} {_called_party(first)}",
            str(moved) if moved is not None else _WHY[first.loss].format(call=first),
        ),
        present(
            {
                "requests that were repeated": {
                    call.container.name: count(call.repeats, "time") for call in calls[:5]
                },
                "the address comes from": first.named_by,
                "this host": _fate_on_this_host(first),
                "packets whose hop limit ended on this host": first.expired or None,
                "leaves through": _way_out(first),
            }
        ),
        discriminator=first.place,
        touches=(*sorted(networks), *subjects_of(callers.values())),
        severity=Severity.advice if is_expected else None,
        calls=subjects_of([first.peer]),
        signs=NO_WAY_OUT,
        recheck=tuple(run for caller in callers.values() for run in caller.caller_runs),
        variables=moved.cure if moved is not None else unanswered_call_steps(first),
    )


def _outcome(call: UnansweredCall, callers: list[str]) -> str:
    """The outcome of the call, in words that stand before the place that is called."""
    if call.is_refused:
        return "cannot reach"
    return f"{agree(callers, 'gets', 'get')} no answer from"


def _called_party(call: UnansweredCall) -> str:
    callee = f"{call.peer} ({call.place})" if call.peer is not None else call.place
    if not call.further:
        return callee
    further = count(len(call.further), "more address", "more addresses")
    return f"{callee} and {further} at that port"


_WHY: Mapping[CallLoss, str] = {
    "metadata": "it is the metadata service of the cloud, whose answers may not pass this host (hop limit)",
    "untranslated": (
        "its packets leave with the container's own address {call.source}, "
        "which no rule of this host translates"
    ),
    "stopped here": "{call.stopper} stops the {call.lost_part}",
    "foreign source": (
        "a rule gives its packets the source {call.foreign_source}, which this host does not have: "
        "unless that address is routed here, no answer comes back"
    ),
    "wrong neighbour": (
        "its ARP table has {call.mistaken.mac} for {call.address}, "
        "which is not the hardware address of {call.peer}"
    ),
    "loopback down": (
        "it calls itself, and such packets take its loopback interface lo, which is down"
    ),
    "near the caller": (
        "{call.peer} answers this host at that port, so the packets are most likely lost in the "
        "network namespace of {call.container} or at its port of the bridge"
    ),
    "routed": (
        "{call.network} is routed and not translated, so that the answers need a route to it "
        "on the router of this host"
    ),
    "mesh": "{call.mesh_clause}",
    "router silent": "the router of this host, {call.silent_router}, does not answer either",
    "led away": "{call.led_away}",
    "through a container": (
        "{call.way_through.container} reaches {call.way_through.subnet} by its tunnel "
        "{call.way_through.tunnel}, and this host has no route to it"
    ),
    "udp": "its packets over UDP leave this host, and none comes back",
    "own site": (
        'its log names "{call.own_name}", which this host serves at the same '
        "port ({call.publisher}): the router of this site does not send calls to its own "
        "public address back (hairpin NAT)"
    ),
    "proxy": (
        "the engine reaches the internet through proxy {call.engine_proxy.https}, "
        "and the container has no proxy in its environment"
    ),
    "mail": MAIL_BLOCKED,
    "no machine": "no machine on the network of interface {call.no_machine} has that address",
    "no container": "no running container has that address of {call.of_network}",
    "own rules": "its own network namespace may hold rules that stop them (NET_ADMIN)",
    "over IPv6": (
        "it connects over IPv6, and a program that does not fall back to IPv4 waits here even if "
        "the name has an IPv4 address that answers"
    ),
    "undecided here": "{call.doubtful.by} of this host may stop the packets, or their answers",
    "beyond": "",
}
"""The reason, where it is known; "" where the packets leave as they should."""


def _fate_on_this_host(call: UnansweredCall) -> str | None:
    """The predicate about the treatment of the call by this host; None where that is not known."""
    if call.trace is None:
        return None
    if call.is_untranslated:
        return f"does not translate {call.source}"
    if call.foreign_source:
        return f"nat POSTROUTING: {call.trace.snat}"
    if call.doubtful is not None:
        return f"may stop them: {call.doubtful.by}"
    if call.obstacle is None:
        return "lets the requests and their answers pass"
    return f"stops them: {call.stopped_by}"


def _way_out(call: UnansweredCall) -> str | None:
    """The interface by which the call leaves this host, where nothing stops it."""
    return call.trace.to if call.trace is not None and call.trace.obstacle is None else None
