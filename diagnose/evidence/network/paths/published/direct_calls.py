"""Calls of other machines to the own addresses of containers, which the engine drops."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.proxies.routes.traefik_labels import (
    ROUTERS,
    is_traefik,
    settings_of_words,
)
from diagnose.evidence.network.rules.dropping_rules import GUARD, DroppingRule, DroppingRules
from diagnose.registry import evidence

_NETWORK_LABEL = "traefik.docker.network"
LEAST = 3
"""Packets: a program that calls sends three within seven seconds."""
_TABLES = ("raw", "docker-bridges")
"""Tables in which the engine writes rules against direct calls."""
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
    guesser: Container | None = None
    """The Traefik of this host that may take this address: no setting says which network counts."""
    shared_network: str = ""
    """A network on which both of them are."""

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
    """The direct calls to containers that rules drop. Pure.

    Present calls of other containers of this host are left out: they come from another network.
    """
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
                guesser, shared = _guess(container, network, containers)
                calls.append(
                    DirectCall(
                        container,
                        network,
                        address,
                        rule,
                        allows,
                        guesser=guesser,
                        shared_network=shared,
                    )
                )
    return DirectCalls(tuple(calls), dropping_rules.uncounted)


def _guess(
    container: Container, network: Network, containers: Containers
) -> tuple[Container | None, str]:
    """The Traefik that serves a container by its labels and is not on this network of it.

    Beside it a network that both are on; None where a label or an option names the network.
    """
    labels = container.config.labels or {}
    is_routed = any(label.startswith(ROUTERS) for label in labels)
    is_left_out = labels.get("traefik.enable", "").lower() == "false"
    if not is_routed or is_left_out or _NETWORK_LABEL in labels:
        return None, ""
    for traefik in filter(is_traefik, containers.running):
        settings = settings_of_words(traefik)
        shared = sorted(set(traefik.endpoints) & set(container.endpoints))
        is_free = settings is not None and not settings.network
        if is_free and shared and network.name not in traefik.endpoints:
            return traefik, shared[0]
    return None, ""


def _network_of(container: Container, address: str, networks: Networks) -> Network | None:
    """The network on which a container has an address."""
    for name, endpoint in container.endpoints.items():
        if address in endpoint.addresses:
            return networks.by_name.get(name)
    return None
