"""Calls of other machines to the own addresses of containers, which the engine drops."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules.dropping_rules import GUARD, DroppingRule, DroppingRules
from diagnose.registry import evidence

LEAST = 3
"""Packets: a program that calls sends three within seven seconds."""
_TABLES = ("raw", "docker-bridges")
"""Where the engine writes such rules."""
_ALLOWS = (28, 2)
"""The first engine that `allow-direct-routing` lets calls of other machines pass."""


class DirectCall(msgspec.Struct, frozen=True):
    """A container whose own address is called."""

    container: Container
    network: Network
    address: str
    rule: DroppingRule
    """The engine's rule that drops the packets."""
    allows: bool = False
    """Whether a setting of the engine lets them pass."""

    @property
    def mode(self) -> str:
        family = "6" if ":" in self.address else "4"
        return self.network.option(f"com.docker.network.bridge.gateway_mode_ipv{family}", "nat")


class DirectCalls(Items[DirectCall], frozen=True):
    """The direct calls of running containers."""

    uncounted: bool = False
    """Whether counters of some rules are not read."""


@evidence
def direct_calls(
    dropping_rules: DroppingRules,
    containers: Containers,
    networks: Networks,
    unanswered_calls: UnansweredCalls | None,
    ping: Ping | None,
) -> DirectCalls:
    """Pure. What another container of this host calls is left out: it is on another network."""
    called = {call.address for call in unanswered_calls.items} if unanswered_calls else set()
    allows = ping is not None and ping.version >= _ALLOWS
    calls = []
    for rule in dropping_rules:
        guard = GUARD.search(rule.rule.text)
        is_known = rule.chain.table.name in _TABLES
        if guard is None or not is_known or rule.total + rule.within < LEAST:
            continue
        address = guard["address"] or guard["native"]
        for container in containers.running:
            network = _network_of(container, address, networks)
            if network is not None and address not in called:
                calls.append(DirectCall(container, network, address, rule, allows))
    return DirectCalls(tuple(calls), dropping_rules.uncounted)


def _network_of(container: Container, address: str, networks: Networks) -> Network | None:
    """The network on which a container has an address."""
    for name, endpoint in container.endpoints.items():
        if address in endpoint.addresses:
            return networks.by_name.get(name)
    return None
