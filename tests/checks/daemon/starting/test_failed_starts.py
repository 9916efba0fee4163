"""The checks in checks/daemon/starting/failed_starts.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.daemon import Unit
from diagnose.evidence.engine.daemon_processes import PidFile
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.storage.mounts import Mounts, parse
from tests.checks.daemon.evidence import ROOT, SYSTEM_UNIT, daemon, log, only_finding
from tests.judging import judge


@pytest.mark.parametrize(
    ("words", "check", "fires"),
    [
        pytest.param(
            "failed to start daemon: error initializing graphdriver: driver not supported",
            "storage",
            True,
            id="driver",
        ),
        pytest.param(
            'level=warning msg="skip loading plugin aufs"', "storage", False, id="the usual notes"
        ),
        pytest.param(
            "failed to start daemon: Error initializing network controller: x",
            "bridge",
            True,
            id="network",
        ),
        pytest.param("failed to start daemon: x", "bridge", False, id="something else"),
    ],
)
def test_failed_starts(words: str, check: str, fires: bool) -> None:
    id = {"storage": "daemon.storage-driver-failed", "bridge": "daemon.bridge-init-failed"}[check]
    assert bool(judge(id, daemon=daemon(), log=log(words)).findings) is fires
    assert judge(id, daemon=daemon()).verdict == "unknown"
    assert judge(id, daemon=daemon(silence=None)).verdict == "passed"


def test_stale_pidfile() -> None:
    taken, own = (
        PidFile("/var/run/docker.pid", 4711, "sleep"),
        PidFile("/var/run/docker.pid", 69, "dockerd"),
    )
    assert [
        finding.variables["pid"]
        for finding in judge("daemon.stale-pidfile", daemon=daemon(pid_files=(taken,))).findings
    ] == ["4711"]
    assert judge("daemon.stale-pidfile", daemon=daemon(pid_files=(own,))).findings == ()
    assert (
        judge("daemon.stale-pidfile", daemon=daemon(silence=None, pid_files=(taken,))).findings
        == ()
    )


@pytest.mark.parametrize(
    ("state", "result", "restarts", "hit"),
    [
        pytest.param("failed", "start-limit-hit", "3", True, id="systemd 262"),
        pytest.param(
            "failed",
            "exit-code",
            "3",
            True,
            id="systemd 257, which keeps the last failure's result",
        ),
        pytest.param("activating", "exit-code", "3", False, id="about to be started again"),
        pytest.param("failed", "exit-code", "0", False, id="a unit that is not started again"),
    ],
)
def test_start_limit_hit(state: str, result: str, restarts: str, hit: bool) -> None:
    unit = Unit(
        load_state="loaded",
        active_state=state,
        result=result,
        n_restarts=restarts,
        start_limit_burst="3",
    )
    findings = judge("daemon.start-limit-hit", daemon=daemon(unit=unit)).findings
    assert [finding.summary for finding in findings] == [
        "systemd gave up starting docker.service after 3 failed starts"
    ] * hit
    assert judge("daemon.start-limit-hit", daemon=daemon(unit=SYSTEM_UNIT)).verdict == "passed"


UNSUPPORTED = "failed to start daemon: error initializing graphdriver: driver not supported"
PRIOR = (
    'time="2026-01-02T03:04:05Z" level=error msg="[graphdriver] prior storage driver overlay2 '
    'failed: driver not supported"'
)


@pytest.mark.parametrize(
    ("fstype", "variable"),
    [
        pytest.param("nfs4", "unfit", id="a share"),
        pytest.param("fuse.sshfs", "unfit", id="a file system of a program"),
        pytest.param("overlay", "unfit", id="an engine in a container"),
        pytest.param("ext4", "old", id="a disk"),
    ],
)
def test_data_root_where_overlay2_does_not_work(fstype: str, variable: str) -> None:
    table = (
        f"30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 0:40 / /var/lib/docker rw - {fstype} x rw\n"
    )
    given = {"log": log(PRIOR, UNSUPPORTED), "root": ROOT, "mounts": Mounts(tuple(parse(table)))}
    finding = only_finding(judge("daemon.storage-driver-failed", daemon=daemon(), **given).findings)
    assert variable in finding.variables
    assert (fstype in finding.summary) is (variable == "unfit")


def test_a_driver_whose_module_is_gone_needs_a_reboot() -> None:
    said = log("failed to start daemon: error initializing graphdriver: driver not supported")
    gone = Modules("6.1.8", loaded=90, folder="", others=("6.1.9",))
    (finding,) = judge(
        "daemon.storage-driver-failed", daemon=daemon(), log=said, modules=gone
    ).findings
    assert "modules of the running kernel 6.1.8" in finding.summary
    assert finding.variables["release"] == "6.1.8"
