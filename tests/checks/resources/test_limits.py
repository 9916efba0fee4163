"""The checks in checks/resources/limits.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Cpu, Memory, Throttling
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.parent_quotas import ParentQuotas, SharedQuota
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.pressure import HostMemory
from diagnose.questions.containers import ParentQuota
from tests.checks.resources.evidence import GIB, MIB, WEB, cgroup_of, severities, web
from tests.inspected import EXITED, of
from tests.judging import judge

LIMITED = web(HostConfig={"Memory": 64 * MIB, "PidsLimit": 100, "NanoCpus": 10**9})


@pytest.mark.parametrize(
    ("name", "container", "held", "summary"),
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
        ("is not running", web(**EXITED), Memory(), None),
    ],
)
def test_no_limits(name: str, container: Container, held: Memory, summary: str | None):
    answer = judge(
        "resources.no-limits", containers=of(container), cgroups=cgroup_of(memory=held)
    ).findings
    assert [finding.summary for finding in answer] == ([summary] if summary else [])


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
    assert [finding.variables["cpus"] for finding in answer] == ["1"] * count


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
    result = judge(
        "resources.limits-not-enforced", info=info, containers=of(LIMITED), host_memory=host
    )
    assert severities(result.findings) == expected


ENGINES = {
    "a kernel without a controller": (Info(cgroup_driver="cgroupfs"), "boot_option"),
    "a rootless engine": (Info(cgroup_driver="none"), "driver"),
}


@pytest.mark.parametrize(("info", "variable"), ENGINES.values(), ids=ENGINES)
def test_only_a_kernel_is_booted_with_another_option(info: Info, variable: str) -> None:
    missing = msgspec.structs.replace(
        info, memory_limit=False, pids_limit=True, cpu_cfs_quota=True, swap_limit=False
    )
    (finding,) = judge(
        "resources.limits-not-enforced", info=missing, containers=of(LIMITED), host_memory=None
    ).findings
    assert list(finding.variables) == [variable]


def test_nobody_has_such_a_limit() -> None:
    info = Info(cgroup_driver="none", cpu_cfs_quota=False)
    (finding,) = judge(
        "resources.limits-not-enforced", info=info, containers=of(), host_memory=None
    ).findings
    assert finding.summary.endswith("does not enforce CPU limits: no container has one")


V1 = "/sys/fs/cgroup/cpu/limited/cpu.cfs_quota_us"
SLICE = "/sys/fs/cgroup/shop.slice/cpu.max"
PARENTS = {
    "a group of version 1": (
        ParentQuota("/limited", V1, [WEB.id], 10_000, 100_000, 5, 5),
        {"quota_file": V1, "quota": "100000"},
    ),
    "a slice": (
        ParentQuota("/shop.slice", SLICE, [WEB.id], 150_000, 100_000, 5, 3),
        {"slice": "shop.slice", "slice_quota": "CPUQuota=300%"},
    ),
    "a group of version 2": (
        ParentQuota("/shop", "/sys/fs/cgroup/shop/cpu.max", [WEB.id], 10_000, 50_000, 5, 5),
        {"quota_file": "/sys/fs/cgroup/shop/cpu.max", "quota": "50000 50000"},
    ),
    "seldom throttled": (ParentQuota("/limited", V1, [WEB.id], 10_000, 100_000, 5, 1), None),
    "idle": (ParentQuota("/limited", V1, [WEB.id], 10_000, 100_000), None),
}


@pytest.mark.parametrize(("quota", "variables"), PARENTS.values(), ids=PARENTS)
def test_a_group_above_containers_is_throttled(
    quota: ParentQuota, variables: dict[str, str] | None
) -> None:
    result = judge(
        "resources.cpu-throttled",
        containers=of(WEB),
        cgroups=Cgroups({}),
        throttling=Throttling({}),
        parents=ParentQuotas((SharedQuota(quota, (WEB,)),)),
        info=Info(ncpu=8),
    )
    assert [finding.variables for finding in result.findings] == ([variables] if variables else [])
    assert all('container "web" is held back by' in finding.summary for finding in result.findings)
