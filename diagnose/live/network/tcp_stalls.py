"""Connections of a network namespace that repeat what they sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.live.kernel.socket_tables import ESTABLISHED, SocketRow, socket_rows

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.sockets import ListTcpStalls

MAX_BYTES = 4 << 20
"""As much of the kernel's table is read: some 25,000 connections."""
_RETRANSMIT_TIMER = "01"


def stalls(_live: Live, question: ListTcpStalls) -> list[dict[str, Any]]:
    """The TCP connections whose last packet was sent more than once and is not acknowledged yet.

    Arguments: pid, a process of the namespace. Shape: rows of `TcpStall`. Source: `get_tcp4_sock`
    in the kernel's net/ipv4/tcp_ipv4.c. Errors: Refused("gone"), Refused("forbidden").
    """
    pid = question.pid
    try:
        with Path(f"/proc/{pid}/net/tcp").open(encoding="ascii") as table:
            lines = table.read(MAX_BYTES).splitlines()
    except FileNotFoundError as error:
        raise Refused("gone", f"there is no process {pid}") from error
    return [_stall(row) for row in socket_rows(lines) if _is_stalled(row)]


def _is_stalled(row: SocketRow) -> bool:
    """Whether a connection's timer of retransmissions runs, and has fired."""
    if row.state != ESTABLISHED or row.timer != _RETRANSMIT_TIMER:
        return False
    return row.retransmissions > 0


def _stall(row: SocketRow) -> dict[str, Any]:
    address, port = row.peer
    return {
        "peer": f"{address}:{port}",
        "unacknowledged": row.unacknowledged,
        "retransmissions": row.retransmissions,
    }
