"""Ports of programs on the host's own network that its input rules close to others.

A published port passes by the input rules; a program of a container with `network_mode: host` meets
them like any other program of the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.listeners import Listener, Listeners
from diagnose.evidence.network.packet_paths import refused_by_host
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.verdict import Step
from diagnose.registry import evidence

_BLOCKED = re.compile(
    r"\bIN=(?P<device>\S+) OUT= .*?\bSRC=(?P<client>\S+) .*?\bDPT=(?P<port>\d+)\b"
)
"""What a LOG rule writes of a packet on the input hook: ufw's `[UFW BLOCK] IN=eth0 OUT= ...`."""


class ClosedHostPort(msgspec.Struct, frozen=True):
    """A port on which a container listens in the host's network, and the rule that closes it.

    by: for every source. clients: whose packets to it the kernel's log says were blocked.
    """

    container: Container
    listener: Listener
    protocol: str
    uplink: str
    by: Step
    clients: tuple[str, ...]


class ClosedHostPorts(msgspec.Struct, frozen=True):
    """walked: how many ports were judged, open ones too."""

    items: tuple[ClosedHostPort, ...] = ()
    walked: int = 0

    def __iter__(self) -> Iterator[ClosedHostPort]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def closed_host_ports(
    host_stack: HostStack,
    containers: Containers,
    listeners: Listeners,
    uplinks: Uplinks,
    kernel_log: KernelLog | None,
) -> ClosedHostPorts:
    """One packet for each port that the image declares, or whose clients a log names."""
    sharing = {
        container.id: container for container in containers.running if container.shares_host_network
    }
    uplink = next(iter(uplinks), None)
    if not sharing or uplink is None or uplink.address is None:
        return ClosedHostPorts()
    blocked = _blocked(kernel_log)
    found: dict[tuple[str, int], ClosedHostPort] = {}
    walked = 0
    for listener in listeners:
        container = sharing.get(listener.container or "")
        protocol = listener.proto[:3]
        if container is None or listener.address.startswith("127.") or listener.address == "::1":
            continue
        clients = blocked.get(listener.port, ())
        declared = f"{listener.port}/{protocol}" in (container.config.exposed_ports or {})
        if protocol not in ("tcp", "udp") or not (declared or clients):
            continue
        walked += 1
        verdict = refused_by_host(
            host_stack.stack, uplink.name, uplink.address, listener.port, protocol, "ip"
        )
        if verdict.is_blocked and verdict.by is not None:
            port = ClosedHostPort(container, listener, protocol, uplink.name, verdict.by, clients)
            found.setdefault((container.id, listener.port), port)
    return ClosedHostPorts(tuple(found.values()), walked)


def _blocked(kernel_log: KernelLog | None) -> Mapping[int, tuple[str, ...]]:
    """The clients whose packets were logged as they were dropped, by the port that they called."""
    found: dict[int, dict[str, None]] = {}
    for _, match in kernel_log.matching(_BLOCKED, ["DPT="]) if kernel_log is not None else ():
        found.setdefault(int(match["port"]), {})[match["client"]] = None
    return {port: tuple(clients)[:5] for port, clients in found.items()}
