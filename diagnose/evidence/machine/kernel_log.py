"""The kernel log and its lines about out-of-memory kills, hung tasks, refused forks."""

import functools
import posixpath
import re
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import assignments
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadKernelLog, Record
from diagnose.registry import begun_early, evidence

__all__ = ["UNNAMED", "HungTask", "KernelLog", "OomKill", "Record", "kernel_log", "oom_kills"]

_ID = LazyPattern(r"[0-9a-f]{64}")
_OOM = LazyPattern(r"\boom-kill:constraint=(?P<constraint>\w+),(?P<rest>.*)")
_KILLED = LazyPattern(
    r"Killed process (?P<pid>\d+) \((?P<task>.{0,64}?)\).{0,400}?anon-rss:(?P<anon>\d+)kB"
)
_LIMIT = LazyPattern(r"memory: usage (?P<usage>\d+)kB, limit (?P<limit>\d+)kB")
_OLD_GROUPS = LazyPattern(r"Task in (?P<task>\S+) killed as a result of limit of (?P<limit>\S+)")
_OLD_CHOICE = LazyPattern(
    r"(?P<where>Memory cgroup out"
    r"|Out) of memory[^:]{0,100}: Kill process (?P<pid>\d{1,9}) \((?P<task>.{0,64})\) score \d+ or sacrifice"
)
"""The line of kernels before 5.0; the chosen process may have a child killed in its place."""
_HUNG = LazyPattern(
    r"INFO: task (?P<task>.{1,64}):(?P<pid>\d{1,9}) blocked for more than (?P<seconds>\d+) seconds"
)
"""INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds."""

UNNAMED = "a cgroup that the kernel did not name"


class OomKill(msgspec.Struct, frozen=True):
    """A process that the kernel killed for memory."""

    at: float
    task: str
    pid: int
    container: str
    """The 64-digit id of its cgroup, empty for a process of the host."""
    limit_of: str
    """The cgroup whose limit was reached, empty where the host itself had no memory left."""
    limit: int | None = None
    rss: int | None = None
    """limit, rss: bytes, None where the kernel did not say."""

    @property
    def of_host(self) -> bool:
        """Whether the host ran out of memory, and not a limit."""
        return not self.limit_of

    @property
    def unit(self) -> str:
        """The unit of systemd whose control group had the limit; "" for none."""
        name = posixpath.basename(self.limit_of)
        return name if name.endswith((".service", ".slice")) else ""

    @property
    def by_parent(self) -> bool:
        """Whether the limit that was reached belongs to a cgroup above the container's own."""
        return bool(self.limit_of and self.container) and self.container not in self.limit_of


class HungTask(msgspec.Struct, frozen=True):
    """A task that the kernel saw blocked for `seconds` (kernel.hung_task_timeout_secs)."""

    at: float
    task: str
    pid: int
    seconds: int


class KernelLog(Items[Record], frozen=True, dict=True):
    """The records, oldest first."""

    @functools.cached_property
    def oom_kills(self) -> tuple[OomKill, ...]:
        return tuple(oom_kills(self.items))

    def last_kill(self, task: str) -> OomKill | None:
        """The newest kill of a process of that name for memory."""
        kills = [kill for kill in self.oom_kills if kill.task == task and not kill.container]
        return kills[-1] if kills else None

    @functools.cached_property
    def hung_tasks(self) -> tuple[HungTask, ...]:
        return tuple(
            HungTask(record.at, hung["task"], int(hung["pid"]), int(hung["seconds"]))
            for record, hung in self.matching(_HUNG, ("blocked for more than",))
        )

    @functools.cached_property
    def _text(self) -> str:
        """All records, one a line."""
        return "\n".join([record.text for record in self])

    def matching(
        self, pattern: re.Pattern[str] | LazyPattern, signs: Iterable[str] = ("",)
    ) -> Iterator[tuple[Record, re.Match[str]]]:
        """The records in which the pattern is found, of those with one of these signs.

        To look for a sign costs a tenth, and most logs hold none: to look for it in all records at
        once costs a tenth of that.
        """
        signs = [sign for sign in signs if sign in self._text]
        records = self if signs else ()
        for record in records:
            for sign in signs:
                if sign in record.text:
                    match = pattern.search(record.text)
                    if match:
                        yield record, match
                    break


def oom_kills(records: Iterable[Record]) -> Iterator[OomKill]:
    """The kills of these records.

    `memory: usage`, then `oom-kill:` come before `Killed process` (mm/oom_kill.c, Linux 5.0
    on); before 5.0 `Task in`, `memory: usage`, `Kill process`.
    """
    reader = _OomReader()
    for record in records:
        if "ill" in record.text or "memory: usage " in record.text:  # of 2,000 lines few
            yield from reader.read(record)
    yield from reader.unfinished()


class _OomReader:
    """The state between the lines about one kill.

    A summary opens a kill; the line that names the victim, or the next summary, completes it.
    """

    def __init__(self) -> None:
        self._limit: int | None = None
        """Bytes, as the last `memory: usage` line says."""
        self._groups = ("", "")
        self._open: OomKill | None = None
        self._is_of_old_kernel = False

    def read(self, record: Record) -> Iterator[OomKill]:
        if usage := _LIMIT.search(record.text):
            self._limit = int(usage["limit"]) * 1024
        elif old := _OLD_GROUPS.search(record.text):
            self._groups = (old["task"], old["limit"])
        elif summary := _OOM.search(record.text) or _OLD_CHOICE.search(record.text):
            yield from self.unfinished()
            self._begin(record.at, summary)
        elif (killed := _KILLED.search(record.text)) and self._is_victim(killed):
            yield from self._completed_kills(killed)

    def unfinished(self) -> Iterator[OomKill]:
        """The kill whose victim no line has named."""
        if self._open is not None:
            yield self._open

    def _begin(self, at: float, summary: re.Match[str]) -> None:
        self._is_of_old_kernel = summary.re is _OLD_CHOICE.compiled
        if self._is_of_old_kernel:
            self._open = _oom_kill_of_old_kernel(at, summary, self._groups, self._limit)
        else:
            self._open = _summary(at, summary, self._limit)
        self._limit = None
        self._groups = ("", "")

    def _is_victim(self, killed: re.Match[str]) -> bool:
        """Whether a process is the one that was killed. Old kernels may kill a child of the process
        that they have chosen."""
        if self._open is None:
            return False
        return self._is_of_old_kernel or int(killed["pid"]) == self._open.pid

    def _completed_kills(self, killed: re.Match[str]) -> Iterator[OomKill]:
        for kill in self.unfinished():
            yield replace(
                kill, task=killed["task"], pid=int(killed["pid"]), rss=int(killed["anon"]) * 1024
            )
        self._open = None


def _summary(at: float, match: re.Match[str], limit: int | None) -> OomKill:
    """An OOM kill from the one line in which a newer kernel sums it up."""
    fields = assignments(match["rest"].split(","))
    inside = _ID.search(fields.get("task_memcg", ""))
    limited = match["constraint"] == "CONSTRAINT_MEMCG"
    return OomKill(
        at,
        task=fields.get("task", ""),
        pid=int(fields.get("pid", "0")),
        container=inside[0] if inside else "",
        limit_of=fields.get("oom_memcg", "") if limited else "",
        limit=limit if limited else None,
    )


def _oom_kill_of_old_kernel(
    at: float, match: re.Match[str], groups: tuple[str, str], limit: int | None
) -> OomKill:
    """An OOM kill from the lines of a kernel that does not sum it up in one."""
    inside = _ID.search(groups[0])
    limited = match["where"] != "Out"
    return OomKill(
        at,
        task=match["task"],
        pid=int(match["pid"]),
        container=inside[0] if inside else "",
        limit_of=(groups[1] or UNNAMED) if limited else "",
        limit=limit if limited else None,
    )


@begun_early
@evidence
def kernel_log(host: Host) -> KernelLog | Unavailable:
    """The newest lines; reading them needs root where kernel.dmesg_restrict is 1."""
    return KernelLog(tuple(host.require(ReadKernelLog()).records))
