"""Limits of the whole host and of the engine's process: tasks, open files."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.machine.processes import Processes
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import InspectProcess, ReadSysctls, ResourceLimit
from diagnose.registry import evidence

_TASKS = re.compile(r"(?<!\d)\d{1,12}/(\d{1,12})")


class Descriptors(msgspec.Struct, frozen=True):
    """A process's open files and its soft limit; None: not to be seen, or unlimited."""

    pid: int
    comm: str
    open: int | None
    limit: int | None


class HostLimits(msgspec.Struct, frozen=True):
    """tasks: processes and threads of the host.

    tasks_max: the lower of kernel.pid_max and kernel.threads-max. files, files_max: open files
    of the host (fs.file-nr). engines: dockerd and containerd. None: not to be seen.
    """

    tasks: int | None
    tasks_max: int | None
    files: int | None
    files_max: int | None
    engines: tuple[Descriptors, ...]


@evidence
def host_limits(host: Host, processes: Processes) -> HostLimits | Unavailable:
    """A few files of /proc, and the descriptors of the engine's processes."""
    names = ("kernel.pid_max", "kernel.threads-max", "fs.file-nr")
    settings = host.ask(ReadSysctls(names))
    if isinstance(settings, Failed):
        return Unavailable.of(settings)
    load = host.ask(ReadFile("/proc/loadavg"))
    tasks = None if isinstance(load, Failed) else _TASKS.search(load.text)
    most = [int(value) for name in names[:2] if (value := settings.get(name))]
    files = (settings.get("fs.file-nr") or "").split()
    engines = []
    for process in processes:
        if process.comm in ("dockerd", "containerd"):
            detail = host.ask(InspectProcess(process.pid))
            if not isinstance(detail, Failed):
                limit = (detail.limits or {}).get("Max open files", ResourceLimit()).soft
                engines.append(Descriptors(process.pid, process.comm, detail.fds, limit))
    return HostLimits(
        int(tasks[1]) if tasks else None,
        min(most) if most else None,
        int(files[0]) if len(files) == 3 else None,
        int(files[2]) if len(files) == 3 else None,
        tuple(engines),
    )
