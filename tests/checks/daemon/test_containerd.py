"""The checks in checks/daemon/containerd.py."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon, ProcessDetail
from diagnose.evidence.engine.daemon_json.faults import ConfigFaults
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log_lines import LogLine
from diagnose.evidence.engine.starting.containerd_log import ContainerdLog
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Unavailable
from diagnose.questions.service import Unit
from tests.checks.daemon.evidence import NOTHING, SYSTEM_UNIT, daemon, engine, log
from tests.judging import judge, rows

STOPPED = replace(SYSTEM_UNIT, active_state="inactive", sub_state="dead", result="success")


@pytest.mark.parametrize(
    ("one", "words", "fires"),
    [
        pytest.param(
            daemon(silence=None, process=engine(), containerds=()),
            NOTHING,
            True,
            id="gone under the engine",
        ),
        pytest.param(
            daemon(silence=None, process=engine(), containerds=(engine(),)),
            NOTHING,
            False,
            id="alive",
        ),
        pytest.param(daemon(containerds=()), NOTHING, False, id="it went with its engine"),
        pytest.param(
            daemon(containerds=(), containerd_unit=SYSTEM_UNIT), NOTHING, True, id="the unit failed"
        ),
        pytest.param(
            daemon(containerds=(), containerd_unit=STOPPED),
            NOTHING,
            False,
            id="somebody has stopped both",
        ),
        pytest.param(
            daemon(containerds=(), containerd_unit=replace(STOPPED, load_state="masked")),
            NOTHING,
            True,
            id="the unit is masked",
        ),
        pytest.param(
            daemon(containerds=()),
            log("failed to start containerd: timeout waiting for containerd to start"),
            True,
            id="said",
        ),
    ],
)
def test_containerd_down(one: Daemon, words: Any, fires: bool) -> None:
    assert bool(judge("daemon.containerd-down", daemon=one, log=words).findings) is fires


KILLED = replace(SYSTEM_UNIT, result="signal")
NEXT: dict[str, tuple[Unit, str, dict[str, str]]] = {
    "it was killed": (KILLED, "", {"stopped": "containerd"}),
    "it ended by itself": (SYSTEM_UNIT, "", {"failing": "containerd"}),
    "it says why": (KILLED, "containerd: it does not work", {"failing": "containerd"}),
    "a file is where its folder should be": (
        SYSTEM_UNIT,
        "containerd: mkdir /srv/ctr: not a directory",
        {"aside": "/srv/ctr"},
    ),
    "it names a path": (
        SYSTEM_UNIT,
        "containerd: mkdir /srv/ctr/io: disk quota exceeded",
        {"refused_path": "/srv/ctr/io"},
    ),
}


@pytest.mark.parametrize(("unit", "words", "expected"), NEXT.values(), ids=NEXT)
def test_another_start_is_offered_only_where_it_may_end_otherwise(
    unit: Unit, words: str, expected: dict[str, str]
) -> None:
    one = daemon(
        silence=None, process=engine(), containerds=(), managed=False, containerd_unit=unit
    )
    said = ContainerdLog((LogLine(100.0, "fatal", words),) if words else (), "x")
    (finding,) = judge("daemon.containerd-down", daemon=one, containerd_log=said).findings
    offered = {name: text for name, text in finding.variables.items() if name != "unit"}
    assert offered == expected


@pytest.mark.parametrize(
    ("killed_at", "is_named"), [(150.0, True), (97.0, True), (40.0, False)],
    ids=["its end", "a clock that is a little apart", "an earlier run"],
)  # fmt: skip
def test_the_kernel_killed_it_in_its_group(killed_at: float, is_named: bool) -> None:
    group = "/system.slice/containerd.service"
    kernel = KernelLog(
        (Record(killed_at, f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg={group},task_memcg={group},task=containerd,pid=69,uid=0"),
         Record(killed_at, "Memory cgroup out of memory: Killed process 69 (containerd) total-vm:1kB, anon-rss:9kB, file-rss:0kB"))
    )  # fmt: skip
    one = daemon(
        silence=None, process=engine(), containerds=(), managed=False, containerd_unit=SYSTEM_UNIT
    )
    said = ContainerdLog((LogLine(100.0, "info", "containerd successfully booted in 0.1s"),), "x")
    result = judge("daemon.containerd-down", daemon=one, containerd_log=said, kernel=kernel)
    (finding,) = result.findings
    assert ("the kernel killed it there" in finding.summary) == is_named
    assert (finding.variables.get("capped") == "containerd.service") == is_named


def test_a_masked_unit_is_unmasked() -> None:
    masked = replace(STOPPED, load_state="masked")
    one = daemon(silence=None, process=engine(), containerds=(), containerd_unit=masked)
    (finding,) = judge("daemon.containerd-down", daemon=one).findings
    assert (finding.variables.get("masked"), finding.variables.get("stopped")) == (
        "containerd",
        None,
    )


def test_podman_has_no_such_parts() -> None:
    podman = daemon(
        silence=None, process=ProcessDetail(5, "podman"), containerds=(), is_podman=True
    )
    faults = ConfigFaults("/etc/docker/daemon.json", (Fault("", "x", 1, 1),))
    assert judge("daemon.containerd-down", daemon=podman).verdict == "skipped"
    assert judge("daemon.containerd-hung", daemon=podman, info=Info()).verdict == "skipped"
    assert judge("daemon.config-invalid", daemon=podman, config=faults).verdict == "skipped"
    assert (
        judge("daemon.live-restore-off", info=Info(containers_running=3), daemon=podman).verdict
        == "skipped"
    )


@pytest.mark.parametrize(
    ("parent", "comm", "count"), [(1, "docker-init", 1), (0, "docker-init", 0), (0, "runc", 0)]
)
def test_a_version_that_the_engine_waits_for_is_no_silent_containerd(
    parent: int, comm: str, count: int
) -> None:
    up = daemon(silence=None, process=engine(), containerds=(engine("S", threads={"S": 9}),))
    assert up.processes.engine is not None
    child = Process(901, parent or up.processes.engine.pid, comm, "S", 10.0, 0)
    result = judge(
        "daemon.containerd-hung",
        daemon=up,
        info=Unavailable("timed out", "GET /info"),
        containers=Containers(()),
        processes=Processes((child,)),
    )
    assert rows(result) == [("critical", "docker")] * count


def test_containerd_hung() -> None:
    alive, quiet = engine("S", threads={"S": 9}), Unavailable("timed out", "GET /info")
    up = daemon(silence=None, process=engine(), containerds=(alive,))
    result = judge("daemon.containerd-hung", daemon=up, info=quiet, containers=Containers(()))
    assert rows(result) == [("critical", "docker")]
    assert (
        judge("daemon.containerd-hung", daemon=up, info=Info(), containers=Containers(())).verdict
        == "passed"
    )
    stopped = daemon(silence=None, process=engine(), containerds=(engine("T"),))
    result = judge("daemon.containerd-hung", daemon=stopped, info=Info(), containers=Containers(()))
    assert rows(result) == [("critical", "docker")]
