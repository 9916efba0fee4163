"""The collector for the quotas of control groups above containers: a slice, or a parent's group.

Sources: sched-bwc.rst and cgroup-v2.rst; fields as Linux 6.18 prints them.
"""

import time
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.live import Live
from diagnose.live.kernel.cgroup_places import Places, group_paths
from diagnose.live.kernel.cgroups import cpu_of_group
from diagnose.model import Json
from diagnose.questions.containers import ParentQuota, SampleParentQuotas


def parent_quotas(_live: Live, question: SampleParentQuotas) -> Json:
    """Each group with a quota; one that was throttled before is looked at twice."""
    places = Places.now()
    limited = list(_limited_parents(places, question.containers))
    before = {quota.path: cpu_of_group(places, quota.path) for quota in limited}
    if any(quota.throttled for quota in limited):
        time.sleep(min(question.seconds, 2.0))
    answer = []
    for quota in limited:
        after = cpu_of_group(places, quota.path)
        growth = {
            name: (after.get(name) or 0) - (before[quota.path].get(name) or 0)
            for name in ("periods", "throttled")
        }
        answer.append(msgspec.to_builtins(msgspec.structs.replace(quota, **growth)))
    return answer


def _limited_parents(places: Places, containers: Mapping[str, int | None]) -> Iterator[ParentQuota]:
    """The groups with a quota, with what was throttled since they exist."""
    name = "cpu.cfs_quota_us" if places.version == 1 else "cpu.max"
    controller = "cpu" if places.version == 1 else ""
    for path, ids in _parents(places, controller, containers).items():
        cpu = cpu_of_group(places, path)
        quota = cpu.get("quota_us")
        period = cpu.get("period_us")
        if quota and period:
            file = f"{places.folder(controller, path)}/{name}"
            yield ParentQuota(path, file, ids, quota, period, throttled=cpu.get("throttled") or 0)


def _parents(
    places: Places, controller: str, containers: Mapping[str, int | None]
) -> dict[str, list[str]]:
    """The groups above containers, without the root, each with the ids of those below it."""
    below: dict[str, list[str]] = {}
    for id_, pid in containers.items():
        parts = group_paths(places, id_, pid).get(controller, "").strip("/").split("/")
        for length in range(1, len(parts)):
            below.setdefault("/" + "/".join(parts[:length]), []).append(id_)
    return below
