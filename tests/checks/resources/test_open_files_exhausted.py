"""The checks in checks/resources/open_files_exhausted.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose import runbooks
from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Cpu, Throttling, throttling
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.limits.host_limits import Descriptors, HostLimits
from diagnose.evidence.machine.limits.open_files import OpenFiles, ProcessFiles
from diagnose.model import Finding
from tests.checks.resources.evidence import ROOMY, WEB, severities
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge


def open_files_findings(line: str, **evidence: Any) -> tuple[Finding, ...]:
    """What is found where this is the last line in the log of WEB."""
    tails = LogTails({WEB.id: LogTail((line,))} if line else {}, {})
    given = {"host_limits": ROOMY, "open_files": OpenFiles({}), **evidence}
    return judge(
        "resources.open-files-exhausted", containers=of(WEB), log_tails=tails, **given
    ).findings


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
    crowded = OpenFiles({WEB.id: ProcessFiles(77, 1024, 1024, "app", WEB.id)})
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
    crowded = OpenFiles({WEB.id: ProcessFiles(77, count, 1024, "nginx", WEB.id)})
    nothing = HostLimits(tasks=None, tasks_max=None, files=None, files_max=None, engines=())
    assert severities(open_files_findings("", host_limits=nothing, open_files=crowded)) == expected


@pytest.mark.parametrize(
    ("limit", "is_named"), [(1024, True), (524_288, False)], ids=["the same", "another"]
)
def test_a_limit_that_a_container_has_from_containerd(limit: int, is_named: bool) -> None:
    engines = (Descriptors(50, "containerd", 30, limit), Descriptors(51, "dockerd", 30, 1024))
    host = HostLimits(300, 32768, 5000, 100_000, engines)
    full = OpenFiles({WEB.id: ProcessFiles(9, 1024, 1024, "app", WEB.id)})
    (finding,) = open_files_findings("", host_limits=host, open_files=full)
    assert ("its limit is 1024, which it has from containerd" in finding.summary) == is_named


def test_the_limit_of_open_files_is_told_from_others():
    limits = [{"Name": "nproc", "Soft": 7, "Hard": 7}, {"Name": "nofile", "Soft": 512, "Hard": 512}]
    own = container("own", HostConfig={"Ulimits": limits})
    tails = LogTails({own.id: LogTail(("accept4: too many open files",))}, {})
    (finding,) = judge(
        "resources.open-files-exhausted",
        containers=of(own),
        log_tails=tails,
        host_limits=ROOMY,
        open_files=OpenFiles({}),
    ).findings
    assert finding.evidence["HostConfig.Ulimits nofile"] == 512
