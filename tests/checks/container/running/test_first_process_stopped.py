"""The checks in checks/container/running/first_process_stopped.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, cgroups
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.container.evidence import NOW, container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

FROZEN = {
    "version 1": ("/sys/fs/cgroup/freezer/docker/c1/freezer.state", "THAWED"),
    "version 2": ("/sys/fs/cgroup/system.slice/cgroup.freeze", "0"),
}


@pytest.mark.parametrize(("file", "word"), FROZEN.values(), ids=FROZEN)
def test_a_frozen_group(file: str, word: str) -> None:
    container = container_in("running")
    found = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((Process(pid=100, comm="app", state="S"),)),
        cgroups=Cgroups({container.id: CgroupStats(frozen_by=file)}),
    ).findings
    assert [(finding.variables["frozen_by"], finding.variables["thaw"]) for finding in found] == [
        (file, word)
    ]


@pytest.mark.parametrize(
    ("status", "state", "hung", "number"),
    [
        ("running", "T", False, 1),
        ("running", "S", False, 0),
        ("running", "t", False, 0),
        ("paused", "T", False, 0),
        ("running", "D", False, 0),
        ("running", "D", True, 1),
    ],
)
def test_a_first_process_that_does_not_run(status: str, state: str, hung: bool, number: int):
    container = container_in(status)
    lines = (
        (Record(NOW - 60, "INFO: task app:100 blocked for more than 120 seconds."),) if hung else ()
    )
    result = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((Process(pid=100, comm="app", state=state),)),
        kernel_log=KernelLog(lines),
    )
    assert rows(result) == [("warning", "web")] * number


LIMITERS = {
    "its pid": (["cpulimit", "-p", "100", "-l", "10"], "cpulimit", ["811"]),
    "its pid behind an equals sign": (["cpulimit", "--pid=100"], "cpulimit", ["811"]),
    "another process": (["cpulimit", "-p", "1000"], "cpulimit", []),
    "another program": (["renice", "100"], "renice", []),
}


@pytest.mark.parametrize("state", ["S", "T"])
@pytest.mark.parametrize(("words", "comm", "expected"), LIMITERS.values(), ids=LIMITERS)
def test_a_process_that_cpulimit_holds(
    words: list[str], comm: str, expected: list[str], state: str
) -> None:
    container = container_in("running")
    first = Process(pid=100, comm="app", state=state, container=container.id)
    found = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((first, Process(pid=811, comm=comm, cmdline=words))),
    ).findings
    assert [it.variables["limiter"] for it in found if "limiter" in it.variables] == expected


def test_another_process_that_cpulimit_holds() -> None:
    container = container_in("running")
    first = Process(pid=100, comm="init", state="S", container=container.id)
    held = Process(pid=101, comm="app", state="T", ppid=100, container=container.id)
    limiter = Process(pid=811, comm="cpulimit", cmdline=["cpulimit", "-p", "101"])
    result = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((first, held, limiter)),
    )
    assert rows(result) == [("warning", "web")]
    assert "its process app (pid 101) is stopped and resumed" in result.findings[0].summary


INNER = {
    "a child": (Process(pid=101, ppid=100, comm="httpd", state="T", container="{id}"), ["101"]),
    "a grandchild": (Process(pid=103, ppid=102, comm="php", state="T", container="{id}"), ["103"]),
    "of docker exec": (Process(pid=105, ppid=90, comm="vi", state="T", container="{id}"), []),
    "a child that sleeps": (Process(pid=101, ppid=100, comm="a", state="S", container="{id}"), []),
    "of another container": (Process(pid=101, ppid=100, state="T", container="c9"), []),
}


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize(("process", "expected"), INNER.values(), ids=INNER)
def test_a_process_that_the_first_one_has_started(
    process: Process, expected: list[str], *, tty: bool
) -> None:
    container = container_in("running", Config={"Tty": tty})
    first = Process(pid=100, ppid=90, comm="sh", state="S", container=container.id)
    shell = Process(pid=102, ppid=100, comm="sh", state="S", container=container.id)
    owner = (process.container or "").format(id=container.id)
    found = judge(
        "container.first-process-stopped",
        containers=of(container),
        processes=Processes((first, shell, msgspec.structs.replace(process, container=owner))),
    ).findings
    assert [finding.variables["stopped"] for finding in found] == ([] if tty else expected)


@pytest.mark.parametrize(("later", "kept"), [("paused", False), ("running", True)])
def test_a_pause_between_two_looks_is_no_frozen_group(later: str, kept: bool) -> None:
    container = container_in("running")
    groups = {container.id: {"path": "/x", "frozen_by": "/sys/fs/cgroup/x/cgroup.freeze"}}
    again = {"Id": container.id, "Name": "/web", "State": {"Status": later, "Pid": 100}}
    answer = cgroups(Made({"cgroups": groups, "api.again": again}), of(container))
    assert isinstance(answer, Cgroups)
    assert bool(answer.by_id[container.id].frozen_by) is kept
