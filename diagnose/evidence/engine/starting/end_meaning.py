"""The meaning of the engine's last log line, where no other check explains it."""

import re

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.faults import CONFIGURATION, NO_PROXY_PROGRAM
from diagnose.evidence.engine.starting.failed_start import meaning
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

NO_CONTAINERD = ("containerd.sock", "failed to start containerd", "timeout waiting for containerd")
"""Parts of the last words of a dockerd that could not reach its containerd (engines 20.10 to 28).
"""
STORAGE = LazyPattern(
    r"error initializing graphdriver|prior storage driver|contains several valid graphdrivers"
)
NETWORK = LazyPattern(
    r"[Ee]rror (initializing|creating) network controller|error creating default \"bridge\" network"
)
"""The engine did not start, because it could not set up its networks."""
PID_TAKEN = LazyPattern(r"pid file found|process with PID \d+ is still running")
"""The pid file of another start, or of another process, kept the engine from its start."""
EXPLAINED = (
    STORAGE,
    NETWORK,
    PID_TAKEN,
    LazyPattern("|".join(map(re.escape, (CONFIGURATION, *NO_CONTAINERD)))),
)
"""Last lines of an engine that other checks explain."""
_UNIX_SOCKET = LazyPattern(r"unix://(/[^\s,]+)")
NO_ACTIVATION = "no sockets found via socket activation"
"""dockerd/listeners in all engines, where `-H fd://` is not met by systemd's docker.socket."""


def served_elsewhere(daemon: Daemon) -> str:
    """The socket that the living engine has by its command line, where clients ask for another.

    "" where it also has theirs, or takes its sockets from systemd. Most often /var/run has become a
    folder of its own, and is no longer a link to /run.
    """
    engine = daemon.processes.engine
    words = " ".join(engine.cmdline or ()) if engine is not None else ""
    served = _UNIX_SOCKET.findall(words)
    is_elsewhere = bool(served) and "fd://" not in words and daemon.address not in served
    if daemon.reason != "missing" or not is_elsewhere:
        return ""
    first: str = served[0]
    return first


def own_meaning(text: str) -> Recognised | None:
    """The meaning of a last log line that no other check explains; or None."""
    return None if is_explained(text) else meaning(text)


def is_explained(text: str) -> bool:
    """Whether another check explains it.

    A program that dockerd does not find is not a fault of its file.
    """
    is_named = any(pattern.search(text) for pattern in EXPLAINED)
    return is_named and NO_PROXY_PROGRAM not in text
