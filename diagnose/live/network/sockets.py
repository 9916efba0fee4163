"""Sockets that wait for a peer, in the network namespace that this process is in."""

import functools
import itertools
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyroute2.netlink import nlmsg
from pyroute2.netlink.diag import SOCK_DIAG_BY_FAMILY, SS_CLOSE, SS_LISTEN, inet_diag_req

from diagnose.live.kernel.modules import is_loaded
from diagnose.live.kernel.socket_tables import socket_rows
from diagnose.live.network.netlink import Attributes, Row, diag_socket, dump_request
from diagnose.live.network.routing import FAMILIES
from diagnose.model import Json

MAX_LISTENERS = 2_000
"""Sockets of one protocol and family that are listed: more than any namespace that serves people
has."""

_STATES = {"tcp": SS_LISTEN, "udp": SS_CLOSE}
"""The state of a socket that waits for a peer. A UDP socket that is not connected counts as closed.
"""
_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}


def listeners(_args: Json) -> list[Row]:
    """Listening TCP sockets and UDP sockets without a peer.

    Rows of `Socket`, with `family`, `uid` and `inode`; `waiting` and `backlog` of TCP sockets, and
    `v6_only`, by netlink alone.

    The kernel lists them by sock_diag from its table of listeners. `/proc/net/tcp` makes it walk
    the table of all connections too, 2 to 4 ms each time; it serves where the kernel has not loaded
    sock_diag, since asking would load it.
    """
    rows: list[Row] = []
    for protocol in _STATES:
        if is_loaded(f"{protocol}_diag"):
            try:
                rows += by_netlink(protocol)
                continue
            except FileNotFoundError:  # a kernel built without it
                pass
        rows += itertools.chain(from_table(protocol), from_table(f"{protocol}6"))
    return rows


def by_netlink(protocol: str) -> list[Row]:
    """The sockets of one protocol, as `listeners` has them.

    FileNotFoundError where the kernel has no sock_diag for it.
    """
    rows: list[Row] = []

    def shape(message: nlmsg) -> Iterator[Row]:
        yield {
            "protocol": protocol,
            "address": message["idiag_src"],
            "port": message["idiag_sport"],
            "family": FAMILIES[message["idiag_family"]],
            "uid": message["idiag_uid"],
            "inode": message["idiag_inode"],
            **_queue(protocol, message),
            **_only_ipv6(message),
        }

    with diag_socket() as kernel:
        for family in FAMILIES:
            rows += kernel.rows(_request(protocol, family), shape)[:MAX_LISTENERS]
    return rows


def _queue(protocol: str, message: nlmsg) -> Row:
    """The connections that wait at a listening TCP socket, and how many may (tcp_diag.c)."""
    if protocol != "tcp":
        return {}
    return {"waiting": message["idiag_rqueue"], "backlog": message["idiag_wqueue"]}


def _only_ipv6(message: nlmsg) -> Row:
    """Whether a socket of IPv6 takes no IPv4; the kernel says so of those that wait for a peer."""
    if message["idiag_family"] != socket.AF_INET6:
        return {}
    return {"v6_only": bool(Attributes(message)("INET_DIAG_SKV6ONLY"))}


@functools.cache
def _request(protocol: str, family: int) -> bytes:
    fields = {
        "sdiag_family": family,
        "sdiag_protocol": _PROTOCOLS[protocol],
        "idiag_states": 1 << _STATES[protocol],
    }
    return dump_request(SOCK_DIAG_BY_FAMILY, inet_diag_req(), **fields)


def from_table(table: str) -> list[Row]:
    """The sockets of one table that wait for a peer, as `listeners` has them.

    `/proc/thread-self/net/TABLE` (tcp, tcp6, udp, udp6).
    """
    try:
        with Path(f"/proc/thread-self/net/{table}").open(encoding="ascii") as lines:
            return list(itertools.islice(parse_table(lines, table), MAX_LISTENERS))
    except FileNotFoundError:  # a kernel without IPv6
        return []


def parse_table(lines: Iterable[str], table: str) -> Iterator[Row]:
    """The sockets that wait for a peer in the text of such a table.

    The kernel lists listening TCP sockets before connected ones (`tcp_seq_start`), so that a
    hundred thousand connections are not read.
    """
    protocol = table.removesuffix("6")
    waiting = f"{_STATES[protocol]:02X}"
    for row in socket_rows(lines):
        if row.state != waiting:
            if protocol == "tcp":
                return
            continue
        address, port = row.local
        yield {
            "protocol": protocol,
            "address": address,
            "port": port,
            "family": "inet6" if table.endswith("6") else "inet",
            "uid": row.uid,
            "inode": row.inode,
        }
