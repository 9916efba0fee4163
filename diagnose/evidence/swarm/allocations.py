"""Tasks for which the swarm's leader finds no address or port, by the engine's log.

Such a task stays in the state "new", without an error of its own (swarmkit, manager/allocator).
"""

from collections.abc import Iterable, Mapping

import msgspec

from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.swarm.swarm import Task
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_MESSAGE = "task allocation failure"
_TASK = LazyPattern(r"for task (?P<task>[0-9a-z]{25})\b(?: network (?P<network>[0-9a-z]{25})\b)?")
_NO_ADDRESS = "could not find an available IP"


class Allocation(msgspec.Struct, frozen=True):
    """The line of the leader about the allocation of one task."""

    line: LogLine
    network: str = ""
    """The id of the network that has no address for it; "" for another reason."""


class FailedAllocations(msgspec.Struct, frozen=True):
    """The newest line of each failed allocation, by the task's id."""

    by_task: Mapping[str, Allocation] = {}

    def of(self, tasks: Iterable[Task]) -> Allocation | None:
        """The allocation of a task that still waits for it."""
        waiting = (self.by_task.get(task.id) for task in tasks if task.status.state == "new")
        return next(filter(None, waiting), None)


@evidence
def failed_allocations(log: DaemonLog) -> FailedAllocations:
    """The failed allocations of tasks, from the leader's own log; other nodes have none."""
    allocations: dict[str, Allocation] = {}
    for line in log:
        if line.message != _MESSAGE:
            continue
        match = _TASK.search(line.text)
        if match:
            is_full = _NO_ADDRESS in line.text
            allocations[match["task"]] = Allocation(
                line, (match["network"] or "") if is_full else ""
            )
    return FailedAllocations(allocations)
