"""Whether the engine's processes are real-time ones, which the kernel lets into no container.

With cgroup v1 and CONFIG_RT_GROUP_SCHED a real-time process enters no group whose
`cpu.rt_runtime_us` is 0, and each new group begins so (sched_rt_can_attach, kernel/sched/rt.c).
The runtime inherits the policy of containerd, and the write into its own `cgroup.procs` is an
invalid argument.
"""

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

GROUPS = ("docker", "system.slice", "")
"""Folders below which the engine creates the groups of its containers; the last is the hierarchy
itself."""


class RealTimeEngine(msgspec.Struct, frozen=True):
    """An engine whose containers inherit a real-time policy that their groups do not allow."""

    containerd: int
    """The pid of its containerd."""
    engine: int
    """The engine's own; that of containerd where it is not known."""
    policy: str
    share: str
    """The file with the share of real-time processes that a container's parent group has."""
    microseconds: str


class RealTime(msgspec.Struct, frozen=True):
    """The real-time engine; None for an ordinary containerd, or a kernel without such shares."""

    engine: RealTimeEngine | None = None


@evidence
def real_time(host: Host, daemon: Daemon) -> RealTime:
    """The shares are read only where containerd hands on a real-time policy."""
    processes = daemon.processes
    containerd = processes.containerd
    if containerd is None or not containerd.real_time_policy or not daemon.same_host:
        return RealTime()
    for group in GROUPS:
        path = "/".join(filter(None, ("/sys/fs/cgroup/cpu", group, "cpu.rt_runtime_us")))
        answer = host.ask(ReadFile(path))
        if not isinstance(answer, Failed):
            engine = processes.engine or containerd
            return RealTime(
                RealTimeEngine(
                    containerd.pid,
                    engine.pid,
                    containerd.real_time_policy,
                    path,
                    answer.text.strip(),
                )
            )
    return RealTime()
