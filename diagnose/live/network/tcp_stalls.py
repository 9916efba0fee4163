"""Connections of a network namespace that repeat what they sent."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.questions.sockets import ListTcpStalls

MAX_BYTES = 4 << 20
"""As much of the kernel's table is read: some 25,000 connections."""
_ESTABLISHED, _RETRANSMIT_TIMER = "01", "01"


def stalls(_live: Live, question: ListTcpStalls) -> list[dict[str, Any]]:
    """The TCP connections whose last packet was sent more than once and is not acknowledged yet.

    Arguments: pid, a process of the namespace. Shape: rows of `TcpStall`. Source: `get_tcp4_sock`
    in the kernel's net/ipv4/tcp_ipv4.c. Errors: Refused("gone"), Refused("forbidden").
    """
    pid = question.pid
    try:
        with Path(f"/proc/{pid}/net/tcp").open(encoding="ascii") as table:
            rows = table.read(MAX_BYTES).splitlines()[1:]
    except FileNotFoundError as error:
        raise Refused("gone", f"there is no process {pid}") from error
    return [row for row in map(_row, rows) if row is not None]


def _row(line: str) -> dict[str, Any] | None:
    """The connection of a line of /proc/net/tcp, if its retransmission timer runs."""
    fields = line.split()
    if len(fields) < 7 or fields[3] != _ESTABLISHED:
        return None
    timer = fields[5].partition(":")[0]
    retransmissions = int(fields[6], 16)
    if timer != _RETRANSMIT_TIMER or not retransmissions:
        return None
    address, _, port = fields[2].partition(":")
    host = socket.inet_ntoa(struct.pack("=I", int(address, 16)))
    unacknowledged = int(fields[4].partition(":")[0], 16)
    return {
        "peer": f"{host}:{int(port, 16)}",
        "unacknowledged": unacknowledged,
        "retransmissions": retransmissions,
    }
