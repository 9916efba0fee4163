"""A container's network namespace: entered by a worker of the network process, looked at, and left.

Inside, `/proc/net`, `/sys/class/net` and psutil would show the namespace that the process started
in. Nothing is executed there.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from diagnose.live import Refused
from diagnose.live.helper import AnswerWithSocket
from diagnose.live.kernel.modules import is_loaded
from diagnose.live.kernel.proc_files import start_time
from diagnose.live.network import nftables, server_socket, sockets
from diagnose.live.network.netlink import Row, route_socket
from diagnose.live.network.routing import dump_addresses, dump_links, dump_routes, dump_rules
from diagnose.model import Json

CLONE_NEWNET = 0x40000000
PRIVILEGE = "a container's network namespace needs CAP_SYS_ADMIN and CAP_SYS_PTRACE: run as root"


def visit(args: Json) -> Row:
    """The network namespace of a process.

    Interfaces, addresses, routes, listening sockets, and the embedded resolver's rules.

    args: pid; start, the process's start time in clock ticks since boot (field 22 of
    `/proc/PID/stat`) as a guard against a reused pid, or null; nft, whether to look for the
    embedded resolver's rules too. Shape: `NetnsView`, without the local table of routes. embedded
    is null without nft, else `{"rules", "legacy"}`: how many rules each chain of the nftables table
    `ip nat` holds (the engine's are DOCKER_OUTPUT and DOCKER_POSTROUTING), and the names of the
    legacy tables, null where not readable. Raises Refused("forbidden"), Refused("gone").
    """
    with inside(args["pid"], args.get("start")):
        return {"pid": args["pid"], **look(nft=bool(args.get("nft")))}


def packet_filter(args: Json) -> Row:
    """The rules, routes and settings that decide about packets in the network namespace of a
    process.

    args: pid. Shape: `NetnsFilter`. `/proc/sys/net` shows the namespace of the process that reads
    it. Raises Refused as `visit` does.
    """
    with inside(args["pid"], None):
        with route_socket() as kernel:
            routes = dump_routes(kernel)
            rules = dump_rules(kernel)
        return {
            "nftables": nftables.rule_set(None),
            "routes": routes,
            "rules": rules,
            "reverse_path": dict(_reverse_path()),
            "legacy": _legacy_tables() or [],
        }


def named(args: Json) -> Row:
    """A network namespace that has no process of its own, and that a file names.

    args: path, of the file on which the namespace is mounted. Shape: `NamedNetns`. Raises
    Refused("missing") where none is mounted there, and Refused("forbidden") as `visit` does.
    """
    with _visiting(lambda: _enter_mounted(args["path"])):
        forwards = Path("/proc/sys/net/ipv4/ip_forward").read_text()
        return {"forwards": forwards.strip() == "1"}


def _reverse_path() -> Iterator[tuple[str, int]]:
    for setting in Path("/proc/sys/net/ipv4/conf").glob("*/rp_filter"):
        yield setting.parent.name, int(setting.read_text())


def make_socket(args: Json) -> AnswerWithSocket:
    """A socket in the network namespace of a process, not yet connected, for one server.

    args: pid, start as for `visit`; server, an IP address; port; transport, tcp or udp. Shape: the
    address to connect to, a list as `socket.connect` takes it. Raises Refused as `visit` does, and
    Refused("malformed") for no address.
    """
    with inside(args["pid"], args.get("start")):
        return AnswerWithSocket(*server_socket.make_socket(args))


@contextmanager
def inside(pid: int, start: int | None) -> Iterator[None]:
    """While it lasts, this process is in the network namespace of another one.

    Raises Refused("gone") when the other process has ended or its start time is not `start`,
    Refused("forbidden") without the privilege.
    """
    with _visiting(lambda: _enter(pid, start)):
        yield


@contextmanager
def _visiting(enter: Callable[[], None]) -> Iterator[None]:
    """While it lasts, this process is where `enter` brought it."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter()
        try:
            yield
        finally:
            _return_home(home)
    finally:
        os.close(home)


def _return_home(home: int) -> None:
    """Go home. A worker that cannot must not answer another question."""
    try:
        _setns(home)
    except OSError:
        os._exit(1)


def _enter(pid: int, start: int | None) -> None:
    """Move this process into the network namespace of another one."""
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


def _enter_mounted(path: str) -> None:
    """Move this process into the network namespace that is mounted on a file."""
    try:
        namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(namespace)
        finally:
            os.close(namespace)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Refused("forbidden", PRIVILEGE) from error
        raise Refused("missing", f"no network namespace is mounted on {path}") from error


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
    import ctypes

    _LIBC = ctypes.CDLL(None, use_errno=True)

    def _setns(namespace: int) -> None:
        if _LIBC.setns(namespace, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def look(*, nft: bool) -> Row:
    """The answer of `visit` for the namespace that this process is in."""
    with route_socket(own_routes=False) as kernel:
        links = dump_links(kernel)
        addresses = dump_addresses(kernel)
        routes = dump_routes(kernel)
    return {
        "inode": Path("/proc/thread-self/ns/net").stat().st_ino,
        "links": links,
        "addresses": addresses,
        "routes": routes,
        "listeners": [_brief(socket) for socket in sockets.listeners({})],
        "embedded": _embedded_resolver() if nft else None,
    }


_SHOWN = ("protocol", "address", "port", "waiting", "backlog", "v6_only")


def _brief(listener: Row) -> Row:
    return {name: listener[name] for name in _SHOWN if name in listener}


def _embedded_resolver() -> Row:
    rules = nftables.rules_by_chain("ip", "nat") if is_loaded("nf_tables") else {}
    return {"rules": rules, "legacy": _legacy_tables()}


def _legacy_tables() -> list[str] | None:
    """The names of the tables of iptables-legacy; None where they may not be read."""
    try:
        return Path("/proc/thread-self/net/ip_tables_names").read_text().split()
    except FileNotFoundError:
        return []
    except PermissionError:
        return None
