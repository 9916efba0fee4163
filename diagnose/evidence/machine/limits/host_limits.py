"""Limits of the whole host and of the engine's process: tasks, open files."""

import re

import msgspec

from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.containers import Pids
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.processes import InspectProcess, ResourceLimit
from diagnose.registry import evidence

CGROUPS = "/sys/fs/cgroup"
_PIDS_GROUP = LazyPattern(r"^\d+:(?:[\w,]*,)?pids(?:,[\w,]*)?:(/.*)$", re.MULTILINE)
_UNIFIED_GROUP = LazyPattern(r"^0::(/.*)$", re.MULTILINE)
"""Lines of /proc/PID/cgroup: the controller of version 1, and the one group of version 2."""
_MOST_TASKS = ("kernel.pid_max", "kernel.threads-max")
_OPEN_FILES = "fs.file-nr"
_FIELDS_OF_OPEN_FILES = 3
"""Open files, a zero, and how many there may be."""
_TASKS = LazyPattern(r"(?<!\d)\d{1,12}/(\d{1,12})")


class Descriptors(msgspec.Struct, frozen=True):
    """A process's open files and its soft limit; None: not to be seen, or unlimited."""

    pid: int
    comm: str
    open: int | None
    limit: int | None


class HostLimits(msgspec.Struct, frozen=True):
    """Limits of the whole host, and how much of each is used."""

    tasks: int | None
    """Processes and threads of the host."""
    tasks_max: int | None
    """The lower of kernel.pid_max and kernel.threads-max."""
    files: int | None
    files_max: int | None
    """files, files_max: open files of the host (fs.file-nr)."""
    engines: tuple[Descriptors, ...]
    """dockerd and containerd. None: not to be seen."""
    engine_tasks: Pids = Pids()
    """Tasks of the cgroup in which dockerd runs and its shims begin (TasksMax of its unit)."""
    engine_tasks_file: str = ""


@evidence
def host_limits(host: Host, processes: Processes) -> HostLimits | Unavailable:
    """The limits of the host, by a few files of /proc and the engine's open files."""
    settings = host.require(ReadSysctls((*_MOST_TASKS, _OPEN_FILES)))
    most_tasks = [int(value) for value in filter(None, map(settings.get, _MOST_TASKS))]
    files = (settings.get(_OPEN_FILES) or "").split()
    has_files = len(files) == _FIELDS_OF_OPEN_FILES
    engines = _engines(host, processes)
    folder = _engine_cgroup(host, engines)
    return HostLimits(
        _tasks(host),
        tasks_max=min(most_tasks, default=None),
        files=int(files[0]) if has_files else None,
        files_max=int(files[2]) if has_files else None,
        engines=tuple(engines),
        engine_tasks=_engine_tasks(host, folder) if folder else Pids(),
        engine_tasks_file=f"{folder}/pids.max" if folder else "",
    )


def _tasks(host: Host) -> int | None:
    """The number of tasks on the machine; None where it cannot be read."""
    load = host.ask(ReadFile("/proc/loadavg"))
    if isinstance(load, Failed):
        return None
    tasks = _TASKS.search(load.text)
    return int(tasks[1]) if tasks else None


def _engines(host: Host, processes: Processes) -> list[Descriptors]:
    """The open files of the engine's processes."""
    engines = []
    for process in processes:
        if process.comm not in ("dockerd", "containerd"):
            continue
        detail = host.ask(InspectProcess(process.pid))
        if isinstance(detail, Failed):
            continue
        limit = (detail.limits or {}).get("Max open files", ResourceLimit()).soft
        engines.append(Descriptors(process.pid, process.comm, detail.fds, limit))
    return engines


def _engine_cgroup(host: Host, engines: list[Descriptors]) -> str:
    """The folder of dockerd's cgroup that counts tasks; empty where it cannot be read."""
    pid = next((process.pid for process in engines if process.comm == "dockerd"), 0)
    if not pid:
        return ""
    membership = host.ask(ReadFile(f"/proc/{pid}/cgroup"))
    if isinstance(membership, Failed):
        return ""
    of_pids = _PIDS_GROUP.search(membership.text)
    unified = _UNIFIED_GROUP.search(membership.text)
    if of_pids:
        return f"{CGROUPS}/pids{of_pids[1]}"
    return f"{CGROUPS}{unified[1]}" if unified else ""


def _engine_tasks(host: Host, folder: str) -> Pids:
    """The number and the limit of tasks in a cgroup."""
    return Pids(
        _number_in_file(host, f"{folder}/pids.current"),
        _number_in_file(host, f"{folder}/pids.max"),
        _number_in_file(host, f"{folder}/pids.events"),
    )


def _number_in_file(host: Host, path: str) -> int | None:
    """The number in a file of a control group; None for "max", or if it cannot be read."""
    answer = host.ask(ReadFile(path))
    match = None if isinstance(answer, Failed) else re.search(r"\d+", answer.text)
    return int(match[0]) if match else None
