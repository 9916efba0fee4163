"""The number of memory cgroups that the kernel holds.

A removed one stays as long as pages are charged to it.
"""

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
    """The number of control groups that the kernel holds."""

    memory: int
    """Memory cgroups, removed ones that are still charged included."""
    others: int | None = None
    """The largest count of another v1 controller; None with cgroup v2, where all share one tree."""
    dying: int | None = None
    """Removed ones by cgroup v2; None with v1."""

    @property
    def removed(self) -> int:
        """The known number of groups without a folder."""
        if self.dying is not None:
            return self.dying
        return max(0, self.memory - self.others) if self.others is not None else 0


@evidence
def cgroup_counts(host: Host) -> CgroupCounts | Unavailable:
    """The table of controllers, and the statistics of cgroup v2 where it is mounted."""
    table = host.require(ReadFile(TABLE))
    counts = _counts(table.text)
    if "memory" not in counts:
        return Unavailable("missing", f"{TABLE} does not list memory")
    memory_hierarchy = counts["memory"].hierarchy
    memory = counts["memory"].groups
    if memory_hierarchy:
        counts_of_others = [
            row.groups for row in counts.values() if row.hierarchy not in (0, memory_hierarchy)
        ]
        return CgroupCounts(memory, max(counts_of_others, default=None))
    statistics = host.ask(ReadFile(STATISTICS))
    if isinstance(statistics, Failed):
        return CgroupCounts(memory)
    dying = re.search(r"nr_dying_descendants (\d+)", statistics.text)
    return CgroupCounts(memory, dying=int(dying[1]) if dying else None)


class _Controller(msgspec.Struct, frozen=True):
    """A line of /proc/cgroups."""

    hierarchy: int
    """0 for the one of cgroup v2, or for none."""
    groups: int


def _counts(table: str) -> dict[str, _Controller]:
    """The controllers by their names."""
    counts = {}
    for line in table.splitlines():
        fields = line.split()
        is_row = len(fields) == 4 and fields[1].isdigit() and fields[2].isdigit()
        if is_row and not line.startswith("#"):
            counts[fields[0]] = _Controller(int(fields[1]), int(fields[2]))
    return counts
