"""Collectors for control groups, both generations.

The kernel answers them from memory; most files are readable to everybody.

Sources: cgroup-v1/memory.rst, cgroup-v2.rst; fields as Linux 6.18 prints them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from diagnose.live import ERRNO_REASONS, Live
from diagnose.live.kernel.host import parse_pressure
from diagnose.live.kernel.mountinfo import MountEntry, mounts
from diagnose.model import Json
from diagnose.questions.containers import ReadCgroups, SampleCgroups

_Folder = Callable[[str], str | None]
"""The folder of a controller, if it is there."""
V1_UNLIMITED = 1 << 62
"""Version 1 prints no limit as the greatest multiple of a page below 2^63."""
_FROZEN_S = 0.2
"""Seconds after which all groups that are frozen are looked at again, once for all."""
FILE_BYTES = 65536
"""More than any of these files holds; the kernel gives each in one read."""
KNOWN_PLACES = (
    "docker/{id}",
    "system.slice/docker-{id}.scope",
    "libpod_parent/libpod-{id}",
    "machine.slice/libpod-{id}.scope",
)
"""Where engines put a container unless its CgroupParent says otherwise; used only when no process
of it is known."""
COUNTERS = ("periods", "throttled", "throttled_us", "usage_us")
"""Of the processor: what grows while a container works."""


def cgroups(_live: Live, question: ReadCgroups) -> Json:
    """The counters and limits of containers.

    `CgroupStats` or {failed: reason} by id; a figure that the kernel does not keep is null.
    """
    return sample(Places.now(), question.containers)


def sample(places: Places, wanted: Mapping[str, int | None]) -> dict[str, Json]:
    """The answer of `cgroups` for containers {id: pid or None} in these hierarchies."""
    answer = {id_: _sample(places, id_, pid) for id_, pid in wanted.items()}
    frozen = [id_ for id_, row in answer.items() if row.get("frozen_by")]
    if frozen:
        time.sleep(_FROZEN_S)
    for id_ in frozen:
        paths = group_paths(places, id_, wanted[id_])
        answer[id_]["frozen_by"] = _frozen_by(places, paths)
    return answer


def rates(_live: Live, question: SampleCgroups) -> Json:
    """How the counters grow: two samples in one answer.

    `CgroupGrowth` or {failed: reason} by id; a difference that is not kept is null.
    """
    places = Places.now()
    paths = {id_: group_paths(places, id_, pid) for id_, pid in question.containers.items()}
    first = {id_: (time.monotonic(), _cpu(places, own)) for id_, own in paths.items()}
    time.sleep(min(question.seconds, 2.0))
    answer: dict[str, Json] = {}
    for id_, own in paths.items():
        began, before = first[id_]
        after = _cpu(places, own)
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


class Places:
    """Where the hierarchies are mounted: by controller for version 1, and the one of version 2."""

    def __init__(self, table: list[MountEntry]) -> None:
        self.controllers: dict[str, MountEntry] = {}
        self.unified: MountEntry | None = None
        for mount in table:
            if mount.fstype == "cgroup2":
                self.unified = self.unified or mount
            elif mount.fstype == "cgroup":
                for option in mount.super:
                    self.controllers.setdefault(option, mount)

    @classmethod
    def now(cls) -> Places:
        """Where they are mounted now."""
        return cls(mounts())

    @property
    def version(self) -> int:
        """The version of control groups, 1 or 2.

        1 where the memory controller has a hierarchy of its own, also beside an empty unified one.
        """
        return 1 if "memory" in self.controllers else 2

    def folder(self, controller: str, path: str) -> str | None:
        """The folder of a cgroup path for a controller; "" names the unified hierarchy."""
        mount = self.controllers.get(controller) if controller else self.unified
        if mount is None:
            return None
        inside = path.removeprefix(mount.root) if mount.root != "/" else path
        return f"{mount.point}/{inside.lstrip('/')}"


def parse_membership(text: str, id_: str) -> dict[str, str]:
    """By controller, the path of the container's cgroup, from a /proc/PID/cgroup text.

    "" is the unified hierarchy.

    A process may have moved into a child of its container's group (an init system does): the path
    ends at the part that holds the id.
    """
    paths = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        parts = path.split("/")
        at = next((place for place, part in enumerate(parts) if id_ in part), None)
        if at is not None:
            for controller in controllers.split(","):
                paths[controller] = "/".join(parts[: at + 1])
    return paths


def group_paths(places: Places, id_: str, pid: int | None) -> dict[str, str]:
    """A container's cgroup paths by controller: by its process, else at the places where engines
    put them."""
    if pid:
        try:
            paths = parse_membership(Path(f"/proc/{pid}/cgroup").read_text(), id_)
        except OSError:
            paths = {}
        if paths:
            return paths
    for pattern in KNOWN_PLACES:
        path = "/" + pattern.format(id=id_)
        folder = places.folder(_main(places), path)
        if folder is not None and os.path.isdir(folder):  # noqa: PTH112 - by the hundred, as all paths here
            return dict.fromkeys([*places.controllers, ""], path)
    return {}


def _sample(places: Places, id_: str, pid: int | None) -> dict[str, Json]:
    """The limits, counters and pressure of one container's group."""
    paths = group_paths(places, id_, pid)
    failed = _failure(places, paths)
    if failed is not None:
        return failed
    main = _main(places)
    answer = (_version_1 if places.version == 1 else _version_2)(_folders(places, paths))
    unified = places.folder("", paths.get("", paths[main]))
    return {
        "path": paths[main],
        "version": places.version,
        **answer,
        "pressure": _pressure(unified),
        "frozen_by": _frozen_by(places, paths),
    }


def _cpu(places: Places, paths: Mapping[str, str]) -> dict[str, Json]:
    """What one container used of the processor, and its quota."""
    cpu = _cpu_1 if places.version == 1 else _cpu_2
    return _failure(places, paths) or cpu(_folders(places, paths))


def cpu_of_group(places: Places, path: str) -> dict[str, Json]:
    """What any group used of the processor, and its quota; path: in that hierarchy."""
    cpu = _cpu_1 if places.version == 1 else _cpu_2
    return cpu(_folders(places, dict.fromkeys(("cpu", "cpuacct", ""), path)))


def _main(places: Places) -> str:
    """The controller whose folder a container has in any case."""
    return "memory" if places.version == 1 else ""


def _folders(places: Places, paths: Mapping[str, str]) -> _Folder:
    """Where each controller has the group of these paths."""
    return lambda name: places.folder(name, paths[name]) if name in paths else None


def _failure(places: Places, paths: Mapping[str, str]) -> dict[str, Json] | None:
    """The row of a container whose group is not there."""
    folder = _folders(places, paths)(_main(places))
    if folder is None:
        return {"failed": "missing"}
    try:
        with os.scandir(folder) as entries:
            next(entries)
    except (OSError, StopIteration) as error:
        return {"failed": ERRNO_REASONS.get(getattr(error, "errno", None) or 0, "missing")}
    return None


def _frozen_by(places: Places, paths: dict[str, str]) -> str:
    """The file that freezes the processes of a group: its own, or that of a group above it.

    "" where they are not frozen. runc freezes a group for a moment when it changes its devices.
    Sources: cgroup-v1/freezer-subsystem.rst, and cgroup.freeze in cgroup-v2.rst.
    """
    freezer = next((freezer for freezer in FREEZERS if freezer.controller in paths), None)
    if freezer is None:
        return ""
    path = paths[freezer.controller]
    if not freezer.holds(places.folder(freezer.controller, path)):
        return ""
    parts = path.strip("/").split("/")
    above = ("/" + "/".join(parts[:length]) for length in range(len(parts), 0, -1))
    folders = (places.folder(freezer.controller, place) for place in above)
    by = next((folder for folder in folders if freezer.is_switched(folder)), None)
    return f"{by}/{freezer.switch}" if by is not None else ""


class Freezer(NamedTuple):
    """How one version of control groups freezes processes."""

    controller: str
    switch: str
    """The file that does it."""
    own: str
    """The one that says whether this very group was frozen."""

    def holds(self, folder: str | None) -> bool:
        """Whether the processes of a group are frozen, by whomever."""
        if self.controller:
            return (_read(folder, self.switch) or "").strip() == "FROZEN"
        return _pairs(folder, "cgroup.events").get("frozen") == 1

    def is_switched(self, folder: str | None) -> bool:
        """Whether this group itself was frozen, and not one above it."""
        return _number(folder, self.own) == 1


FREEZERS = (
    Freezer("freezer", "freezer.state", "freezer.self_freezing"),
    Freezer("", "cgroup.freeze", "cgroup.freeze"),
)
"""Version 1 has a controller of its own; where both are mounted, it is the one that counts."""


def _version_1(folder: _Folder) -> dict[str, Json]:
    """The limits and counters of a group of cgroup v1, where each controller has a folder."""
    memory = folder("memory")
    figures = _pairs(memory, "memory.stat")
    control = _pairs(memory, "memory.oom_control")
    usage = _number(memory, "memory.usage_in_bytes")
    both = _number(memory, "memory.memsw.usage_in_bytes")
    inactive = figures.get("total_inactive_file")
    return {
        "memory": {
            "usage": usage,
            "limit": _limit_or_none(_number(memory, "memory.limit_in_bytes")),
            "max_usage": _number(memory, "memory.max_usage_in_bytes"),
            "swap": None if both is None or usage is None else max(both - usage, 0),
            "swap_limit": _limit_or_none(_number(memory, "memory.memsw.limit_in_bytes")),
            "inactive_file": inactive,
            "working_set": _working_set(usage, inactive),
            "reclaimable": None
            if inactive is None
            else inactive + figures.get("total_active_file", 0),
            "oom_kill": control.get("oom_kill"),
            "under_oom": control.get("under_oom"),
        },
        "pids": _pids(folder("pids")),
        "cpu": _cpu_1(folder),
    }


def _cpu_1(folder: _Folder) -> dict[str, Json]:
    """What a group of cgroup v1 used of the processor, and its quota."""
    cpu = folder("cpu")
    throttling = _pairs(cpu, "cpu.stat")
    quota = _number(cpu, "cpu.cfs_quota_us")
    spent = _number(folder("cpuacct"), "cpuacct.usage")
    return {
        "periods": throttling.get("nr_periods"),
        "throttled": throttling.get("nr_throttled"),
        "throttled_us": None
        if "throttled_time" not in throttling
        else throttling["throttled_time"] // 1000,
        "usage_us": None if spent is None else spent // 1000,
        "quota_us": None if quota is None or quota < 0 else quota,
        "period_us": _number(cpu, "cpu.cfs_period_us"),
    }


def _version_2(folder: _Folder) -> dict[str, Json]:
    """The limits and counters of a group of cgroup v2."""
    here = folder("")
    usage = _number(here, "memory.current")
    figures = _pairs(here, "memory.stat")
    inactive = figures.get("inactive_file")
    return {
        "memory": {
            "usage": usage,
            "limit": _number(here, "memory.max"),
            "max_usage": _number(here, "memory.peak"),
            "swap": _number(here, "memory.swap.current"),
            "swap_limit": _number(here, "memory.swap.max"),
            "inactive_file": inactive,
            "working_set": _working_set(usage, inactive),
            "reclaimable": None
            if inactive is None
            else inactive + figures.get("active_file", 0) + figures.get("slab_reclaimable", 0),
            "oom_kill": _pairs(here, "memory.events").get("oom_kill"),
        },
        "pids": _pids(here),
        "cpu": _cpu_2(folder),
    }


def _cpu_2(folder: _Folder) -> dict[str, Json]:
    """What a group of cgroup v2 used of the processor, and its quota."""
    here = folder("")
    throttling = _pairs(here, "cpu.stat")
    quota, _, period = (_read(here, "cpu.max") or "").partition(" ")
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
        "current": _number(folder, "pids.current"),
        "max": _number(folder, "pids.max"),
        "events_max": _pairs(folder, "pids.events").get("max"),
    }


def _pressure(folder: str | None) -> dict[str, Json]:
    answer: dict[str, Json] = {}
    for resource in ("cpu", "memory", "io"):
        text = _read(folder, f"{resource}.pressure")
        answer[resource] = parse_pressure(text) if text else None
    return answer


def _read(folder: str | None, name: str) -> str | None:
    """The text of a file that some kernels or controllers do not have."""
    if folder is None:
        return None
    try:
        descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, FILE_BYTES).decode("ascii", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _number(folder: str | None, name: str) -> int | None:
    """A file of one number.

    None for "max", the word of version 2 for no limit, and where there is no such file.
    """
    text = (_read(folder, name) or "").strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _pairs(folder: str | None, name: str) -> dict[str, int]:
    rows = (line.split() for line in (_read(folder, name) or "").splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _limit_or_none(limit: int | None) -> int | None:
    return None if limit is None or limit >= V1_UNLIMITED else limit


def _working_set(usage: int | None, inactive: int | None) -> int | None:
    """What the kernel cannot take back at once: usage without the file cache that nobody reads."""
    return None if usage is None else max(usage - (inactive or 0), 0)
