"""Connections to addresses of Docker's networks that fail now, by logs of running containers."""

from __future__ import annotations

import re
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import BYTES, LINES
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network, Networks
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.containers import ReadLogs
from diagnose.registry import evidence

MOST = 40
"""Logs that are read: first those of containers that publish ports, which call others."""
RECENT_S = 300.0
"""A line that is older says nothing about now: the program may have recovered."""
_FAILED = frozenset({"refused", "timeout", "unreachable"})
_EPHEMERAL = 32_768
"""The port of a client begins here; a line may name who called, too."""
_PLACE = re.compile(r"(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})[:,]\s?(?P<port>\d{2,5})(?!\d)")


class FailingCall(msgspec.Struct, frozen=True):
    """Calls of one container to one address that failed.

    network: whose subnet holds the address. times: how many of the last lines say so. at: Unix
    time of the last one. refused: whether somebody answered that nobody listens there.
    """

    container: Container
    network: Network
    address: str
    port: int
    line: str
    at: float
    times: int
    refused: bool


class FailingCalls(msgspec.Struct, frozen=True):
    """The calls that failed within the last minutes, by container, address and port."""

    items: tuple[FailingCall, ...] = ()

    def __len__(self) -> int:
        return len(self.items)


@evidence
def failing_calls(
    host: Host, containers: Containers, networks: Networks, clock: Clock
) -> FailingCalls:
    """A program whose calls fail runs on, and its container looks healthy: its log is read too."""
    running = sorted(
        (container for container in containers.running if not container.shares_host_network),
        key=lambda container: (not container.published_ports, container.name),
    )
    found: dict[tuple[str, str, int], FailingCall] = {}
    for container, answer in host.ask_about(
        running[:MOST], lambda container: ReadLogs(container.id, LINES, BYTES)
    ):
        if isinstance(answer, Failed):
            continue
        for row in answer.text.split("\n"):
            stamp, _, line = row.partition(" ")
            at = unix(stamp)
            if at is None or clock.wall - at > RECENT_S or not signs(line) & _FAILED:
                continue
            for call in _calls(container, networks, line, at):
                key = (container.id, call.address, call.port)
                before = found[key].times if key in found else 0
                found[key] = msgspec.structs.replace(call, times=before + 1)
    return FailingCalls(tuple(found.values()))


def _calls(container: Container, networks: Networks, line: str, at: float) -> list[FailingCall]:
    calls = []
    for match in _PLACE.finditer(line):
        port = int(match["port"])
        network = _network_of(match["address"], networks)
        if network is None or port >= _EPHEMERAL:
            continue
        refused = "refused" in signs(line)
        calls.append(
            FailingCall(
                container, network, match["address"], port, line.strip()[:300], at, 1, refused
            )
        )
    return calls


def _network_of(text: str, networks: Networks) -> Network | None:
    """The bridge network whose subnet holds an address, unless it is a gateway."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    for network in networks.bridges:
        if text in network.gateways:
            return None
        if any(address in subnet for subnet in network.subnets):
            return network
    return None
