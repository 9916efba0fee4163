"""The limits and counters of one control group, by the files of both generations.

A figure that the kernel does not keep is None. Sources: cgroup-v1/memory.rst, cgroup-v2.rst; fields
as Linux 6.18 prints them.
"""

from diagnose.live.kernel.cgroup_files import file_number, file_pairs, file_text
from diagnose.live.kernel.cgroup_places import Group
from diagnose.live.kernel.host import parse_pressure
from diagnose.model import Json

V1_UNLIMITED = 1 << 62
"""Version 1 prints no limit as the greatest multiple of a page below 2^63."""


def figures(group: Group) -> dict[str, Json]:
    """The usage and the limits of a group: memory, processes and processor."""
    return _version_1(group) if group.version == 1 else _version_2(group)


def cpu(group: Group) -> dict[str, Json]:
    """The CPU time of a group and its quota."""
    return _cpu_1(group) if group.version == 1 else _cpu_2(group)


def _version_1(group: Group) -> dict[str, Json]:
    """The limits and counters of a group of cgroup v1, where each controller has a folder."""
    memory = group.folder("memory")
    figures = file_pairs(memory, "memory.stat")
    control = file_pairs(memory, "memory.oom_control")
    usage = file_number(memory, "memory.usage_in_bytes")
    in_all = file_number(memory, "memory.memsw.usage_in_bytes")
    inactive = figures.get("total_inactive_file")
    reclaimable = None
    if inactive is not None:
        reclaimable = inactive + figures.get("total_active_file", 0)
    return {
        "memory": {
            "usage": usage,
            "limit": _limit_or_none(file_number(memory, "memory.limit_in_bytes")),
            "max_usage": file_number(memory, "memory.max_usage_in_bytes"),
            "swap": None if in_all is None or usage is None else max(in_all - usage, 0),
            "swap_limit": _limit_or_none(file_number(memory, "memory.memsw.limit_in_bytes")),
            "inactive_file": inactive,
            "working_set": _working_set(usage, inactive),
            "reclaimable": reclaimable,
            "oom_kill": control.get("oom_kill"),
            "under_oom": control.get("under_oom"),
        },
        "pids": _pids(group.folder("pids")),
        "cpu": _cpu_1(group),
    }


def _cpu_1(group: Group) -> dict[str, Json]:
    """The CPU time of a group of cgroup v1 and its quota."""
    cpu = group.folder("cpu")
    throttling = file_pairs(cpu, "cpu.stat")
    throttled_ns = throttling.get("throttled_time")
    quota = file_number(cpu, "cpu.cfs_quota_us")
    spent = file_number(group.folder("cpuacct"), "cpuacct.usage")
    return {
        "periods": throttling.get("nr_periods"),
        "throttled": throttling.get("nr_throttled"),
        "throttled_us": None if throttled_ns is None else throttled_ns // 1000,
        "usage_us": None if spent is None else spent // 1000,
        "quota_us": None if quota is None or quota < 0 else quota,
        "period_us": file_number(cpu, "cpu.cfs_period_us"),
    }


def _version_2(group: Group) -> dict[str, Json]:
    """The limits and counters of a group of cgroup v2."""
    folder = group.folder("")
    usage = file_number(folder, "memory.current")
    figures = file_pairs(folder, "memory.stat")
    inactive = figures.get("inactive_file")
    reclaimable = None
    if inactive is not None:
        others = figures.get("active_file", 0) + figures.get("slab_reclaimable", 0)
        reclaimable = inactive + others
    return {
        "memory": {
            "usage": usage,
            "limit": file_number(folder, "memory.max"),
            "max_usage": file_number(folder, "memory.peak"),
            "swap": file_number(folder, "memory.swap.current"),
            "swap_limit": file_number(folder, "memory.swap.max"),
            "inactive_file": inactive,
            "working_set": _working_set(usage, inactive),
            "reclaimable": reclaimable,
            "oom_kill": file_pairs(folder, "memory.events").get("oom_kill"),
        },
        "pids": _pids(folder),
        "cpu": _cpu_2(group),
    }


def _cpu_2(group: Group) -> dict[str, Json]:
    """The CPU time of a group of cgroup v2 and its quota."""
    folder = group.folder("")
    throttling = file_pairs(folder, "cpu.stat")
    quota, _, period = (file_text(folder, "cpu.max") or "").partition(" ")
    return {
        "periods": throttling.get("nr_periods"),
        "throttled": throttling.get("nr_throttled"),
        "throttled_us": throttling.get("throttled_usec"),
        "usage_us": throttling.get("usage_usec"),
        "quota_us": int(quota) if quota.isdigit() else None,
        "period_us": int(period) if period.strip().isdigit() else None,
    }


def _pids(folder: str | None) -> dict[str, Json]:
    return {
        "current": file_number(folder, "pids.current"),
        "max": file_number(folder, "pids.max"),
        "events_max": file_pairs(folder, "pids.events").get("max"),
    }


def pressure(folder: str | None) -> dict[str, Json]:
    """How long the processes of a group of version 2 waited for each resource."""
    answer: dict[str, Json] = {}
    for resource in ("cpu", "memory", "io"):
        text = file_text(folder, f"{resource}.pressure")
        answer[resource] = parse_pressure(text) if text else None
    return answer


def _limit_or_none(limit: int | None) -> int | None:
    return None if limit is None or limit >= V1_UNLIMITED else limit


def _working_set(usage: int | None, inactive: int | None) -> int | None:
    """Bytes that the kernel cannot reclaim at once: usage without the inactive file cache."""
    return None if usage is None else max(usage - (inactive or 0), 0)
