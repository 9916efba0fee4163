"""The resources family on evidence made by hand: what fires, what stays silent, what does not
apply."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import pytest

from diagnose import runbooks
from diagnose.evidence.containers.cgroups import (
    Cgroups,
    CgroupStats,
    Cpu,
    Memory,
    Pids,
    Throttling,
    throttling,
)
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.descriptors import Crowded, OpenFiles
from diagnose.evidence.machine.host_limits import Descriptors, HostLimits
from diagnose.evidence.machine.kernel_log import KernelLog, Record, oom_kills
from diagnose.evidence.machine.pressure import HostMemory, Pressure
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.model import Finding, Severity, Unavailable
from diagnose.model import container as subject
from tests.hosts import Made
from tests.inspected import EXITED, container, of
from tests.judging import judge

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, NOW - 90 * 86400)
OPTIONS = Options()
UNKNOWN = Unavailable("forbidden", "not root")
QUIET = LogTails({}, {})
MIB = 1 << 20
GIB = 1 << 30


def web(name: str = "web", **parts: Any) -> Container:
    return container(name, **{"Id": hashlib.sha256(name.encode()).hexdigest(), **parts})


WEB = web()
LIMITED = web(HostConfig={"Memory": 64 * MIB, "PidsLimit": 100, "NanoCpus": 10**9})


def found(answer: Any) -> list[Finding]:
    if isinstance(answer, Iterable):
        return [each for each in answer if isinstance(each, Finding)]
    return []


def severities(answer: Any) -> list[str]:
    return [each.severity.name if each.severity else "-" for each in found(answer)]


def group(**parts: Any) -> Cgroups:
    return Cgroups({WEB.id: CgroupStats(**parts)})


# -- memory --------------------------------------------


def host_kill(age: float, who: str = WEB.id, task: str = "java") -> list[Record]:
    """The lines of Linux 6.1 for a kill that no limit caused (their shape is that of
    mm/oom_kill.c)."""
    path = f"/system.slice/docker-{who}.scope" if who else "/system.slice/ssh.service"
    line = f"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg={path}"
    killed = f"Out of memory: Killed process 77 ({task}) total-vm:9000000kB, anon-rss:7340032kB, file-rss:0kB"
    return [Record(NOW - age, f"{line},task={task},pid=77,uid=0"), Record(NOW - age, killed)]


OWN_LIMIT = f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/{WEB.id},task_memcg=/docker/{WEB.id},task=a,pid=1,uid=0"


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("a minute ago", host_kill(60), ["critical"]),
        ("this morning", host_kill(6 * 3600), ["warning"]),
        ("last week", host_kill(7 * 86400), []),
        ("none", [], []),
        ("at a container's own limit", [Record(NOW - 60, OWN_LIMIT)], []),
    ],
)
def test_host_oom(name: str, lines: list[Record], expected: list[str]):
    assert (
        severities(
            judge(
                "resources.host-oom",
                containers=of(WEB),
                kernel_log=KernelLog(tuple(lines)),
                clock=CLOCK,
                options=OPTIONS,
            ).findings
        )
        == expected
    )


def test_host_oom_names_its_victim():
    (one,) = judge(
        "resources.host-oom",
        containers=of(WEB),
        kernel_log=KernelLog(tuple(host_kill(60))),
        clock=CLOCK,
        options=OPTIONS,
    ).findings
    assert 'killed java of container "web" using 7.0 GiB' in one.summary
    assert subject("web") in one.touches
    (other,) = judge(
        "resources.host-oom",
        containers=of(WEB),
        kernel_log=KernelLog(tuple(host_kill(60, who=""))),
        clock=CLOCK,
        options=OPTIONS,
    ).findings
    assert "java of the host" in other.summary
    assert other.touches == ()


def test_kills_in_a_row_are_told_apart():
    lines = [*host_kill(60), *host_kill(50, who="", task="mysqld")]
    assert [(kill.task, kill.container, kill.rss) for kill in oom_kills(lines)] == [
        ("java", WEB.id, 7 * GIB),
        ("mysqld", "", 7 * GIB),
    ]


def before_5_0(group: str, choice: str) -> list[Record]:
    """The lines of Linux 4.19 (Debian 10, Ubuntu 18.04, RHEL 7 alike): the choice may have a child
    killed instead."""
    head = [
        f"Task in {group} killed as a result of limit of {group}",
        "memory: usage 65536kB, limit 65536kB, failcnt 9",
    ]
    killed = (
        "Killed process 78 (worker) total-vm:90000kB, anon-rss:61440kB, file-rss:0kB, shmem-rss:0kB"
    )
    return [Record(NOW - 60, line) for line in (*(head if group else ()), choice, killed)]


def test_the_cache_of_zfs_is_no_lack_of_memory():
    host = HostMemory(total=32 * GIB, available=GIB, free=GIB, zfs_cache=20 * GIB)
    assert (
        severities(
            judge(
                "resources.memory-scarce", host_memory=host, containers=of(WEB), cgroups=Cgroups({})
            ).findings
        )
        == []
    )


def test_kills_of_older_kernels():
    (own,) = oom_kills(
        before_5_0(
            f"/docker/{WEB.id}",
            "Memory cgroup out of memory: Kill process 77 (java) score 990 or sacrifice child",
        )
    )
    assert (own.task, own.pid, own.container, own.limit) == ("worker", 78, WEB.id, 64 * MIB)
    assert (own.of_host, own.by_parent, own.rss) == (False, False, 60 * MIB)
    (host,) = oom_kills(
        before_5_0("", "Out of memory: Kill process 77 (java) score 512 or sacrifice child")
    )
    assert (host.of_host, host.container, host.limit) == (True, "", None)
    (unsaid,) = oom_kills(
        before_5_0(
            "", "Memory cgroup out of memory: Kill process 77 (java) score 1 or sacrifice child"
        )
    )
    assert not unsaid.of_host


def pressed(resource: str, full: float) -> Pressure:
    return Pressure(
        {resource: {"full": {"avg60": full}, "some": {"avg60": full}}}, (1.0, 1.0, 1.0), 4
    )


@pytest.mark.parametrize(
    ("name", "available", "stalled", "expected"),
    [
        ("hardly any left", 200 * MIB, 0.0, ["warning"]),
        ("all work waits for it", 200 * MIB, 40.0, ["critical"]),
        ("enough, in cache", 6 * GIB, 0.0, []),
        ("little of very much", 12 * GIB, 0.0, []),
    ],
)
def test_memory_scarce(name: str, available: int, stalled: float, expected: list[str]):
    host = HostMemory(
        total=512 * GIB if available > 8 * GIB else 8 * GIB, available=available, free=100 * MIB
    )
    assert (
        severities(
            judge(
                "resources.memory-scarce",
                host_memory=host,
                pressure=pressed("memory", stalled),
                containers=of(WEB),
                cgroups=Cgroups({}),
            ).findings
        )
        == expected
    )


def test_memory_is_not_scarce_while_much_of_it_is_free():
    """After a kill the kernel still counts the waiting of the last minute."""
    result = judge(
        "resources.memory-scarce",
        host_memory=HostMemory(total=int(23.6 * GIB), available=23 * GIB, free=22 * GIB),
        pressure=pressed("memory", 45.0),
        containers=of(WEB),
        cgroups=Cgroups({}),
    )
    assert severities(result.findings) == []


@pytest.mark.parametrize(
    ("name", "held", "count"),
    [
        ("nearly all held", Memory(usage=64 * MIB, limit=64 * MIB, working_set=60 * MIB), 1),
        ("all used, mostly cache", Memory(usage=64 * MIB, limit=64 * MIB, working_set=9 * MIB), 0),
        (
            "cache that is read again",
            Memory(usage=64 * MIB, limit=64 * MIB, working_set=60 * MIB, reclaimable=50 * MIB),
            0,
        ),
        (
            "a database of its size",
            Memory(usage=62 * GIB, limit=64 * GIB, working_set=62 * GIB, reclaimable=0),
            0,
        ),
        ("no limit", Memory(usage=GIB, working_set=GIB), 0),
        ("not to be read", Memory(limit=64 * MIB), 0),
    ],
)
def test_memory_near_limit(name: str, held: Memory, count: int):
    assert (
        len(
            found(
                judge(
                    "resources.memory-near-limit", containers=of(WEB), cgroups=group(memory=held)
                ).findings
            )
        )
        == count
    )


@pytest.mark.parametrize(
    ("waited", "said"), [(43.0, ", and waits for memory 43 % of the time"), (2.0, None)]
)
def test_a_container_that_waits_for_memory_has_too_little(waited: float, said: str | None):
    held = Memory(usage=64 * MIB, limit=64 * MIB, working_set=50 * MIB, reclaimable=20 * MIB)
    thrashing = group(memory=held, pressure={"memory": {"full": {"avg60": waited}}})
    summaries = [
        one.summary
        for one in found(
            judge("resources.memory-near-limit", containers=of(WEB), cgroups=thrashing).findings
        )
    ]
    assert summaries == (
        [f'container "web" uses 44.0 MiB of its memory limit of 64.0 MiB{said}'] if said else []
    )


@pytest.mark.parametrize(
    ("name", "each", "held", "summary"),
    [
        (
            "none",
            WEB,
            Memory(working_set=MIB),
            'container "web" has no memory limit and no CPU limit',
        ),
        (
            "CPU only",
            web(HostConfig={"NanoCpus": 10**9}),
            Memory(),
            'container "web" has no memory limit',
        ),
        ("limited", LIMITED, Memory(limit=64 * MIB), None),
        (
            "limited through its parent",
            web(HostConfig={"CgroupParent": "/tenants"}),
            Memory(),
            None,
        ),
        ("limited by somebody else", WEB, Memory(limit=GIB), None),
        ("does not run", web(**EXITED), Memory(), None),
    ],
)
def test_no_limits(name: str, each: Container, held: Memory, summary: str | None):
    answer = judge("resources.no-limits", containers=of(each), cgroups=group(memory=held)).findings
    assert [one.summary for one in answer] == ([summary] if summary else [])


# -- CPU, limits ---------------------------------------

CPU = CgroupStats(
    cpu=Cpu(periods=1000, throttled=900, throttled_us=5_000_000, quota_us=50_000, period_us=100_000)
)


@pytest.mark.parametrize(
    ("name", "sample", "count"),
    [
        ("held back", (5, 4), 1),
        ("not now", (5, 0), 0),
        ("hardly awake", (1, 1), 0),
        ("not sampled", None, 0),
    ],
)
def test_cpu_throttled(name: str, sample: tuple[int, int] | None, count: int):
    taken = Throttling({WEB.id: sample} if sample else {})
    answer = judge(
        "resources.cpu-throttled",
        containers=of(WEB),
        cgroups=Cgroups({WEB.id: CPU}),
        throttling=taken,
        info=Info(ncpu=4),
    ).findings
    assert [one.variables["cpus"] for one in answer] == ["1"] * count


SWAP = HostMemory(total=8 * GIB, available=4 * GIB, swap_total=GIB)


@pytest.mark.parametrize(
    ("name", "info", "host", "expected"),
    [
        ("no memory controller", Info(memory_limit=False, swap_limit=False), SWAP, ["warning"]),
        ("swap is not counted", Info(swap_limit=False), SWAP, ["advice"]),
        (
            "swap is not counted, and there is none",
            Info(swap_limit=False),
            HostMemory(total=GIB, available=GIB),
            [],
        ),
        ("all enforced", Info(), SWAP, []),
    ],
)
def test_limits_not_enforced(name: str, info: Info, host: HostMemory, expected: list[str]):
    assert (
        severities(
            judge(
                "resources.limits-not-enforced", info=info, containers=of(LIMITED), host_memory=host
            ).findings
        )
        == expected
    )


@pytest.mark.parametrize(
    ("name", "info", "init", "expected"),
    [
        ("systemd is not there", Info(cgroup_driver="systemd"), "runit", ["critical"]),
        (
            "beside systemd",
            Info(cgroup_driver="cgroupfs", cgroup_version="2"),
            "systemd",
            ["advice"],
        ),
        (
            "cgroupfs without systemd",
            Info(cgroup_driver="cgroupfs", cgroup_version="2"),
            "runit",
            [],
        ),
        (
            "cgroupfs with version 1",
            Info(cgroup_driver="cgroupfs", cgroup_version="1"),
            "systemd",
            [],
        ),
        ("systemd", Info(cgroup_driver="systemd", cgroup_version="2"), "systemd", []),
    ],
)
def test_cgroup_driver(name: str, info: Info, init: str, expected: list[str]):
    processes = Processes((Process(pid=1, comm=init),))
    assert (
        severities(
            judge(
                "resources.cgroup-driver", info=info, processes=processes, containers=of(WEB)
            ).findings
        )
        == expected
    )


# -- processes, files, disks ---------------------------


def pids_findings(each: Container, **evidence: Any) -> tuple[Finding, ...]:
    given = {"clock": CLOCK, "options": OPTIONS, "host_limits": ROOMY, **evidence}
    return judge("resources.pids-exhausted", containers=of(each), **given).findings


def open_files_findings(line: str, **evidence: Any) -> tuple[Finding, ...]:
    """What is found where this is the last line in the log of WEB."""
    tails = LogTails({WEB.id: LogTail((line,))} if line else {}, {})
    given = {"host_limits": ROOMY, "open_files": OpenFiles({}), **evidence}
    return judge(
        "resources.open-files-exhausted", containers=of(WEB), log_tails=tails, **given
    ).findings


ROOMY = HostLimits(300, 32768, 5000, 100_000, (Descriptors(50, "dockerd", 90, 1024),))
DEAD = web(**EXITED, HostConfig={"PidsLimit": 5})


@pytest.mark.parametrize(
    ("name", "each", "pids", "words", "expected"),
    [
        ("full and refused", WEB, Pids(current=100, max=100, events_max=7), "", ["critical"]),
        ("nearly full", WEB, Pids(current=95, max=100, events_max=0), "", ["warning"]),
        ("was refused, long ago", WEB, Pids(current=5, max=100, events_max=7), "", ["advice"]),
        ("ended by it", DEAD, None, "sh: can't fork: Resource temporarily unavailable", ["-"]),
        ("room", WEB, Pids(current=5, max=100, events_max=0), "", []),
        ("no limit", WEB, Pids(current=5000), "", []),
        ("ended otherwise", DEAD, None, "no such key", []),
        (
            "Go",
            DEAD,
            None,
            "runtime: failed to create new OS thread (have 5 already; errno=11)",
            ["-"],
        ),
        ("Java", DEAD, None, "java.lang.OutOfMemoryError: unable to create native thread", ["-"]),
        (
            "Ruby",
            DEAD,
            None,
            "can't create Thread: Resource temporarily unavailable (ThreadError)",
            ["-"],
        ),
        (
            "a server",
            DEAD,
            None,
            "could not fork new process for connection: Resource temporarily unavailable",
            ["-"],
        ),
        ("C++", DEAD, None, "  what():  Resource temporarily unavailable", ["-"]),
        (
            "a full queue",
            DEAD,
            None,
            "connect() to unix:/s failed (11: Resource temporarily unavailable)",
            [],
        ),
        (
            "a worker's socket",
            DEAD,
            None,
            "worker process 7: recv() failed (11: Resource temporarily unavailable)",
            [],
        ),
        ("a busy server", DEAD, None, "429 slow down: Resource temporarily unavailable", []),
    ],
)
def test_pids_exhausted(
    name: str, each: Container, pids: Pids | None, words: str, expected: list[str]
):
    groups = group(pids=pids) if pids else Cgroups({})
    tails = LogTails({each.id: LogTail((words,))}, {})
    assert severities(pids_findings(each, cgroups=groups, log_tails=tails)) == expected


def test_a_refused_fork_is_answered_by_a_greater_limit():
    updated = Events((Event(NOW - 9, "container", "update", "", WEB.id, {}),))
    for current, expected in ((5, []), (95, ["critical"])):
        pids = group(pids=Pids(current=current, max=100, events_max=7))
        assert (
            severities(pids_findings(WEB, cgroups=pids, events=updated, log_tails=QUIET))
            == expected
        )


def test_the_host_can_run_out_of_tasks():
    full = HostLimits(32000, 32768, None, None, ())
    (finding,) = pids_findings(
        WEB, cgroups=group(pids=Pids(current=900)), log_tails=QUIET, host_limits=full
    )
    assert finding.subject.kind == "host"
    assert finding.evidence["/proc/loadavg"] == "32000 tasks"
    assert finding.variables == {"container": "web", "pids": "900", "pid_max": "4194304"}


@pytest.mark.parametrize(
    ("name", "host", "words", "count"),
    [
        ("a container says so", ROOMY, "accept4: too many open files", 1),
        (
            "a file watcher says so",
            ROOMY,
            "ENOSPC: System limit for number of file watchers reached, watch /app",
            1,
        ),
        (
            "the engine",
            HostLimits(300, 32768, 5000, 100_000, (Descriptors(50, "dockerd", 1020, 1024),)),
            "",
            1,
        ),
        ("the host", HostLimits(300, 32768, 99_000, 100_000, ()), "", 1),
        ("room", ROOMY, "", 0),
        (
            "no limit",
            HostLimits(300, 32768, 5000, 2**63 - 1, (Descriptors(50, "dockerd", 90_000, None),)),
            "",
            0,
        ),
    ],
)
def test_open_files_exhausted(name: str, host: HostLimits, words: str, count: int):
    assert len(open_files_findings(words, host_limits=host)) == count


@pytest.mark.parametrize(
    ("line", "knob"),
    [
        (
            "ENOSPC: System limit for number of file watchers reached, watch '/app'",
            "max_user_watches",
        ),
        ("failed to watch /app: inotify_add_watch: no space left on device", "max_user_watches"),
        ("Failed to add /run/ask to directory watch: No space left on device", "max_user_watches"),
        ("Failed to watch /app; upper limit on inotify watches reached!", "max_user_watches"),
        (
            "The configured user limit (128) on the number of inotify instances has been reached",
            "max_user_instances",
        ),
        ("failed to create fsnotify watcher: too many open files", "max_user_instances"),
        ("inotifyd: no kernel support: Too many open files", "max_user_instances"),
        (
            "tail: inotify cannot be used, reverting to polling: Too many open files",
            "max_user_instances",
        ),
        ("accept4: too many open files", None),
        ("watch stream: dial tcp: socket: too many open files", None),
    ],
)
def test_which_limit_of_inotify_was_met(line: str, knob: str | None):
    (one,) = open_files_findings(line)
    assert one.variables.get("inotify") == knob
    first = runbooks.confirm("resources.open-files-exhausted", one.variables, runbooks.Place())
    assert first is not None
    assert ("inotify/max_user" in first.text.split("\n")[0]) == (knob is not None)


@pytest.mark.parametrize(
    "line",
    [
        "INFO using inotify backend to watch /etc/app",
        "sh: inotifyd: not found",
        "INFO inotify backend, limit 8192 watches",
        "rate limit reached, watcher waits",
        "watcher: cannot write /data/state: no space left on device",
    ],
)
def test_the_name_of_inotify_is_no_limit(line: str):
    assert open_files_findings(line) == ()


def test_a_watcher_whose_process_has_no_file_left_met_its_own_limit():
    crowded = OpenFiles({WEB.id: Crowded(77, 1024, 1024, "app", WEB.id)})
    (one,) = open_files_findings("inotify_init: too many open files", open_files=crowded)
    assert "inotify" not in one.variables


@pytest.mark.parametrize(("waited", "sampled"), [(0.0, False), (40.0, True), (None, True)])
def test_months_of_calm_do_not_hide_that_a_container_is_throttled_now(
    waited: float | None, sampled: bool
):
    figures = None if waited is None else {"cpu": {"some": {"avg60": waited}}}
    calm = CgroupStats(
        cpu=Cpu(periods=900_000, throttled=50, quota_us=50_000, period_us=100_000), pressure=figures
    )
    host = Made({"cgroup_rates": {WEB.id: {"delta": {"periods": 5, "throttled": 5}}}})
    answer = throttling(host, of(WEB), Cgroups({WEB.id: calm}))
    assert isinstance(answer, Throttling)
    assert (WEB.id in answer.by_id) == sampled


@pytest.mark.parametrize(
    ("count", "expected"), [(1024, ["critical"]), (980, ["warning"]), (850, [])]
)
def test_a_container_that_goes_on_with_no_file_left(count: int, expected: list[str]):
    crowded = OpenFiles({WEB.id: Crowded(77, count, 1024, "nginx", WEB.id)})
    nothing = HostLimits(None, None, None, None, ())
    assert severities(open_files_findings("", host_limits=nothing, open_files=crowded)) == expected


@pytest.mark.parametrize(("full", "count"), [(45.0, 1), (3.0, 0)])
def test_io_saturated(full: float, count: int):
    answer = judge(
        "resources.io-saturated",
        pressure=pressed("io", full),
        containers=of(WEB),
        cgroups=Cgroups({}),
    ).findings
    assert [one.severity or Severity.warning for one in answer] == [Severity.warning] * count


def test_io_does_not_apply_without_pressure_figures():
    assert (
        judge("resources.io-saturated", pressure=Pressure({"io": None}, (), 1)).verdict == "skipped"
    )
