"""The collectors for control groups, both generations.

The kernel answers them from memory; most files are readable to everybody. `cgroup_places` says
where a group is, `cgroup_figures` what its files say, `cgroup_freezer` who froze it.
"""

import os
import time
from collections.abc import Mapping

from diagnose.live import ERRNO_REASONS, Live
from diagnose.live.kernel.cgroup_figures import cpu, figures, pressure
from diagnose.live.kernel.cgroup_freezer import frozen_by
from diagnose.live.kernel.cgroup_places import Places, group_paths, main_controller
from diagnose.model import Json
from diagnose.questions.containers import ReadCgroups, SampleCgroups

_FROZEN_S = 0.2
"""Seconds after which all groups that are frozen are looked at again, once for all."""
COUNTERS = ("periods", "throttled", "throttled_us", "usage_us")
"""Of the processor: what grows while a container works."""


def cgroups(_live: Live, question: ReadCgroups) -> Json:
    """The counters and limits of containers.

    `CgroupStats` or {failed: reason} by id; a figure that the kernel does not keep is null.
    """
    return sample(Places.now(), question.containers)


def sample(places: Places, groups: Mapping[str, int | None]) -> dict[str, Json]:
    """The answer of `cgroups` for containers {id: pid or None} in these hierarchies."""
    answer = {id_: _sample(places, id_, pid) for id_, pid in groups.items()}
    frozen = [id_ for id_, row in answer.items() if row.get("frozen_by")]
    if frozen:
        time.sleep(_FROZEN_S)
    for id_ in frozen:
        paths = group_paths(places, id_, groups[id_])
        answer[id_]["frozen_by"] = frozen_by(places, paths)
    return answer


def rates(_live: Live, question: SampleCgroups) -> Json:
    """How the counters grow: two samples in one answer.

    `CgroupGrowth` or {failed: reason} by id; a difference that is not kept is null.
    """
    places = Places.now()
    paths = {id_: group_paths(places, id_, pid) for id_, pid in question.containers.items()}
    first = {id_: (time.monotonic(), _cpu(places, own_path)) for id_, own_path in paths.items()}
    time.sleep(min(question.seconds, 2.0))
    answer: dict[str, Json] = {}
    for id_, own_path in paths.items():
        began, before = first[id_]
        after = _cpu(places, own_path)
        if "failed" in before or "failed" in after:
            answer[id_] = before if "failed" in before else after
            continue
        answer[id_] = {
            "seconds": time.monotonic() - began,
            "delta": {name: _difference(before[name], after[name]) for name in COUNTERS},
        }
    return answer


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _sample(places: Places, id_: str, pid: int | None) -> dict[str, Json]:
    """The limits, counters and pressure of one container's group."""
    paths = group_paths(places, id_, pid)
    failed = _failure(places, paths)
    if failed is not None:
        return failed
    path = paths[main_controller(places)]
    return {
        "path": path,
        "version": places.version,
        **figures(places.group(paths)),
        "pressure": pressure(places.folder("", paths.get("", path))),
        "frozen_by": frozen_by(places, paths),
    }


def _cpu(places: Places, paths: Mapping[str, str]) -> dict[str, Json]:
    """The CPU time of one container and its quota, or why its group is not there."""
    return _failure(places, paths) or cpu(places.group(paths))


def cpu_of_group(places: Places, path: str) -> dict[str, Json]:
    """The CPU time of any group and its quota. path: in that hierarchy."""
    return cpu(places.group(dict.fromkeys(("cpu", "cpuacct", ""), path)))


def _failure(places: Places, paths: Mapping[str, str]) -> dict[str, Json] | None:
    """The row of a container whose group is not there."""
    folder = places.group(paths).folder(main_controller(places))
    if folder is None:
        return {"failed": "missing"}
    try:
        with os.scandir(folder) as entries:
            next(entries)
    except (OSError, StopIteration) as error:
        return {"failed": ERRNO_REASONS.get(getattr(error, "errno", None) or 0, "missing")}
    return None
