"""Is the engine's host this machine, and does the tool see that host as the engine does?

What is read on the host counts only where the engine's process is found here. The process is named
by the socket's peer credentials (whoever called listen), by the pid file, or by the process list;
what the engine says of itself (/info) must agree, unless it shares our namespaces: then nothing is
left to prove.
"""

import os
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from diagnose.live import Live, Refused
from diagnose.live.engine import endpoint as places
from diagnose.live.engine.daemon_process import (
    DAEMON_NAMES,
    DEFAULT_SOCKET,
    comm,
    daemon_pids,
    default_socket,
    owns_socket,
    pid_file,
    serves,
)
from diagnose.live.engine.endpoint import EngineEndpoint
from diagnose.live.kernel.proc_files import cmdline
from diagnose.live.kernel.socket_tables import LISTEN, socket_rows
from diagnose.live.tool import in_container
from diagnose.model import Json
from diagnose.questions.endpoint import FindLocality
from diagnose.questions.engine import ReadInfo

INFO_SECONDS = 0.5
"""How long /info may take to have a say: it takes 12 ms, and hangs with containerd."""

CONNECT_SECONDS = 1.0

ACTIVATORS = frozenset({"systemd", "init"})


class Found(msgspec.Struct, frozen=True):
    """The result of the search for the engine's process."""

    pid: int | None
    """None when none is alive here."""
    how: str
    """How it was looked for."""
    elsewhere: str = ""
    """Why not here."""


def locality(live: Live, question: FindLocality) -> Json:  # noqa: ARG001 - the signature of every collector
    """Whether the engine runs on this machine, and as which process.

    Shape: `Locality`. To compare namespaces needs CAP_SYS_PTRACE.
    """
    try:
        endpoint = places.may_connect(live)
        listener = _find(endpoint)
    except Refused as refusal:
        if refusal.failed.reason != "not allowed":
            raise
        listener = Found(None, "systemd's listening socket")
    if listener.elsewhere:
        return _answer(listener, listener.elsewhere, is_here=False)
    if listener.pid is None:
        if in_container():
            return _answer(
                listener,
                "this tool runs in a container, and no engine's process is visible from it",
                is_here=False,
            )
        return _answer(
            listener,
            "the endpoint is a socket of this machine, and no engine is seen alive here",
            is_here=True,
        )
    spaces = {name: same_namespace(listener.pid, name) for name in ("net", "mnt", "pid")}
    why_not = _why_elsewhere(live, spaces)
    if why_not:
        return _answer(listener, why_not, is_here=False, spaces=spaces)
    return _answer(
        listener,
        f"the engine is process {listener.pid} ({comm(listener.pid)}) here, by its {listener.how}",
        is_here=True,
        spaces=spaces,
    )


def _why_elsewhere(live: Live, spaces: Mapping[str, bool | None]) -> str:
    """Why this tool does not see what the engine sees; "" where it does.

    spaces: by kind of namespace, whether both are in the same one.
    """
    if spaces["mnt"] is False and same_namespace(1, "mnt") is False:
        return (
            "this tool runs in a container, "
            "or in a service with file systems of its own (PrivateTmp=): run it on the host itself"
        )
    if spaces["mnt"] is None and in_container():
        return "this tool runs in a container, and may not see whether the engine shares it"
    return "" if all(spaces.values()) else _disagreement(live)


def _answer(
    listener: Found, why: str, *, is_here: bool, spaces: dict[str, bool | None] | None = None
) -> Json:
    """The answer about the engine's process: whether it is of this machine, and of these
    namespaces."""
    spaces = spaces or {}
    return {
        "same_host": is_here,
        "why": why,
        "engine_pid": listener.pid,
        "how": listener.how,
        "same_netns": spaces.get("net"),
        "same_mntns": spaces.get("mnt"),
        "same_pidns": spaces.get("pid"),
    }


def same_namespace(pid: int, kind: str) -> bool | None:
    """Whether that process has our namespace of this kind (net, mnt, pid).

    None when it may not be read.
    """
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}") == os.readlink(f"/proc/self/ns/{kind}")  # noqa: PTH115
    except OSError:
        return None


def _find(endpoint: EngineEndpoint) -> Found:
    """The engine's process on this machine, by who serves its socket; or why there is none."""
    if endpoint.scheme == "ssh":
        return Found(
            None, "the endpoint", f"the engine is reached through ssh on {endpoint.address}"
        )
    if endpoint.scheme == "tcp":
        return _find_tcp(endpoint)
    if any(part in endpoint.address for part in places.VM_FOLDERS):
        return Found(
            None, "the endpoint", f"the engine behind {endpoint.address} runs in a virtual machine"
        )
    try:
        pid = _peer(endpoint.address)
    except OSError:
        return _engine_of_process(endpoint.address)
    if pid == 0:
        return Found(
            None, "peer credentials", "the engine's process is not in this process's PID namespace"
        )
    name = comm(pid)
    if name in DAEMON_NAMES or name == "podman":
        return Found(pid, "peer credentials")
    if pid == 1 or name in ACTIVATORS:
        return _engine_of_process(endpoint.address)
    return Found(
        None,
        "peer credentials",
        f"{endpoint.address} is served by {name or 'a process'} (pid {pid}), which is not an engine: a tunnel",
    )


def _peer(path: str) -> int:
    """The process that called listen on this socket (SO_PEERCRED).

    0 if our PID namespace lacks it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(CONNECT_SECONDS)
        stream.connect(path)
        pid: int = struct.unpack(
            "3i", stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        )[0]
        return pid


def _engine_of_process(path: str) -> Found:
    """The engine that should serve this socket: by the pid file beside it or its command line.

    A user writes the pid file of a rootless engine: it cannot name the system's, nor the system's
    file a user's.
    """
    default = os.path.realpath(path) == os.path.realpath(DEFAULT_SOCKET)
    pid_in_file = pid_file() if default else pid_file(f"{os.path.dirname(path)}/docker.pid")  # noqa: PTH120
    if pid_in_file and default == (default_socket(pid_in_file) == DEFAULT_SOCKET):
        return Found(pid_in_file, "pid file")
    if "podman" in path:
        services = [pid for pid in daemon_pids(frozenset({"podman"})) if "service" in cmdline(pid)]
        return Found(services[0] if len(services) == 1 else None, "process list")
    serving = [pid for pid in daemon_pids() if serves(pid, path)]
    if serving:
        return Found(serving[0], "process list")
    return Found(None, "process list")


def _find_tcp(endpoint: EngineEndpoint) -> Found:
    """The engine's process behind a TCP endpoint, where it listens on this machine."""
    if not _is_loopback(endpoint.address):
        return Found(None, "the endpoint", f"the engine is reached over TCP at {endpoint.address}")
    inodes = _tcp_listeners(endpoint.port or 0)
    for pid in daemon_pids():
        owned = [owns_socket(pid, inode) for inode in inodes]
        if True in owned or (None in owned and _is_told_to_listen(pid, endpoint.port)):
            return Found(pid, "listening socket")
    return Found(
        None,
        "listening socket",
        f"no engine of this machine listens on port {endpoint.port}: a tunnel, or a remote one",
    )


def _is_loopback(name: str) -> bool:
    """Whether a name or an address means this machine alone, whatever it resolves to."""
    try:
        infos = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return False
    addresses = {str(info[4][0]) for info in infos}
    return bool(addresses) and all(
        address.startswith("127.") or address == "::1" for address in addresses
    )


def _is_told_to_listen(pid: int, port: int | None) -> bool:
    """Whether an engine's command line names this TCP port."""
    return any(word.startswith("tcp://") and word.endswith(f":{port}") for word in cmdline(pid))


def _tcp_listeners(port: int) -> list[int]:
    """The inodes of sockets that listen on this port, in our network namespace."""
    inodes: list[int] = []
    for name in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        rows = (row for row in socket_rows(lines) if row.state == LISTEN)
        inodes += [row.inode for row in rows if row.port == port]
    return inodes


def _disagreement(live: Live) -> str:
    """Why /info is about another machine, or nothing: it agrees, or has no answer in time."""
    from diagnose.live.engine import api

    answers: list[Json] = []

    def ask() -> None:
        try:
            answers.append(api.get(live, ReadInfo()))
        except Exception:  # noqa: BLE001 - no answer is not a disagreement
            return

    thread = threading.Thread(target=ask, daemon=True, name="locality-info")
    try:
        thread.start()
    except RuntimeError:  # the host has none left
        ask()
    else:
        thread.join(INFO_SECONDS)
    if not answers or not isinstance(answers[0], dict):
        return ""
    mine = os.uname()
    for key, own_value in (("KernelVersion", mine.release), ("Name", mine.nodename)):
        first = answers[0].get(key)
        if isinstance(first, str) and first and first != own_value:
            return f"the engine says that its {key} is {first!r}; here it is {own_value!r}"
    return ""
