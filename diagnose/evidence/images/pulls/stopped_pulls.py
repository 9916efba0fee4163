"""Registries that the host's own packet filter keeps the engine from."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.dns.filtered_queries import rule_against
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import family_of
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.verdict import Step
from diagnose.numbers import is_number
from diagnose.registry import evidence

_HTTPS = 443


class StoppedPull(msgspec.Struct, frozen=True):
    """A registry that could not be reached, and the rule that stops the engine's packets to it."""

    trouble: PullTrouble
    port: int
    by: Step


class StoppedPulls(Items[StoppedPull], frozen=True):
    """The stopped pulls, each registry once for each kind of failure."""


@evidence
def stopped_pulls(
    pulls: Pulls, host_stack: HostStack, uplinks: Uplinks, links: Interfaces
) -> StoppedPulls:
    """The pulls that a rule of this host stops.

    One trace to the registry's port by the uplink; to any address where it is known by name.
    """
    uplink = uplinks.preferred
    if uplink is None:
        return StoppedPulls()
    stopped = []
    for trouble in pulls.of("unreachable"):
        place = _place(trouble.registry)
        if place.address is not None and links.holds(place.address):
            continue
        family = family_of(place.address or "")
        flow = Flow(Origin(), place.address, "tcp", place.port, family, assumed=uplink.name)
        rule = rule_against(host_stack.stack, flow)
        if rule is not None:
            stopped.append(StoppedPull(trouble, place.port, rule))
    return StoppedPulls(tuple(stopped))


class _RegistryPlace(msgspec.Struct, frozen=True):
    """The address and port of a registry."""

    address: str | None
    """None where it is known by its name."""
    port: int


def _place(registry: str) -> _RegistryPlace:
    name, colon, port = registry.rpartition(":")
    if not (colon and is_number(port)):
        name = registry
        port = str(_HTTPS)
    try:
        return _RegistryPlace(str(ip_address(name.strip("[]"))), int(port))
    except ValueError:
        return _RegistryPlace(None, int(port))
