"""storage.shm-full: a file system that a container has in memory is full."""

from diagnose.evidence.containers.missed_space import MissedSpace
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.model import CheckResult, Finding, Json, PageVariables, Percent, Severity
from diagnose.phrases import size
from diagnose.registry import check


@check(
    "storage.shm-full",
    severity=Severity.warning,
    causes=["container.restart-loop", "container.unhealthy", "container.errors-in-log"],
)
def shm_full(
    memory: SharedMemory, missed: MissedSpace | None, *, full_pct: Percent = Percent(95)
) -> CheckResult:
    """A file system that a container has in memory is full.

    The engine gives each container 64 MiB of /dev/shm unless configured otherwise; databases and
    browsers need more and die of a bus error or "no space left on device" while every disk has
    room. The same happens to programs that make many small files, where all inodes are used. A
    folder of `--tmpfs` may be a cache that should be full: advice, unless the container is not
    well, or prints again and again that no space is left.
    """
    complaining = missed.ids if missed is not None else frozenset()
    for area in memory:
        usage = area.usage
        owner = area.container
        has_room = usage.used_pct < full_pct
        has_inodes = (usage.inodes_used_pct or 0.0) < full_pct
        if usage.size and not (has_room and has_inodes):
            is_harmful = area.is_shm or owner.is_unwell or owner.id in complaining
            severity = Severity.warning if is_harmful else Severity.advice
            yield _finding(area, severity, lacks_inodes=has_room)


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


def _more_inodes(area: InMemory) -> PageVariables:
    """The page variable that gives the tmpfs four times as many inodes; its other options are
    unchanged.

    Empty for /dev/shm, which takes no option for inodes.
    """
    if area.is_shm:
        return {}
    options = (area.container.host_config.tmpfs or {}).get(area.path, "")
    other_options = [
        option for option in options.split(",") if option and not option.startswith("nr_inodes=")
    ]
    words = ",".join([*other_options, f"nr_inodes={4 * area.usage.inodes}"])
    return {"tmpfs": f"{area.path}:{words}"}


def _more_space(area: InMemory) -> PageVariables:
    """The page variable that makes it four times as large."""
    if area.is_shm:
        return {"shm": area.container.name}
    return {"tmpfs": f"{area.path}:size={4 * area.usage.size // 1024}k"}
