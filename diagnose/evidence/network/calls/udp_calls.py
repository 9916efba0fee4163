"""Calls over UDP without an answer: a log reports it, and the kernel has seen none either."""

import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.losses import NamespaceLoss
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.questions.sockets import WaitingCall
from diagnose.registry import evidence

MOST = 3
"""Addresses of one container that are looked for: each is a walk over the kernel's table."""
_UDP = LazyPattern(r"\bquic\b|\budp\b|wireguard|handshake did not complete", re.IGNORECASE)
_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")


class UdpCalls(Items[NamespaceLoss], frozen=True):
    """The places that do not answer a container over UDP, by container."""


@evidence
def udp_calls(
    host: Host, containers: Containers, recent_logs: RecentLogs, clock: Clock
) -> UdpCalls:
    """The log names the address; the port is that of the tracked packets.

    Many programs send over UDP and expect no answer: only one that complains is looked at.
    """
    losses = []
    for container in containers.running:
        lines = recent_logs.repeated(container, _tells_of_udp, clock)
        addresses = dict.fromkeys(
            match[0] for line in lines for match in _ADDRESS.finditer(line.text)
        )
        for address in list(addresses)[:MOST]:
            port = _unanswered_port(host, container, address)
            if port:
                call = WaitingCall(address, port, len(lines) - 1)
                losses.append(NamespaceLoss(container, (call,)))
                break
    return UdpCalls(tuple(losses))


def _tells_of_udp(text: str) -> bool:
    return _UDP.search(text) is not None and bool(signs(text) & {"timeout", "unreachable"})


def _unanswered_port(host: Host, container: Container, address: str) -> int:
    """The port to which it sends packets without an answer; 0 for none."""
    table = host.ask(ListConnections(protocol="udp", dst=address))
    flows = [] if isinstance(table, Failed) else table.entries
    own_addresses = container.ipv4_addresses
    sent = [flow for flow in flows if flow.src in own_addresses or container.shares_host_network]
    if any("seen_reply" in flow.status for flow in sent):
        return 0
    return sent[0].dport if sent else 0
