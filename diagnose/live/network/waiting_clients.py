"""Connections of a network namespace whose clients wait for the program that serves them."""

import functools
import socket
from collections.abc import Iterator

from pyroute2.netlink import nlmsg
from pyroute2.netlink.diag import (
    SOCK_DIAG_BY_FAMILY,
    SS_CLOSE_WAIT,
    SS_ESTABLISHED,
    SS_LISTEN,
    inet_diag_req,
)

from diagnose.live.network.namespaces import inside
from diagnose.live.network.netlink import Attributes, Row, diag_socket, dump_request
from diagnose.live.network.routing import FAMILIES
from diagnose.model import Json

MAX_ROWS = 200
_PATIENCE_MS = 1000
"""A client that has waited for less is left out: most answers are on their way."""
_TIMES_AND_COUNTERS = 1 << 1
"""The bit of INET_DIAG_INFO in `idiag_ext`: `1 << (INET_DIAG_INFO - 1)` of linux/inet_diag.h."""


def waiting_clients(args: Json) -> list[Row]:
    """The connections to listening ports whose client has sent something and got no answer to it.

    args: pid, a process of the namespace. Shape: rows of `WaitingClient`. Times are those of
    `tcp_get_info` in the kernel's net/ipv4/tcp.c; a connection that no program has accepted yet has
    no inode. Raises Refused as `namespaces.visit` does.
    """
    connected = 1 << SS_ESTABLISHED | 1 << SS_CLOSE_WAIT
    with inside(args["pid"], None), diag_socket() as kernel:
        listening = {
            row["port"]
            for family in FAMILIES
            for row in kernel.rows(_request(family, 1 << SS_LISTEN), _port)
        }
        connections = [
            row
            for family in FAMILIES
            for row in kernel.rows(_request(family, connected), _connection)
            if row["port"] in listening
        ]
    sent: dict[int, float] = {}
    for row in connections:
        seconds = row.pop("sent")
        if seconds is not None:
            sent[row["port"]] = min(seconds, sent.get(row["port"], seconds))
    waiting = [row for row in connections if row.pop("waits")]
    waiting.sort(key=lambda row: -row["seconds"])
    return [{**row, "port_sent": sent.get(row["port"])} for row in waiting[:MAX_ROWS]]


@functools.cache
def _request(family: int, states: int) -> bytes:
    return dump_request(
        SOCK_DIAG_BY_FAMILY,
        inet_diag_req(),
        sdiag_family=family,
        sdiag_protocol=socket.IPPROTO_TCP,
        idiag_ext=_TIMES_AND_COUNTERS,
        idiag_states=states,
    )


def _port(message: nlmsg) -> Iterator[Row]:
    yield {"port": message["idiag_sport"]}


def _connection(message: nlmsg) -> Iterator[Row]:
    """One connection.

    sent: seconds since the program sent something, None where it never did. waits: whether the last
    data came from the client, some time ago, and is not answered.
    """
    info = Attributes(message)("INET_DIAG_INFO")
    if not info or not info["tcpi_data_segs_in"]:  # the end of a stream is a byte, and no data
        return
    received = info["tcpi_last_data_recv"]
    sent = info["tcpi_last_data_sent"]
    # A client that connects and sends at once does both within one tick of the kernel's clock.
    is_answered = info["tcpi_data_segs_out"] and sent <= received
    has_left = message["idiag_state"] == SS_CLOSE_WAIT
    yield {
        "port": message["idiag_sport"],
        "peer": message["idiag_dst"],
        # The end of the client's stream counts as one unread byte.
        "unread": max(0, message["idiag_rqueue"] - has_left),
        "accepted": bool(message["idiag_inode"]),
        "left": has_left,
        "seconds": round(received / 1000, 1),
        "sent": round(sent / 1000, 1) if info["tcpi_data_segs_out"] else None,
        "waits": received >= _PATIENCE_MS and not is_answered,
    }
