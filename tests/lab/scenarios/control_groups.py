"""Starts that the kernel's control groups (cgroup v1) refuse."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG

GOOD = [
    "--user=1000:1000", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    "--memory=64m", "--pids-limit=64",
]  # fmt: skip
SHARE = "/sys/fs/cgroup/cpu/cpu.rt_runtime_us"
"""Microseconds a second for real-time processes: those of a container's group are 0."""


def _real_time_engine(box: Box, *options: str) -> None:
    """An engine that is a real-time process, as CPUSchedulingPolicy= in its unit makes it."""
    box.sh(f"echo 50000 >{SHARE}")
    box.write("/etc/docker/daemon.json", dict(BASE_CONFIG))
    box.spawn(["chrt", *options, "--rr", "10", "dockerd"], log=LOG)
    box.wait_for(box.ping, what="the engine")
    box.docker("run", "-d", "--name=batch", *GOOD, "bb:1.36", "sleep", "1000", check=False)


@fault("container.runtime-limit-hit", subject="daemon:docker", engine_started=False, baseline=False)
def engine_of_real_time(box: Box) -> None:
    """containerd inherits a real-time policy from the engine, and hands it on to the runtime."""
    _real_time_engine(box)
    assert "cgroup.procs: invalid argument" in box.inspect("batch")["State"]["Error"]


@healthy(engine_started=False, baseline=False)
def engine_of_real_time_for_itself(box: Box) -> None:
    """What the engine starts does not inherit its policy."""
    _real_time_engine(box, "--reset-on-fork")
    assert box.inspect("batch")["State"]["Running"]


def _narrow_parent(box: Box) -> None:
    """The group of all containers keeps the one CPU that the host had when it was made."""
    box.docker("run", "-d", "--name=first", *GOOD, "bb:1.36", "sleep", "1000")
    box.sh("for group in /sys/fs/cgroup/cpuset/docker/*/; do echo 0 >$group/cpuset.cpus; done")
    box.write("/sys/fs/cgroup/cpuset/docker/cpuset.cpus", "0\n")


@fault("container.runtime-limit-hit", subject="container:pinned")
def cpus_that_the_parent_group_lacks(box: Box) -> None:
    """The host has more CPUs now than the group of its containers."""
    _narrow_parent(box)
    pinned = ["--name=pinned", *GOOD, "--cpuset-cpus=0,1"]
    box.docker("run", "-d", *pinned, "bb:1.36", "sleep", "1000", check=False)
    assert "cpuset.cpus: permission denied" in box.inspect("pinned")["State"]["Error"]


@healthy()
def cpus_that_the_parent_group_has(box: Box) -> None:
    """A container that asks for no more than the narrow group has."""
    _narrow_parent(box)
    box.docker("run", "-d", "--name=pinned", *GOOD, "--cpuset-cpus=0", "bb:1.36", "sleep", "1000")
    assert box.inspect("pinned")["State"]["Running"]


ENGINES = "/sys/fs/cgroup/memory/docker-daemon"
EAT = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"


@fault(
    "daemon.not-running",
    subject="daemon:docker",
    also=["container.*", "daemon.*", "resources.*"],
    engine_started=False,
    baseline=False,
    exit_code=2,
)
def engine_killed_in_its_own_group(box: Box) -> None:
    """The engine's service has a memory limit: the kernel kills the engine there, and the host has
    memory."""
    box.sh(f"mkdir {ENGINES}; echo 120M >{ENGINES}/memory.limit_in_bytes")
    box.write("/etc/docker/daemon.json", dict(BASE_CONFIG))
    box.spawn(["sh", "-c", f"echo $$ >{ENGINES}/cgroup.procs; exec dockerd"], log=LOG)
    box.wait_for(box.ping, what="the engine")
    pid = box.engine_pid
    box.sh(f"echo 1000 >/proc/{pid}/oom_score_adj")
    box.spawn(["sh", "-c", f"echo $$ >{ENGINES}/cgroup.procs; {EAT}"])
    box.wait_for(lambda: not box.alive(pid), what="the kernel to kill the engine")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "/docker-daemon, in which it ran, has a memory limit of 120 MiB" in finding["summary"]
    assert not finding["fix"], finding["fix"]
