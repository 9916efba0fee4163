"""The Docker daemon as a process of this machine: pid file, process list, listening socket."""

import os
import re
from pathlib import Path

from diagnose.live.kernel.proc_files import cmdline

DEFAULT_SOCKET = "/var/run/docker.sock"

DAEMON_NAMES = frozenset({"dockerd", "dockerd-ce", "balenad", "balena-engine-d"})
"""What the engine's process calls itself in /proc/PID/comm."""


def sleeping(path: str) -> bool:
    """Whether systemd listens on this socket for a Docker that does not run.

    Connecting would start it.

    Podman's may be woken. Read from /proc alone: listening sockets, the name of pid 1, the process
    list.
    """
    real = os.path.realpath(path)
    if "podman" in real or comm(1) != "systemd" or pid_file():
        return False
    inode = listening_inode(real)
    if inode is None or any(serves(pid, real) for pid in daemon_pids()):
        return False
    owned = owns_socket(1, inode)
    return owned if owned is not None else real == os.path.realpath(DEFAULT_SOCKET)


def listening_inode(path: str) -> int | None:
    """The inode of the unix socket that listens under this path (/proc/net/unix), in our network
    namespace."""
    paths = {path, path.replace("/run/", "/var/run/", 1) if path.startswith("/run/") else path}
    try:
        lines = (
            Path("/proc/net/unix")
            .read_text(encoding="utf-8", errors="surrogateescape")
            .splitlines()
        )
    except OSError:
        return None
    for line in lines[1:]:
        fields = line.split(None, 7)
        if len(fields) == 8 and fields[7] in paths and int(fields[3], 16) & 0x10000:
            return int(fields[6])
    return None


def owns_socket(pid: int, inode: int) -> bool | None:
    """Whether a process holds the socket of this inode open.

    None when its descriptors may not be read.
    """
    try:
        names = os.listdir(f"/proc/{pid}/fd")  # noqa: PTH208 - names are enough
    except PermissionError:
        return None
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]":  # noqa: PTH115
                return True
        except OSError:
            continue
    return False


def pid_file(path: str = "/run/docker.pid") -> int | None:
    """The daemon that a pid file names, if it is alive and one.

    The file outlives a killed daemon.
    """
    try:
        pid = int(Path(path).read_text(encoding="ascii").strip() or 0)
    except (OSError, ValueError):
        return None
    return pid if comm(pid) in DAEMON_NAMES and _here_and_alive(pid) else None


def daemon_pids(names: frozenset[str] = DAEMON_NAMES) -> list[int]:
    """The living engines of our own PID namespace, ascending.

    Those inside containers are left out.
    """
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    return sorted(pid for pid in pids if comm(pid) in names and _here_and_alive(pid))


def serves(pid: int, path: str) -> bool:
    """Whether a daemon's command line has it serve this socket.

    By name, through systemd, or as the default.
    """
    own_socket = default_socket(pid)
    words = [
        word.removeprefix("--host=").removeprefix("-H").removeprefix("=") for word in cmdline(pid)
    ]
    hosts = [word for word in words if word.startswith(("unix://", "tcp://", "fd://"))] or [
        f"unix://{own_socket}"
    ]
    activated = any(host.startswith("fd://") for host in hosts)
    real = os.path.realpath(path)
    if activated and (own_socket == DEFAULT_SOCKET or os.path.realpath(own_socket) == real):
        return True
    return any(os.path.realpath(host.removeprefix("unix://")) == real for host in hosts)


def default_socket(pid: int) -> str:
    """The socket that a daemon serves unless configured otherwise: a rootless one its user's."""
    uid = _uid(pid)
    if not uid and "--rootless" not in cmdline(pid) and not _is_in_user_namespace(pid):
        return DEFAULT_SOCKET
    return f"{_environment(pid).get('XDG_RUNTIME_DIR') or f'/run/user/{uid or 0}'}/docker.sock"


def _uid(pid: int) -> int | None:
    """The real user of a process as this host numbers users.

    Also where it is root in a namespace of its own.
    """
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r"^Uid:\s*(\d+)", text, re.MULTILINE)
    return int(match[1]) if match else None


def _is_in_user_namespace(pid: int) -> bool:
    """Whether a process has other user ids than we.

    A process of our own namespace shows our own table.
    """
    try:
        return Path(f"/proc/{pid}/uid_map").read_text("ascii") != Path(
            "/proc/self/uid_map"
        ).read_text("ascii")
    except OSError:
        return False


def _environment(pid: int) -> dict[str, str]:
    """The variables that a process was started with; empty when they may not be read."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (assignment.partition("=") for assignment in os.fsdecode(raw).split("\0"))
    return {name: value for name, _, value in pairs}


def comm(pid: int) -> str:
    """The kernel's name of a process, up to 15 bytes. Empty where the process is gone or hidden
    from us."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read().rstrip("\n")
    except OSError:
        return ""


def _here_and_alive(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    nested = re.search(r"^NSpid:\s+\d+[ \t]+\d", text, re.MULTILINE)
    return not nested and not re.search(r"^State:\s+[ZX]", text, re.MULTILINE)
