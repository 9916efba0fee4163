"""Routes of packets from networks and to networks, by all rules and tables of the kernel."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.host_stack import KERNELS_OWN
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.network import ListRoutingRules, LookUpRoutes, RouteLookup, WantedRoute
from diagnose.registry import evidence

__all__ = ["RouteLookup", "RouteLookups", "route_lookups"]

SOMEWHERE = "44.192.0.1"
"""A peer of no particular kind, to whom nothing is sent: an ordinary public address, since filters
against spoofing drop those that are reserved. Where the open question has no answer and this one
has, the filter has a policy about addresses, and nothing is unclear."""


class RouteLookups(msgspec.Struct, frozen=True):
    """The kernel's routes of this host's packets and of its networks' packets."""

    own: RouteLookup
    """The route of the host's own packets to the outside."""
    out: dict[str, RouteLookup]
    back: dict[str, RouteLookup]
    """out, back: the routes of packets from one container of each network that leads out, and of
    packets for it, by the network's name."""
    rules: tuple[str, ...] = ()
    """The routing rules that are not the kernel's own, as text."""

    def __len__(self) -> int:
        return len(self.out)


@evidence
def route_lookups(
    host: Host, containers: Containers, networks: Networks, links: Interfaces
) -> RouteLookups | Unavailable:
    """The kernel's answers for each network that has its bridge.

    It is asked about one running container of each.
    """
    senders = {
        network.name: sender
        for network in networks.bridges
        if (sender := _sender(network, containers, links)) is not None
    }
    ways = [way for sender in senders.values() for way in (sender.out, sender.back)]
    answer = host.ask(LookUpRoutes([WantedRoute(SOMEWHERE), *ways]))
    rules = host.ask(ListRoutingRules())
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    own_lookup, *further = answer
    # for each sender first its way out, then the way back to it, as they were asked
    out = dict(zip(senders, further[::2], strict=True))
    back = dict(zip(senders, further[1::2], strict=True))
    all_rules = [] if isinstance(rules, Failed) else rules
    added = [str(rule) for rule in all_rules if rule.priority not in KERNELS_OWN]
    return RouteLookups(own_lookup, out, back, tuple(added))


class _Sender(msgspec.Struct, frozen=True):
    """A container that packets of a network come from."""

    out: WantedRoute
    """The route of its packets to the outside, as they come in by the network's bridge."""
    back: WantedRoute
    """The route of the host's packets to it."""


def _sender(network: Network, containers: Containers, links: Interfaces) -> _Sender | None:
    """A sender on a network that leads out by a bridge which is up; or None."""
    bridge = links.by_name.get(network.bridge)
    address = _member_address(network, containers)
    if bridge is None or not bridge.up or address is None:
        return None
    if network.internal or not network.bridge_has_address:
        return None
    return _Sender(WantedRoute(SOMEWHERE, address, bridge.index), WantedRoute(address))


def _member_address(network: Network, containers: Containers) -> str | None:
    """The address of a running container of this network; None if none has one."""
    endpoints = (container.endpoints.get(network.name) for container in containers.running)
    return next(
        (endpoint.ip_address for endpoint in endpoints if endpoint and endpoint.ip_address), None
    )
