"""How many memory cgroups the kernel holds.

One that is removed stays as long as pages are charged to it.
"""

from __future__ import annotations

import re

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

TABLE = "/proc/cgroups"
STATISTICS = "/sys/fs/cgroup/cgroup.stat"
LIMIT = 65535
"""Ids of memory cgroups (MEM_CGROUP_ID_MAX, mm/memcontrol.c)."""


class CgroupCounts(msgspec.Struct, frozen=True):
    """memory: memory cgroups, removed ones that are still charged included.

    others: the largest count of another v1 controller; None with cgroup v2, where all share one
    tree. dying: removed ones by cgroup v2; None with v1.
    """

    memory: int
    others: int | None = None
    dying: int | None = None

    @property
    def removed(self) -> int:
        """Those that no folder shows any more, as far as it is known."""
        if self.dying is not None:
            return self.dying
        return max(0, self.memory - self.others) if self.others is not None else 0


@evidence
def cgroup_counts(host: Host) -> CgroupCounts | Unavailable:
    """The table of controllers, and the statistics of cgroup v2 where it is mounted."""
    table = host.ask(ReadFile(TABLE))
    if isinstance(table, Failed):
        return Unavailable.of(table)
    rows = [line.split() for line in table.text.splitlines() if line and not line.startswith("#")]
    counts = {
        row[0]: (int(row[1]), int(row[2]))
        for row in rows
        if len(row) == 4 and row[1].isdigit() and row[2].isdigit()
    }
    if "memory" not in counts:
        return Unavailable("missing", f"{TABLE} does not list memory")
    hierarchy, memory = counts["memory"]
    if hierarchy:
        others = [number for own, number in counts.values() if own not in (0, hierarchy)]
        return CgroupCounts(memory, max(others, default=None))
    statistics = host.ask(ReadFile(STATISTICS))
    if isinstance(statistics, Failed):
        dying = None
    else:
        dying = re.search(r"nr_dying_descendants (\d+)", statistics.text)
    return CgroupCounts(memory, None, int(dying[1]) if dying else None)
