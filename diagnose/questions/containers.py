"""Questions about containers, answered by the engine's API or by the kernel."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.model import Failed, Json
from diagnose.questions.machine import WaitingTime, waited_pct
from diagnose.questions.question import Policy, Question, decode_parts, engine_get

InspectRound = Literal["", "again", "recheck", "settled"]
"""again: asked once more while the collectors still work. recheck: when everything has been judged.
settled: after the time that a busy engine needs to notice that a process has ended."""


class ListedContainer(msgspec.Struct, frozen=True, rename="pascal"):
    """One container as `GET /containers/json` lists it; all else is read by inspect."""

    id: str
    names: list[str] | None = None
    state: str = ""

    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @property
    def name(self) -> str:
        return self.names[0] if self.names else self.id[:12]


class ListContainers(Question[list[ListedContainer]], frozen=True, omit_defaults=False):
    """/containers/json."""

    POLICY = engine_get(
        "api.containers", "the list of containers", "/containers/json", deadline=4, priority=1
    )
    all: bool = True


_INSPECT = "/containers/{id}/json"


class InspectContainer(Question[Json], frozen=True):
    """/containers/ID/json. `id` is an id or a name.

    The answer has more than a run reads: `InspectedContainer` of
    `diagnose/evidence/containers/inspected_container.py` has the keys that count.
    """

    POLICY = engine_get(
        "api.container", "docker inspect of a container", _INSPECT, deadline=2, priority=3
    )
    ROUNDS = {  # noqa: RUF012 - never changed
        "again": engine_get("api.again", POLICY.what, _INSPECT, deadline=2, priority=3),
        "recheck": engine_get("api.recheck", POLICY.what, _INSPECT, deadline=2, priority=3),
        "settled": engine_get(
            "api.settled",
            POLICY.what,
            _INSPECT,
            deadline=5,
            priority=3,
            lane="probe",
            collector="engine.api:settled",
        ),
    }
    id: str
    round: InspectRound = ""


class ContainerFile(msgspec.Struct, frozen=True):
    """One path in a container, no link followed."""

    type: str = ""
    """file, directory, link, socket or other."""
    mode: int | None = None
    """Permission bits."""
    uid: int | None = None
    gid: int | None = None
    link_target: str | None = None
    utf8: str | None = msgspec.field(name="text", default=None)
    """The first bytes of a file in UTF-8."""
    hex: str | None = None
    """The first bytes of a file that is in another encoding, or not text."""
    capabilities: str | None = None
    """Its attribute security.capability in hex; None where it has none."""

    @property
    def data(self) -> bytes | None:
        """The first bytes; None for what is not a file."""
        if self.utf8 is not None:
            return self.utf8.encode("utf-8", "surrogatepass")
        return None if self.hex is None else bytes.fromhex(self.hex)

    @property
    def text(self) -> str:
        """The first bytes as text; "" for what is not a file."""
        return (self.data or b"").decode("utf-8", "replace")


class ReadContainerFile(Question[ContainerFile], frozen=True):
    """/containers/ID/archive; one path in a container, no link followed, and the first bytes of a
    file."""

    POLICY = engine_get(
        "api.archive",
        "a file of a container",
        "/containers/{id}/archive",
        deadline=2,
        priority=6,
        longest=128 * 1024,  # two digits for each byte
    )
    id: str
    path: str
    bytes: int = 4096
    """At most 64 KiB."""


class LayerChange(msgspec.Struct, frozen=True, rename="pascal"):
    """One path in which a container's writable layer differs from its image."""

    path: str = ""
    kind: int = 0
    """0 changed, 1 added, 2 deleted. A folder counts as changed with what lies in it."""


class ListChanges(Question[list[LayerChange] | None], frozen=True):
    """/containers/ID/changes: what `docker diff` prints."""

    POLICY = engine_get(
        "api.changes",
        "the files that differ from a container's image",
        "/containers/{id}/changes",
        deadline=3,
        priority=6,
    )
    id: str


class Memory(msgspec.Struct, frozen=True):
    """Bytes; None: no limit, or not kept."""

    usage: int | None = None
    limit: int | None = None
    max_usage: int | None = None
    working_set: int | None = None
    """Usage without the file cache that nobody reads, as other tools count it."""
    reclaimable: int | None = None
    """All file cache, and what the kernel keeps of files beside it."""
    oom_kill: int | None = None
    under_oom: int | None = None
    """1 while tasks wait for memory, since nothing is killed (version 1)."""

    @property
    def held(self) -> int | None:
        """Bytes that the kernel cannot reclaim without swapping or killing."""
        if self.usage is None or self.reclaimable is None:
            return self.working_set
        return max(self.usage - self.reclaimable, 0)


class Pids(msgspec.Struct, frozen=True):
    """Tasks now, at most, and how often a fork was refused in this run."""

    current: int | None = None
    max: int | None = None
    events_max: int | None = None


class Cpu(msgspec.Struct, frozen=True):
    """Since the start: periods in which it wanted the CPU, and those in which it was held back.

    quota_us per period_us.
    """

    periods: int | None = None
    throttled: int | None = None
    throttled_us: int | None = None
    quota_us: int | None = None
    period_us: int | None = None


class CgroupStats(msgspec.Struct, frozen=True):
    """One container's groups."""

    path: str = ""
    """In the memory hierarchy, or the unified one."""
    version: int = 1
    memory: Memory = Memory()
    pids: Pids = Pids()
    cpu: Cpu = Cpu()
    pressure: dict[str, WaitingTime | None] | None = None
    frozen_by: str = ""
    """The file that keeps its processes frozen, "" where none does."""

    def waited(self, resource: str, kind: Literal["some", "full"] = "some") -> float | None:
        """Percent of the last minute in which its tasks waited for cpu, memory or io.

        None where the kernel does not keep it.
        """
        return waited_pct((self.pressure or {}).get(resource), kind)


class ReadCgroups(Question[dict[str, CgroupStats | Failed]], frozen=True):
    """The counters and limits of containers, given as {id: pid or null}."""

    POLICY = Policy(
        "cgroups",
        what="the control groups of containers",
        collector="kernel.cgroups:cgroups",
        lane="local",
        deadline=2,
        priority=3,
        in_helper=True,
    )
    containers: Mapping[str, int | None]

    @classmethod
    def convert(cls, answer: Json) -> dict[str, CgroupStats | Failed]:
        return decode_parts(answer, CgroupStats)


class CounterGrowth(msgspec.Struct, frozen=True):
    """By how much counters grew between two samples; None for one that the kernel does not keep."""

    periods: int | None = None
    throttled: int | None = None
    usage_us: int | None = None
    """Microseconds that its processes ran on a CPU."""


class CgroupGrowth(msgspec.Struct, frozen=True):
    """How one container's counters grew."""

    delta: CounterGrowth
    seconds: float = 0.0
    """Between the two samples."""

    @property
    def cpus(self) -> float | None:
        """How many CPUs its processes kept busy; None where that is not known."""
        if self.delta.usage_us is None or not self.seconds:
            return None
        return self.delta.usage_us / 1e6 / self.seconds


class SampleCgroups(Question[dict[str, CgroupGrowth | Failed]], frozen=True):
    """How the counters of containers grow: two samples."""

    POLICY = Policy(
        "cgroup_rates",
        what="how the counters of containers grow",
        collector="kernel.cgroups:rates",
        lane="probe",
        deadline=3,
        priority=4,
    )
    containers: Mapping[str, int | None]
    seconds: float = 1.0

    @classmethod
    def convert(cls, answer: Json) -> dict[str, CgroupGrowth | Failed]:
        return decode_parts(answer, CgroupGrowth)


class ParentQuota(msgspec.Struct, frozen=True):
    """A group above containers that may use the processor for a part of the time only."""

    path: str
    """In the hierarchy of the processor."""
    file: str
    """What keeps the quota."""
    containers: list[str]
    """The ids of those below it."""
    quota_us: int
    period_us: int
    periods: int = 0
    """Of the sample, as `throttled`; both 0 for a group that was never throttled."""
    throttled: int = 0

    @property
    def cpus(self) -> float:
        return self.quota_us / self.period_us


class SampleParentQuotas(Question[list[ParentQuota]], frozen=True):
    """The groups above containers that have a quota, with a second sample of the throttled."""

    POLICY = Policy(
        "cgroup_parents",
        what="the control groups above containers",
        collector="kernel.cgroup_parents:parent_quotas",
        lane="probe",
        deadline=3,
    )
    containers: Mapping[str, int | None]
    seconds: float = 0.5


class CountWakings(Question[dict[str, int | None]], frozen=True):
    """How often processes were woken within some seconds, by pid.

    None for one that ended or began again meanwhile.
    """

    POLICY = Policy(
        "wakings",
        what="how often processes wake up",
        collector="kernel.processes:wakings",
        lane="probe",
        deadline=2,
        priority=4,
    )
    pids: Sequence[int]
    seconds: float
