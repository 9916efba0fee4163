"""Rules of published ports whose container is gone. Pure."""

from collections.abc import Iterator
from ipaddress import ip_address

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import GATEWAY_BRIDGE, Networks
from diagnose.evidence.network.rules.packet_filter import PortRule
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.evidence.network.sockets.listeners import Listener, Listeners


def stale_rules(
    rules: tuple[PortRule, ...], containers: Containers, networks: Networks
) -> Iterator[PortRule]:
    """The rules to an address of the engine's networks that no running container has.

    A task of a swarm has an address on `docker_gwbridge` too, of which its container says nothing:
    rules to that network are left out.
    """
    addresses = {
        endpoint.ip_address
        for container in containers.running
        for endpoint in container.endpoints.values()
    }
    told_networks = [network for network in networks.bridges if network.name != GATEWAY_BRIDGE]
    subnets = [subnet for network in told_networks for subnet in network.subnets]
    for rule in rules:
        address = ip_address(rule.address)
        if rule.address not in addresses and any(address in subnet for subnet in subnets):
            yield rule


def serving_listener(rule: PortRule, listeners: Listeners | None) -> Listener | None:
    """The program of the host that listens on the rule's port for others than the host itself."""
    holders = listeners.on(rule.protocol, "", rule.host_port) if listeners is not None else ()
    outer = [
        listener
        for listener in holders
        if listener.comm != DOCKER_PROXY and not is_loopback(listener.address)
    ]
    return outer[0] if outer else None
