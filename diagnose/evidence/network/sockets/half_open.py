"""Connections to published ports whose clients got no answer, in the kernel's table."""

import msgspec

from diagnose.evidence.network.paths.published.return_paths import ReturnPaths
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

_MOST_PORTS = 20
"""Ports that are asked about: each is a walk over the kernel's table."""
UNCONFIRMED = frozenset({"syn_sent", "syn_recv"})
"""The states of a connection which was not answered, or whose answer was not confirmed."""
_UNCONFIRMED = "syn_recv"
"""The state of a connection whose first answer the client has not confirmed."""


class HalfOpen(msgspec.Struct, frozen=True):
    """The clients that wait for an answer, by the host's port."""

    clients: dict[int, tuple[str, ...]]

    def __len__(self) -> int:
        return sum(map(len, self.clients.values()))


@evidence
def half_open(host: Host, return_paths: ReturnPaths) -> HalfOpen | Unavailable:
    """The half-open connections to published ports.

    The collector asks only about ports whose answers leave through another interface than the
    client's.
    """
    ports = sorted(
        {path.host_port for path in return_paths if path.is_lost and path.port.endswith("/tcp")}
    )
    by_port: dict[int, tuple[str, ...]] = {}
    for port, table in host.ask_in_order(
        host.first(ports, _MOST_PORTS, "ports whose answers leave another way"),
        lambda port: ListConnections(protocol="tcp", dport=port),
    ):
        if isinstance(table, Failed):
            return Unavailable.of(table)
        if not table.loaded:
            return Unavailable("missing", "the kernel module nf_conntrack_netlink is not loaded")
        by_port[port] = tuple(
            sorted({flow.src for flow in table.entries if flow.state == _UNCONFIRMED})
        )
    return HalfOpen(by_port)
