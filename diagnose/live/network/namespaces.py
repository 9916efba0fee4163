"""A container's network namespace: entered by the thread that asks, looked at by sockets and `/proc/thread-self/net`, and left.

Inside, `/proc/net`, `/sys/class/net` and psutil would show the namespace that the process started in. Nothing
is executed there. No thread is made for a visit: its start and its end cost as much as all that is looked at.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.live import Refused
from diagnose.live.network import netlink

if TYPE_CHECKING:
    from diagnose.live import Live
    from diagnose.recording.questions import Question

CLONE_NEWNET = 0x40000000
PRIVILEGE = "a container's network namespace needs CAP_SYS_ADMIN and CAP_SYS_PTRACE: run as root"

MAX_LISTENERS = 2_000
"""Sockets of one protocol that are listed: more than a namespace that serves anything by hand ever has."""

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG, which the socket module does not name
_NETFILTER, _GETRULE = 12, 10 << 8 | 7  # NETLINK_NETFILTER; NFT_MSG_GETRULE of its subsystem nf_tables
_LISTEN, _UNCONNECTED = "0A", "07"


def visit(_live: Live, question: Question) -> dict[str, Any]:
    """The network namespace of a process: interfaces, addresses, routes, listening sockets, and the embedded
    resolver's rules.

    Arguments: pid; start, the process's start time in clock ticks since boot (field 22 of `/proc/PID/stat`)
    as a guard against a reused pid, or null; nft, whether to look for the embedded resolver's rules too.
    Shape: `{"pid", "inode", "links", "addresses", "routes", "listeners", "embedded"}`, rows as in the `net.*`
    kinds without the local table, a listener is `{"protocol": "tcp"|"udp", "address", "port"}`; embedded is
    null without nft, else `{"rules", "legacy"}`: how many rules each chain of the nftables table `ip nat`
    holds (the engine's are DOCKER_OUTPUT and DOCKER_POSTROUTING), and the names of the legacy tables, null
    where not readable. Errors: Refused("forbidden"), Refused("gone").
    """
    args = question.args
    pid, start = args["pid"], args.get("start")
    with inside(pid, start):
        return {"pid": pid, **_look(bool(args.get("nft")))}


@contextmanager
def inside(pid: int, start: int | None) -> Iterator[None]:
    """While it lasts, the calling thread is in this process's network namespace.

    Errors: Refused("gone") when the process has ended or its start time is not `start`, Refused("forbidden") without the privilege.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(pid, start)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def start_time(pid: int) -> int:
    """When this process started, in clock ticks since boot. Errors: OSError when there is none."""
    stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    return int(stat[stat.rindex(")") + 2 :].split()[19])


def _enter(pid: int, start: int | None) -> None:
    """Move the calling thread into the network namespace of this process."""
    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(pid, error) from error
    try:
        # After the namespace is open: from here on it is held, whatever becomes of the pid.
        if start is not None and start_time(pid) != start:
            raise Refused("gone", f"process {pid} is another one now")
        _setns(namespace)
    except OSError as error:
        raise _refusal(pid, error) from error
    finally:
        os.close(namespace)


def _refusal(pid: int, error: OSError) -> Refused:
    if error.errno in (errno.ENOENT, errno.ESRCH):
        return Refused("gone", f"process {pid} has ended")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refused("forbidden", PRIVILEGE)
    return Refused("refused", f"network namespace of process {pid}: {error.strerror}")


if sys.version_info >= (3, 12):

    def _setns(namespace: int) -> None:
        os.setns(namespace, CLONE_NEWNET)

else:

    @functools.cache
    def _libc() -> Any:
        import ctypes

        return ctypes.CDLL(None, use_errno=True)

    def _setns(namespace: int) -> None:
        import ctypes

        if _libc().setns(namespace, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def _look(nft: bool) -> dict[str, Any]:
    with netlink.connect() as kernel:
        links = netlink.dump_links(kernel)
        addresses = netlink.dump_addresses(kernel)
        routes = netlink.dump_routes(kernel, own=False)
    return {
        "inode": Path("/proc/thread-self/ns/net").stat().st_ino,
        "links": links,
        "addresses": addresses,
        "routes": routes,
        "listeners": _listeners(),
        "embedded": _embedded() if nft else None,
    }


_TABLES = {"tcp": _LISTEN, "tcp6": _LISTEN, "udp": _UNCONNECTED, "udp6": _UNCONNECTED}


def _listeners() -> list[dict[str, Any]]:
    udp = [*listeners("udp"), *listeners("udp6")]
    if netlink.in_kernel("tcp_diag"):
        try:
            with netlink.connect(_SOCK_DIAG) as kernel:
                return netlink.dump_listening_tcp(kernel) + udp
        except FileNotFoundError:  # a kernel built without it
            pass
    return [*listeners("tcp"), *listeners("tcp6"), *udp]


def listeners(table: str) -> Iterator[dict[str, Any]]:
    """The sockets of `/proc/thread-self/net/TABLE` that wait for a peer: all the calling thread's namespace
    has, up to MAX_LISTENERS.

    The kernel lists listening TCP sockets before connected ones (`tcp_seq_start`), so that a hundred thousand
    connections are not read.
    """
    wanted = _TABLES[table]
    protocol = table.removesuffix("6")
    count = 0
    try:
        with Path(f"/proc/thread-self/net/{table}").open(encoding="ascii") as rows:
            next(rows, None)
            for row in rows:
                fields = row.split(maxsplit=4)
                if fields[3] == wanted:
                    address, _, port = fields[1].partition(":")
                    yield {"protocol": protocol, "address": _address(address), "port": int(port, 16)}
                    count += 1
                elif protocol == "tcp":
                    return
                if count >= MAX_LISTENERS:
                    return
    except FileNotFoundError:  # a kernel without IPv6
        return


def _address(text: str) -> str:
    """The address of `/proc/net/tcp`: 32-bit words in the machine's byte order."""
    words = struct.pack(f"={len(text) // 8}I", *(int(text[at : at + 8], 16) for at in range(0, len(text), 8)))
    return socket.inet_ntop(socket.AF_INET if len(words) == 4 else socket.AF_INET6, words)


def _embedded() -> dict[str, Any]:
    try:
        legacy: list[str] | None = Path("/proc/thread-self/net/ip_tables_names").read_text().split()
    except FileNotFoundError:
        legacy = []
    except PermissionError:
        legacy = None
    rules: dict[str, int] = {}
    if netlink.in_kernel("nf_tables"):
        with netlink.connect(_NETFILTER) as kernel:
            for row in netlink.dump(kernel, _GETRULE, struct.pack(">BBH", socket.AF_INET, 0, 0), _rule):
                rules[row["chain"]] = rules.get(row["chain"], 0) + 1
    return {"rules": rules, "legacy": legacy}


def _rule(data: bytes) -> Iterator[dict[str, Any]]:
    found = netlink.attributes(data, 4)
    if found.get(1, b"").rstrip(b"\0") == b"nat":
        yield {"chain": found.get(2, b"").rstrip(b"\0").decode("utf-8", "backslashreplace")}
