"""Clients that a log has with the address of a gateway, as all that come over IPv6. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.calls.client_refusals import IsRefusal, Refusals
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.proxies.client_sources import networks_without_ipv6
from diagnose.lazy_pattern import LazyPattern

_SENDER = LazyPattern(r"\b(?:client=|connect from |rip=)")
"""Words of Postfix and Dovecot before a message about a client."""


class GatewayInLog(msgspec.Struct, frozen=True):
    """The gateway of a network without IPv6, and the lines of a container's log about it."""

    network: Network
    gateway: str
    lines: Sequence[RecentLine]


def named_gateway(
    container: Container,
    refusals: Refusals,
    networks: Networks,
    is_about: Callable[[str], IsRefusal],
) -> GatewayInLog | None:
    """The first gateway by which IPv6 clients come, and that the log names; None for none.

    is_about: for a gateway, which lines are about a client with its address.
    """
    for network, gateway in networks_without_ipv6(container, networks):
        lines = refusals.of(container, is_about(gateway))
        if lines:
            return GatewayInLog(network, gateway, lines)
    return None


def is_sender(gateway: str) -> IsRefusal:
    """The predicate whether a line is about a client with the gateway's address."""
    return lambda text: f"[{gateway}]" in text and _SENDER.search(text) is not None
