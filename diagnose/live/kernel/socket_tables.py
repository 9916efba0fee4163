"""The kernel's tables of sockets: `/proc/PID/net/tcp`, `tcp6`, `udp` and `udp6`.

Source: `get_tcp4_sock` of net/ipv4/tcp_ipv4.c and `udp4_format_sock` of net/ipv4/udp.c in the
kernel.
"""

import socket
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

ESTABLISHED = "01"
SYN_SENT = "02"
CLOSE_WAIT = "08"
LISTEN = "0A"
"""States of TCP sockets."""
_COLUMNS = 10


class SocketPlace(NamedTuple):
    """An address and a port."""

    address: str
    port: int


class SocketRow:
    """One socket. A column is read when it is asked for: most rows are passed over."""

    __slots__ = ("_columns",)

    def __init__(self, columns: list[str]) -> None:
        self._columns = columns

    @property
    def state(self) -> str:
        """Two hexadecimal digits, as the kernel numbers the states."""
        return self._columns[3]

    @property
    def port(self) -> int:
        return int(self._columns[1].rpartition(":")[2], 16)

    @property
    def local(self) -> SocketPlace:
        return place(self._columns[1])

    @property
    def peer(self) -> SocketPlace:
        return place(self._columns[2])

    @property
    def unacknowledged(self) -> int:
        """Bytes that were sent and not acknowledged."""
        return int(self._columns[4].partition(":")[0], 16)

    @property
    def timer(self) -> str:
        """The kind of the timer that runs: 01 is that of retransmissions."""
        return self._columns[5].partition(":")[0]

    @property
    def retransmissions(self) -> int:
        """How often in a row the timer of retransmissions fired."""
        return int(self._columns[6], 16)

    @property
    def uid(self) -> int:
        return int(self._columns[7])

    @property
    def inode(self) -> int:
        return int(self._columns[9])

    @property
    def drops(self) -> int | None:
        """The datagrams that a UDP socket has lost, in its last column."""
        last = self._columns[-1]
        return int(last) if last.isdigit() else None


def socket_rows(lines: Iterable[str]) -> Iterator[SocketRow]:
    """The rows of a table behind its heading; a last line that is cut is left out."""
    for line in islice(lines, 1, None):
        columns = line.split()
        if len(columns) >= _COLUMNS:
            yield SocketRow(columns)


def place(text: str) -> SocketPlace:
    """ADDRESS:PORT of a table; the address is of 32-bit words in the machine's byte order."""
    address, _, port = text.partition(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return SocketPlace(socket.inet_ntop(family, packed), int(port, 16))


def without_mapping(place: SocketPlace) -> SocketPlace:
    """The place with an IPv4 address as such: a socket of IPv6 has it as ::ffff:192.0.2.7."""
    address = place.address.removeprefix("::ffff:")
    return SocketPlace(address, place.port) if "." in address else place
