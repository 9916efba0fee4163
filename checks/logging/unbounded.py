"""Log files that grow without a limit."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.files import LogFile, LogFiles
from diagnose.evidence.containers.logs.logs_on_disk import LogOnDisk
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.usage.disk_parts import UsagePart
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.mappings import subjects_of
from diagnose.model import CheckResult, Finding, Json, Severity, Unavailable, Unexamined
from diagnose.model.units import Bytes, Percent
from diagnose.phrases import size
from diagnose.registry import check


@check("logging.unbounded", severity=Severity.advice)
def unbounded(
    containers: Containers,
    logs: LogFiles | Unavailable,
    filesystems: Filesystems | None,
    usage: DiskUsage | None,
    *,
    large: Bytes = Bytes(250_000_000),
    of_disk: Percent = Percent(5),
    crit_pct: Percent = Percent(95),
) -> CheckResult:
    """A container's log file grows without a limit.

    It is advice by itself; a warning from `large` bytes, `of_disk` of its file system or what is
    left of that; critical where the disk is full and logs fill most of it. The options are the
    container's own, fixed when it was created: the daemon's do not matter any more.
    """
    by_id = logs.by_id if isinstance(logs, LogFiles) else {}
    for container in containers:
        if not container.host_config.log_config.has_no_limit:
            continue
        log = by_id.get(container.id)
        disk = filesystems.holding(log.path) if log and filesystems else None
        place = LogOnDisk(container, log, disk, usage)
        is_large = place.bytes >= large or place.is_much(of_disk)
        if not is_large and not container.writes_to_its_log:
            continue
        severity = Severity.advice
        if is_large:
            severity = Severity.critical if place.is_filled_by_logs(crit_pct) else Severity.warning
        yield _finding(place, severity)
        if log is None or log.failed:
            yield Unexamined(container.subject, f"size of its log: {_unknown_reason(log, logs)}")


def _unknown_reason(log: LogFile | None, logs: LogFiles | Unavailable) -> str:
    if log is not None:
        return log.failed
    return str(logs) if isinstance(logs, Unavailable) else "its log file was not looked at"


def _finding(place: LogOnDisk, severity: Severity) -> Finding:
    container = place.container
    log = place.log
    usage = place.usage
    # a disk that is not full has other worries than this log
    disk = place.disk if severity is Severity.critical else None
    config = container.host_config.log_config
    evidence: dict[str, Json] = {
        "HostConfig.LogConfig": {"Type": config.type, "Config": config.options}
    }
    holds = ""
    of_disk = ""
    if log is not None and place.is_known:
        evidence[f"stat({log.path})"] = log.bytes
        holds = f" and holds {size(log.bytes)}"
    if disk is not None and usage is not None:
        of_disk = f" of {disk.point}, which is {disk.usage.used_pct:.0f} % full"
        if usage.point == disk.point:
            evidence["attribution"] = [_attribution(part) for part in usage.parts]
    finding = Finding.about(
        container,
        f"the log of {container} has no size limit (max-size){holds}{of_disk}",
        evidence,
        severity=severity,
        touches=subjects_of([disk]),
    )
    if severity is Severity.advice:
        return finding.with_variables({"limitless": container.name})
    return finding.with_variables({"log": log.path if log else container.log_path})


def _attribution(part: UsagePart) -> dict[str, Json]:
    largest = ", ".join(f"{name} {size(bytes_)}" for name, bytes_ in part.subjects)
    return {"name": part.name, "bytes": part.bytes, "note": largest}
