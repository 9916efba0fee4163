"""The processes of an engine: its own, its containerd, and the daemons beside it."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.engine.config import DaemonConfig, Rootless
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.questions.processes import InspectProcess, ProcessDetail
from diagnose.questions.service import Unit

DAEMONS = frozenset({"dockerd", "dockerd-ce", "balenad", "balena-engine-d"})
CONTAINERDS = frozenset({"containerd", "docker-containe"})
"""Names in /proc/PID/comm, which holds 15 bytes: the second is docker-containerd of old engines."""
PID_FILE = "/var/run/docker.pid"
EXEC_ROOT = "/var/run/docker"


class PidFile(msgspec.Struct, frozen=True):
    """A pid file that names a living process."""

    path: str
    pid: int
    comm: str
    """The name of that process."""


class DaemonProcesses(msgspec.Struct, frozen=True):
    """The engine's processes and those that belong to it."""

    engine: ProcessDetail | None = None
    """The engine's own; None if none is alive."""
    age: float | None = None
    """Seconds since it started."""
    others: tuple[Process, ...] = ()
    """Daemons that live here and do not serve this endpoint."""
    containerds: tuple[ProcessDetail, ...] | None = None
    """The containerd that this engine uses; None if processes cannot be seen, or that one could not
    be looked at."""
    managed: bool | None = None
    """Whether the engine starts its containerd itself; None if its command line is not known."""
    shims: Mapping[str, Process] | None = None
    """The living process that holds a container, by the container's id; None if processes cannot be
    seen."""
    pid_files: tuple[PidFile, ...] = ()
    """The pid files that name a living process."""
    sees_all: bool = False
    """The process list is whole, so that a missing process does not live."""

    @property
    def containerd(self) -> ProcessDetail | None:
        """The containerd that this engine uses, if it is alive."""
        return self.containerds[0] if self.containerds else None

    @property
    def stopped_containerd(self) -> ProcessDetail | None:
        """The first containerd that is stopped by a signal; None without one."""
        stopped = (process for process in self.containerds or () if process.is_stopped)
        return next(stopped, None)


def daemon_processes(
    host: Host,
    pid: int | None,
    clock: Clock | None,
    config: DaemonConfig | None,
    processes: Processes | None,
    containerd_unit: Unit | None,
    rootless_engine: Rootless | None,
) -> DaemonProcesses:
    """The engine's process and those that belong to it.

    As far as the list of processes shows them.
    """
    engine = _detail(host, pid) if pid is not None else None
    all_processes = list(processes) if processes is not None else []
    outside = processes.outside if processes is not None else ()
    root = _exec_root(config, rootless_engine)
    managed = _is_managed(config, all_processes, engine, containerd_unit, root)
    containerds = None
    if all_processes:
        containerds = _containerds(host, root, outside, engine, managed=managed)
    age = None
    if engine and clock and clock.booted:
        age = clock.wall - (clock.booted + engine.start)
    return DaemonProcesses(
        engine=engine,
        age=age,
        others=tuple(_other_daemons(outside, pid)),
        containerds=containerds,
        managed=managed,
        shims=processes.shims if processes is not None else None,
        pid_files=tuple(_pid_files(host, config, rootless_engine, root)),
        sees_all=any(process.pid == 1 for process in all_processes),
    )


def _other_daemons(processes: Sequence[Process], pid: int | None) -> Iterator[Process]:
    """The host's living daemons but the engine; those inside containers are not the host's."""
    for process in processes:
        if process.comm in DAEMONS and process.pid != pid and not process.is_zombie:
            yield process


def _detail(host: Host, pid: int) -> ProcessDetail | None:
    detail = host.ask(InspectProcess(pid))
    return None if isinstance(detail, Failed) else detail


def _exec_root(config: DaemonConfig | None, rootless_engine: Rootless | None) -> str:
    """The folder with the state of the engine's processes, its own containerd's too."""
    configured = config.value("exec-root") if config else None
    if isinstance(configured, str):
        return configured
    return f"{rootless_engine.runtime}/docker" if rootless_engine else EXEC_ROOT


def _pid_files(
    host: Host, config: DaemonConfig | None, rootless_engine: Rootless | None, root: str
) -> list[PidFile]:
    """The pid files of dockerd and of its own containerd, only where the process lives."""
    configured = config.value("pidfile") if config else None
    usual = f"{rootless_engine.runtime}/docker.pid" if rootless_engine else PID_FILE
    paths = (
        configured if isinstance(configured, str) else usual,
        f"{root}/containerd/containerd.pid",
    )
    pid_files = []
    for path in paths:
        text = file_text(host, path).strip()
        if text.isascii() and text.isdigit():
            process = _detail(host, int(text))
            if process is not None and process.state != "Z":
                pid_files.append(PidFile(path, process.pid, process.comm))
    return pid_files


def _is_managed(
    config: DaemonConfig | None,
    processes: list[Process],
    engine: ProcessDetail | None,
    containerd_unit: Unit | None,
    root: str,
) -> bool | None:
    """Whether dockerd starts a containerd of its own.

    It does unless configured otherwise, or unless it finds the system's socket.

    None where its command line is not known.
    """
    if config is None or (config.source == "default" and engine is None):
        return None
    configured = config.value("containerd")
    if isinstance(configured, str) and configured:
        return False
    containerds = [process for process in processes if process.comm in CONTAINERDS]
    if any(_is_started_by(engine, process, root) for process in containerds):
        return True
    return not (containerd_unit and containerd_unit.exists)


def _is_started_by(engine: ProcessDetail | None, process: Process, root: str) -> bool:
    """Whether an engine has started a process: its child, or one with files in its exec root."""
    is_child = engine is not None and process.ppid == engine.pid
    return is_child or any(word.startswith(f"{root}/") for word in process.cmdline or ())


def _containerds(
    host: Host,
    root: str,
    processes: Sequence[Process],
    engine: ProcessDetail | None,
    *,
    managed: bool | None,
) -> tuple[ProcessDetail, ...] | None:
    """The containerd that this engine uses.

    Every one of the host where its command line is not known. None where one is listed and could
    not be looked at: only one that is gone since does not count.
    """
    used = [
        process for process in processes if process.comm in CONTAINERDS and not process.is_zombie
    ]
    if managed is not None:
        used = [process for process in used if _is_started_by(engine, process, root) == managed]
    containerds: list[ProcessDetail] = []
    for process in used:
        detail = host.ask(InspectProcess(process.pid))
        if not isinstance(detail, Failed):
            containerds.append(detail)
        elif detail.reason != "gone":
            return None
    return tuple(containerds)
