"""Evidence that several files of this family share."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint, ProcessDetail, Unit
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.installed.installation import Installation
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.engine.starting.path_states import FileState
from diagnose.model import Unavailable

HERE = Endpoint("unix:///var/run/docker.sock", "unix", "default socket")


NAMED = Endpoint("unix:///run/other.sock", "unix", "DOCKER_HOST", named=True)


REFUSED = Unavailable("refused", "connection refused")


SILENT = Unavailable("timed out", "not a byte")


SOCKET = FileState("socket", 0o140660, 0, 999)


ROOT = DataRoot("/var/lib/docker", "default")


NOTHING = Unavailable("missing", "")


ID = "ab" * 32


def daemon(**parts: Any) -> Daemon:
    """An engine that refuses connections; parts are fields of Daemon, of its processes (`process`
    is the engine's) or its installation."""
    if "process" in parts:
        parts["engine"] = parts.pop("process")
    given = {
        "endpoint": HERE,
        "caller": Caller(),
        "silence": REFUSED,
        "installed": True,
        "shims": {},
        **parts,
    }
    processes = DaemonProcesses(
        **{name: given.pop(name) for name in DaemonProcesses.__struct_fields__ if name in given}
    )
    installation = Installation(
        **{name: given.pop(name) for name in Installation.__struct_fields__ if name in given}
    )
    return Daemon(**given, processes=processes, installation=installation)


def only_finding(answer: Any) -> Any:
    """The one finding of an answer."""
    (finding,) = answer
    return finding


def log(*lines: str) -> DaemonLog:
    return DaemonLog(parse(lines), "/var/log/docker.log")


def engine(state: str = "S", **parts: Any) -> ProcessDetail:
    return ProcessDetail(69, "dockerd", state, 10.0, **parts)


SYSTEM_UNIT = Unit(
    load_state="loaded", active_state="failed", sub_state="failed", result="exit-code"
)


def config(**parts: Any) -> DaemonConfig:
    return DaemonConfig("/etc/docker/daemon.json", **{"exists": True, **parts})


ALIVE = daemon(silence=None, process=engine())
