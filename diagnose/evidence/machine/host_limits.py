"""Limits of the whole host and of the engine's process: tasks, open files."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.machine.processes import Processes
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

_TASKS = re.compile(r"\d+/(\d+)")


class _Limit(msgspec.Struct):
    soft: int | None = None


class _Process(msgspec.Struct):
    fds: int | None = None
    limits: dict[str, _Limit] | None = None


class Descriptors(msgspec.Struct, frozen=True):
    """A process's open files and its soft limit; None: not to be seen, or unlimited."""

    pid: int
    comm: str
    open: int | None
    limit: int | None


class HostLimits(msgspec.Struct, frozen=True):
    """tasks, tasks_max: processes and threads of the host, and the lower of kernel.pid_max and kernel.threads-max.
    files, files_max: open files of the host (fs.file-nr). engines: dockerd and containerd. None: not to be seen.
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
    settings = host.ask(question("sysctl", names=list(names)))
    if isinstance(settings, Failed):
        return Unavailable.of(settings)
    load = host.ask(question("file.read", path="/proc/loadavg"))
    tasks = None if isinstance(load, Failed) else _TASKS.search(load["text"])
    most = [int(settings[name]) for name in names[:2] if settings[name]]
    files = (settings["fs.file-nr"] or "").split()
    engines = []
    for each in processes:
        if each.comm in ("dockerd", "containerd"):
            seen = host.ask(question("process", pid=each.pid))
            if not isinstance(seen, Failed):
                process = msgspec.convert(seen, _Process)
                limit = (process.limits or {}).get("Max open files", _Limit()).soft
                engines.append(Descriptors(each.pid, each.comm, process.fds, limit))
    return HostLimits(
        int(tasks[1]) if tasks else None,
        min(most) if most else None,
        int(files[0]) if len(files) == 3 else None,
        int(files[2]) if len(files) == 3 else None,
        tuple(engines),
    )
