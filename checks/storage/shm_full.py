"""storage.shm-full: a file system that a container has in memory is full."""

from collections.abc import Iterable, Iterator

from diagnose.evidence.containers.missed_space import MissedSpace
from diagnose.evidence.containers.options.outgrown_tmpfs import OutgrownTmpfs, OutgrownTmpfsList
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Json, PageVariables, Percent, Severity
from diagnose.phrases import quoted, size
from diagnose.registry import check

_LIMIT = LazyPattern(
    r"(?<![^,])(?P<name>size|nr_inodes)=(?P<number>\d{1,15})(?P<unit>[kmgKMG]?)(?![^,])"
)
"""The limits among the options of a tmpfs: a percentage of the memory is left out."""
MORE = 4
"""How many times as large it is made."""


@check(
    "storage.shm-full",
    severity=Severity.warning,
    causes=["container.restart-loop", "container.unhealthy", "container.errors-in-log"],
)
def shm_full(
    memory: SharedMemory,
    missed: MissedSpace | None,
    outgrown: OutgrownTmpfsList | None,
    *,
    full_pct: Percent = Percent(95),
) -> CheckResult:
    """A file system that a container has in memory is full.

    The engine gives each container 64 MiB of /dev/shm unless configured otherwise; databases and
    browsers need more and die of a bus error or "no space left on device" while every disk has
    room. The same happens to programs that make many small files, where all inodes are used. A
    folder of `--tmpfs` may be a cache that should be full: advice, unless the container is not
    well, or prints again and again that no space is left.

    The folder of `--tmpfs` is gone with a container that has ended, and a program may empty it
    before it tries again: there the log counts, whose line names a path in a folder with a limit.
    """
    complaining = missed.ids if missed is not None else frozenset()
    full_now = [area for area in memory if _is_full(area, full_pct)]
    for area in full_now:
        owner = area.container
        is_harmful = area.is_shm or owner.is_unwell or owner.id in complaining
        severity = Severity.warning if is_harmful else Severity.advice
        has_room = area.usage.used_pct < full_pct
        yield _finding(area, severity, lacks_inodes=has_room)
    yield from _outgrown_findings(outgrown or (), full_now)


def _is_full(area: InMemory, full_pct: Percent) -> bool:
    """Whether the room or the inodes of a file system are used up."""
    usage = area.usage
    has_room = usage.used_pct < full_pct
    has_inodes = (usage.inodes_used_pct or 0.0) < full_pct
    return bool(usage.size) and not (has_room and has_inodes)


def _finding(area: InMemory, severity: Severity, *, lacks_inodes: bool) -> Finding:
    """The finding about a full file system in memory. lacks_inodes: whether inodes are used up,
    while there is room."""
    usage = area.usage
    owner = area.container
    place = "its shared memory" if area.is_shm else area.path
    figures = {"size": usage.size, "available": usage.available}
    usage_clause = f"{size(usage.used)} of {size(usage.size)}"
    if lacks_inodes:
        figures |= {"inodes": usage.inodes, "free inodes": usage.inodes_free}
        inodes_clause = f"{usage.inodes - usage.inodes_free} of {usage.inodes} inodes"
        usage_clause = f"{inodes_clause}, while {size(usage.available)} are free"
    evidence: dict[str, Json] = {f"statvfs(/proc/{owner.state.pid}/root{area.path})": figures}
    if area.is_shm:
        evidence["HostConfig.ShmSize"] = owner.host_config.shm_size
    return Finding.about(
        owner,
        f"{owner} has used up {place}: {usage_clause}",
        evidence,
        severity=severity,
        signs=frozenset({"no-space"}),
        discriminator="" if area.is_shm else area.path,
        recheck=(owner.run,),
        variables={
            "path": area.path,
            **(_more_inodes(area) if lacks_inodes else _more_space(area)),
        },
    )


def _outgrown_findings(
    outgrown: Iterable[OutgrownTmpfs], full_now: Iterable[InMemory]
) -> Iterator[Finding]:
    """The findings about file systems in memory that were full when their program wrote there."""
    shown = {(area.container.id, area.path) for area in full_now}
    for tmpfs in outgrown:
        container = tmpfs.container
        folder = tmpfs.folder
        if (container.id, folder) in shown:
            continue
        larger = _LIMIT.sub(
            lambda limit: f"{limit['name']}={MORE * int(limit['number'])}{limit['unit']}",
            tmpfs.options,
        )
        steps = {"tmpfs": f"{folder}:{larger}"} if larger != tmpfs.options else {}
        yield Finding.about(
            container,
            f"{container} ran out of room in {folder}, a tmpfs with {tmpfs.options}",
            {LINE: quoted(tmpfs.line), f"HostConfig.Tmpfs[{folder}]": tmpfs.options},
            signs=frozenset({"no-space"}),
            discriminator=folder,
            onset=None if container.is_running else container.failed_first,
            recheck=container.caller_runs,
            variables={"path": folder, **steps},
        )


def _more_inodes(area: InMemory) -> PageVariables:
    """The page variable that gives the tmpfs more inodes; its other options are unchanged.

    Empty for /dev/shm, which takes no option for inodes.
    """
    if area.is_shm:
        return {}
    options = area.container.host_config.tmpfs_options.get(area.path, "")
    other_options = [
        option for option in options.split(",") if option and not option.startswith("nr_inodes=")
    ]
    words = ",".join([*other_options, f"nr_inodes={MORE * area.usage.inodes}"])
    return {"tmpfs": f"{area.path}:{words}"}


def _more_space(area: InMemory) -> PageVariables:
    """The page variable that makes it larger; its other options are unchanged."""
    if area.is_shm:
        return {"shm": area.container.name}
    options = area.container.host_config.tmpfs_options.get(area.path, "")
    other_options = [
        option for option in options.split(",") if option and not option.startswith("size=")
    ]
    words = ",".join([f"size={MORE * area.usage.size // 1024}k", *other_options])
    return {"tmpfs": f"{area.path}:{words}"}
