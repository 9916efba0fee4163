"""What confines the engine, and cgroups that leak: on lines as they were reported, and made
figures."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.confinement import Confinement, confinement
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.limits.cgroup_counts import CgroupCounts, cgroup_counts
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.leaked_mounts import leaked_mounts
from diagnose.evidence.storage.mounts import Mounts, parse
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 10_000.0
LINE = (
    'audit: type=1400 audit(1745819311.037:2350): apparmor="DENIED" operation="signal" class="signal" profile="docker-default" pid=776562 '
    'comm="runc" requested_mask="receive" denied_mask="receive" signal=quit peer="{peer}"'
)
OTHER = LINE.replace('comm="runc"', 'comm="kubelet"').format(peer="/usr/bin/kubelet")
REFUSED: dict[str, Any] = {
    "State": {
        "Status": "created",
        "Pid": 0,
        "Error": "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error "
        "during container init: open sysctl net.ipv4.ip_unprivileged_port_start file: reopen fd 8: permission denied: unknown",
    }
}


def _collected(
    *texts: str, age: float = 60.0, containers: Any = (), kind: Any = None
) -> Confinement:
    host = Made({"file.read": kind or Failed("missing", "")})
    log = KernelLog(tuple(Record(NOW - age, text) for text in texts))
    return confinement(host, of(*containers), log, Clock(NOW, 0.0), Options(since_s=3600))


@pytest.mark.parametrize(
    ("texts", "age", "variables"),
    [
        pytest.param(
            [LINE.format(peer="runc")] * 2,
            60.0,
            [{"profile": "/etc/apparmor.d/runc"}],
            id="AppArmor 4 and runc",
        ),
        pytest.param(
            [LINE.format(peer="snap.docker.dockerd")], 60.0, [{"snap": "docker"}], id="the snap"
        ),
        pytest.param([LINE.format(peer="runc")], 7200.0, [], id="long ago"),
        pytest.param([OTHER], 60.0, [], id="somebody else's signal"),
        pytest.param(
            ['apparmor="DENIED" operation="open" profile="docker-default"'],
            60.0,
            [],
            id="another denial",
        ),
    ],
)
def test_stop_denied(texts: list[str], age: float, variables: list[dict[str, str]]) -> None:
    result = judge("security.stop-denied", confinement=_collected(*texts, age=age))
    assert [finding.variables for finding in result.findings] == variables


def test_sysctl_denied_is_one_finding_for_all_containers() -> None:
    refused = [container(name, **REFUSED) for name in ("a", "b")]
    found = _collected(containers=[*refused, container("well")], kind={"text": "lxc\n"})
    (finding,) = judge("security.sysctl-denied", confinement=found).findings
    assert "inside LXC" in finding.summary
    assert [subject.name for subject in finding.touches] == ["a", "b"]
    assert (
        judge(
            "security.sysctl-denied", confinement=_collected(containers=[container("well")])
        ).verdict
        == "passed"
    )


TABLE = (
    "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t{cpu}\t1\nmemory\t{own}\t{memory}\t1\n"
)


@pytest.mark.parametrize(
    ("table", "statistics", "counts"),
    [
        pytest.param(TABLE.format(cpu=120, own=4, memory=30000), "", CgroupCounts(30000, 120), id="cgroup v1"),
        pytest.param(
            TABLE.format(cpu=300, own=0, memory=300), "nr_descendants 300\nnr_dying_descendants 41\n",
            CgroupCounts(300, None, 41), id="cgroup v2",
        ),
    ],
)  # fmt: skip
def test_cgroups_are_counted(table: str, statistics: str, counts: CgroupCounts) -> None:
    texts = {"/proc/cgroups": table, "/sys/fs/cgroup/cgroup.stat": statistics}
    host = Made({"file.read": lambda question: {"text": texts[question.path]}})
    assert cgroup_counts(host) == counts


NO_ROOM = {
    "State": {
        "Status": "created",
        "Pid": 0,
        "Error": "mkdir /sys/fs/cgroup/memory/docker/9f: no space left on device",
    }
}


@pytest.mark.parametrize(
    ("counts", "one", "expected"),
    [
        pytest.param(CgroupCounts(104, 12), container(), [], id="a handful"),
        pytest.param(CgroupCounts(25_000, 24_900), container(), [], id="many that are in use"),
        pytest.param(
            CgroupCounts(30_000, 200), container(), [("warning", "host")], id="they pile up"
        ),
        pytest.param(
            CgroupCounts(65_500, 200), container(), [("critical", "host")], id="the last ids"
        ),
        pytest.param(
            CgroupCounts(65_535, 200),
            container(**NO_ROOM),
            [("critical", "host")],
            id="a start failed",
        ),
        pytest.param(
            CgroupCounts(104, 12), container(**NO_ROOM), [], id="a start failed, and it is over"
        ),
        pytest.param(CgroupCounts(300, None, 41), container(), [], id="cgroup v2"),
    ],
)
def test_cgroups_leaked(counts: CgroupCounts, one: Any, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("kernel.cgroups-leaked", counts=counts, containers=of(one))) == expected


BUSY = 'driver "overlay2" failed to remove root filesystem: unlinkat /var/lib/docker/overlay2/9f/diff/held: device or resource busy'
DEAD: dict[str, Any] = {"State": {"Status": "dead", "Pid": 0, "Error": BUSY}}
HELD = "36 35 0:50 / /var/lib/docker/overlay2/9f/diff/held rw - tmpfs none rw\n"


@pytest.mark.parametrize(
    ("error", "here", "elsewhere", "variables"),
    [
        pytest.param(BUSY, HELD, "", {"point"}, id="in the host's own namespace"),
        pytest.param(BUSY, "", HELD, {"mount", "pid"}, id="in another process's"),
        pytest.param(BUSY, "", "", {"path"}, id="nowhere to be seen"),
        pytest.param(
            BUSY.replace("device or resource busy", "operation not permitted"),
            HELD,
            HELD,
            {"path"},
            id="no mount",
        ),
    ],
)
def test_what_holds_a_dead_container(
    error: str, here: str, elsewhere: str, variables: set[str]
) -> None:
    stuck = container("stuck", State={**DEAD["State"], "Error": error})
    host = Made(
        {
            "file.read": {"text": elsewhere},
            "file.stats": {"/proc/70/ns/mnt": {"link": "mnt:[4026532]"}},
        }
    )
    leaks = leaked_mounts(
        host, of(stuck), Mounts(tuple(parse(here))), Processes((Process(70, comm="agent"),))
    )
    (finding,) = judge("container.dead", containers=of(stuck), leaks=leaks).findings
    assert finding.variables.keys() - {"container", "id"} == variables
