"""network.tunnel-takes-call: a VPN's tunnel takes calls to a machine of the local network."""

from collections.abc import Sequence

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.outside_calls import OutsideCall, OutsideCalls
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more, named
from diagnose.registry import check

_GLUETUN = LazyPattern(r"(?:^|/)gluetun(?:[:@]|$)")
_SUBNETS = "FIREWALL_OUTBOUND_SUBNETS"


@check(
    "network.tunnel-takes-call",
    severity=Severity.warning,
    causes=("network.call-unanswered", "network.calls-failing", "container.errors-in-log"),
)
def tunnel_takes_call(outside_calls: OutsideCalls) -> CheckResult:
    """A VPN's tunnel takes a container's calls to the local network.

    The default route in the network of a VPN client leads into its tunnel, for all containers that
    share that network (`network_mode: container:` or `service:`). A printer, a NAS or a mail server
    with a private address is on this side, and the VPN does not lead there.

    The container's log repeatedly calls a private address unanswered or unreachable, and the routes
    of its namespace lead that address to an interface that is not the engine's. A VPN to an office
    may well lead to private addresses: then the machine there does not answer, so that it is a
    warning.
    """
    taken = by_key(
        ((call.owner.id, call.tunnel), call)
        for call in outside_calls
        if call.tunnel and call.is_private and not call.trace.is_blocked
    )
    for calls in taken.values():
        yield _finding(calls)


def _finding(calls: Sequence[OutsideCall]) -> Finding:
    first = calls[0]
    owner = first.owner
    callers = {call.failure.container.id: call.failure.container for call in calls}
    places = sorted({call.failure.place for call in calls})
    holder = "" if owner.id in callers else f" of {owner}, whose network it shares,"
    return Finding.about(
        owner,
        f"{named('container', sorted(names_of(callers.values())))} gets no answer from "
        f"{and_more(places)}: tunnel {first.tunnel}{holder} takes these calls, and a VPN rarely leads to "
        "private addresses",
        {
            "log": first.failure.line,
            "route": f"{first.failure.host} by {first.tunnel}",
            "gateway past the tunnel": f"{first.gateway} by {first.device}",
        },
        discriminator=first.tunnel,
        touches=subjects_of(callers.values()),
        recheck=tuple(run for caller in callers.values() for run in caller.caller_runs),
        signs=NO_WAY_OUT,
        variables=_variables(first),
    )


def _variables(call: OutsideCall) -> PageVariables:
    """The variable of Gluetun for the address, or the route past the tunnel."""
    owner, address = call.owner, call.failure.host
    if _GLUETUN.search(owner.config.image):
        known = owner.config.value_of(_SUBNETS)
        subnets = f"{known},{address}/32" if known else f"{address}/32"
        return {"assignment": f"{_SUBNETS}={subnets}"}
    route = {"address": address, "gateway": call.gateway, "device": call.device}
    return present(route) if all(route.values()) else {"called": address}
