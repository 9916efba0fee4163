"""network.call-unanswered: a container waits for an answer that does not come."""

from collections.abc import Callable, Mapping

from checks.network.causes import NO_WAY_TO_PEER
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.settings.changed_words import with_text
from diagnose.evidence.dns.names.moved_names import MovedName, MovedNames
from diagnose.evidence.network.calls.unanswered_call import MAIL_BLOCKED, CallLoss, UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.rules.refusing_routes import is_refusal, without_refusal
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import CheckResult, Count, Finding, PageVariables, Severity, Skipped
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
    answer: packets are lost on the way there or back, or nobody is there. The kernel's counters of
    each namespace say where to look. Programs that try many places are left out, and so are calls
    out of internal networks (network.internal-called-out). It is advice where a program such as
    home automation has found a device of the local network by itself, and that device is off: no
    configuration names the device, the port is not that of a database or queue, and the container
    is well. It is also advice where a monitor has found a machine that is down.
    """
    if not unanswered_calls.watched and not len(unanswered_calls):
        return Skipped("no running container uses a network")
    calls = [call for call in unanswered_calls if call.repeats >= least and not call.has_no_way_out]
    for same_place in by_key((call.place, call) for call in calls).values():
        yield _finding(same_place, _moved_name(same_place[0], moved_names))


def _moved_name(call: UnansweredCall, names: MovedNames | None) -> MovedName | None:
    """The name for which a program calls an address that the name had before.

    What this host certainly stops would not reach the present address either.
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
            f"{named('container', names)} {agree(names, 'gets', 'get')} no answer "
            f"from {_called_party(first)}",
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
        calls=(first.peer.subject,) if first.peer is not None else (),
        signs=NO_WAY_OUT,
        stable=tuple(life for caller in callers.values() for life in caller.caller_lives),
    ).with_variables(moved.cure if moved is not None else _variables(first))


def _called_party(call: UnansweredCall) -> str:
    whom = f"{call.peer} ({call.place})" if call.peer is not None else call.place
    if not call.further:
        return whom
    more = count(len(call.further), "more address", "more addresses")
    return f"{whom} and {more} at that port"


_WHY: Mapping[CallLoss, str] = {
    "metadata": "it is the metadata service of the cloud, whose answers may not pass this host (hop limit)",
    "untranslated": (
        "its packets leave with the container's own address {call.source}, "
        "which no rule of this host translates"
    ),
    "stopped here": "{call.stopped_by} stops the {call.lost_part}",
    "foreign source": (
        "a rule gives its packets the source {call.foreign_source}, which this host does not have: "
        "unless that address is routed here, no answer comes back"
    ),
    "wrong neighbour": (
        "its ARP table has {call.mistaken.mac} for {call.address}, "
        "which is not the hardware address of {call.peer}"
    ),
    "routed": (
        "{call.network} is routed and not translated, so that the answers need a route to it "
        "on the router of this host"
    ),
    "mesh": "{call.mesh_clause}",
    "router silent": "the router of this host, {call.silent_router}, does not answer either",
    "led away": "{call.led_away}",
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
        "it calls over IPv6, and a program that does not try IPv4 next waits here even where the "
        "name has an IPv4 address that answers"
    ),
    "beyond": "",
}
"""What is known of the reason; nothing where the packets leave as they should."""


def _fate_on_this_host(call: UnansweredCall) -> str | None:
    """What this host does with the call; None where that is not known."""
    if call.trace is None:
        return None
    if call.is_untranslated:
        return f"does not translate {call.source}"
    if call.foreign_source:
        return f"nat POSTROUTING: {call.trace.snat}"
    if call.trace.obstacle is None:
        return "lets the requests and their answers pass"
    return f"stops them: {call.stopped_by}"


def _way_out(call: UnansweredCall) -> str | None:
    """The interface by which the call leaves this host, where nothing stops it."""
    return call.trace.to if call.trace is not None and call.trace.obstacle is None else None


def _variables(call: UnansweredCall) -> PageVariables:
    """The case that the page has a block for, and its values."""
    if call.protocol == "udp":
        return _udp_variables(call)
    place = {"container": call.container.name, "address": call.address, "port": str(call.port)}
    of_loss = _OF_CASE.get(call.loss)
    of_case = of_loss(call) if of_loss is not None else {}
    beyond = {"beyond": call.address} if call.obstacle is None else {}
    return {**place, **(of_case or _peer_variables(call) or beyond)}


def _udp_variables(call: UnansweredCall) -> PageVariables:
    """The place over UDP, and the tunnel that can do without UDP."""
    words = f"{call.container.config.image} {' '.join(call.container.command)}"
    place = {"container": call.container.name, "udp_port": str(call.port)}
    if call.obstacle is not None or call.is_untranslated or call.silent_router:
        return place
    place["edge"] = call.address
    return {**place, "tunnel": call.container.name} if "cloudflared" in words else place


def _untranslated_variables(call: UnansweredCall) -> PageVariables:
    """The page translates IPv4; over IPv6 a rule may be what stops the answers.

    A service of this very host is reached without the way out.
    """
    if call.network is not None and not call.is_ipv6:
        return {"untranslated": call.source, "bridge": call.network.bridge}
    variables = _obstacle_variables(call) or (_own_site_variables(call) if call.is_own_site else {})
    return variables or {"exempted": call.source}


def _own_site_variables(call: UnansweredCall) -> PageVariables:
    """The name of this host's service, as `--add-host` leads it to the host itself.

    A program whose settings hold the address itself asks for no name: the name has to be there.
    """
    host = f"{call.own_name}:host-gateway"
    if not call.named_by:
        return {"own_host": host}
    changed = with_text(call.container, call.address, call.own_name)
    if changed:
        return {"named_host": host, **changed}
    bridge = call.network.bridge if call.network is not None and not call.is_ipv6 else ""
    return {"literal": call.address, **present({"inner_bridge": bridge})}


def _obstacle_variables(call: UnansweredCall) -> PageVariables:
    """What stops a call on this host: a route that refuses, or a rule."""
    obstacle = call.obstacle
    if obstacle is None:
        return {}
    if is_refusal(obstacle):
        return without_refusal(obstacle.by, is_ipv6=call.is_ipv6)
    if obstacle.reason != "rule":
        return {}
    family = "ip6" if call.is_ipv6 else "ip"
    where = place_of(obstacle.by, family)
    is_nft = "nft_chain" in where
    if is_nft:
        where["address_family"] = family
    prefix = "nft_" if is_nft else ""
    if chain := where.pop(f"{prefix}chain", ""):
        where[prefix + _chain_variable(obstacle.part, call.source)] = chain
    return {**where, "source": call.source} if call.source else where


def _chain_variable(part: str, source: str) -> str:
    """Each accepting rule of the page has a chain of its own.

    source: "" for a program on the host's own network.
    """
    if part == "reply":
        return "answers_chain"
    return "chain" if source else "own_chain"


def _peer_variables(call: UnansweredCall) -> PageVariables:
    """Who should answer, where that is a container, a router, or a machine with its own rules."""
    if call.peer is not None:
        return {"peer": call.peer.name}
    if call.of_network is not None:
        return {"stale": call.container.name}
    if call.silent_router and not call.no_machine:
        return {"router": call.silent_router}
    return {"own_rules": call.container.name} if call.may_filter else {}


def _mesh_variables(call: UnansweredCall) -> PageVariables:
    """A client on the host's network makes an interface there, and its variable lets it."""
    client = call.mesh_client
    if client is None or not client.shares_host_network:
        return {"mesh": call.address}
    is_told = any("userspace-networking" in word for word in client.command)
    return {"mesh": call.address} if is_told else {"userspace": client.name}


def _way_by_router(call: UnansweredCall) -> PageVariables:
    absent = call.led_away
    return {"led_away": absent.address, "way_out": absent.router} if absent is not None else {}


def _proxy_variables(call: UnansweredCall) -> PageVariables:
    return call.engine_proxy.variables(call.container) if call.engine_proxy is not None else {}


def _neighbour_variables(call: UnansweredCall) -> PageVariables:
    if call.mistaken is None:
        return {}
    return {"mistaken": call.address, "at_interface": call.mistaken.interface}


_OF_CASE: Mapping[CallLoss, Callable[[UnansweredCall], dict[str, str]]] = {
    "metadata": lambda _: {"hop_limit": "2"},
    "untranslated": _untranslated_variables,
    "stopped here": _obstacle_variables,
    "foreign source": lambda call: {"foreign_source": call.foreign_source},
    "wrong neighbour": _neighbour_variables,
    "routed": lambda call: {"routed": call.network.name if call.network is not None else ""},
    "mesh": _mesh_variables,
    "led away": _way_by_router,
    "own site": _own_site_variables,
    "proxy": _proxy_variables,
    "mail": lambda call: {"mailer": call.container.name},
    "over IPv6": lambda call: {"over_ipv6": call.container.name, "beyond": call.address},
}
"""The variables of a case; of the others, those of whoever should answer."""
