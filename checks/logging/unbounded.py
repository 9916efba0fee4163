"""Log files that grow without a limit."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.files import LogFile, LogFiles
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.usage.disk_parts import UsagePart
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.model import CheckResult, Finding, Json, Severity, Unavailable, Unexamined
from diagnose.model.units import Bytes, Percent
from diagnose.phrases import size
from diagnose.registry import check

WORTH = 10_000_000
"""Bytes below which no log is to blame, however little is left of the disk."""


def has_no_limit(container: Container) -> bool:
    """Whether a container's log file grows for ever.

    max-file without max-size limits nothing, and the `local` driver has a default.
    """
    config = container.host_config.log_config
    limit = config.options.get("max-size", "")
    if config.type == "json-file":
        return limit in ("", "-1")
    return config.type == "local" and limit == "-1"


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

    Advice by itself; a warning from `large` bytes, `of_disk` of its file system or what is left of
    that; critical where the disk is full and logs fill most of it. The options are the container's
    own, fixed when it was created: the daemon's do not matter any more.
    """
    by_id = logs.by_id if isinstance(logs, LogFiles) else {}
    for container in filter(has_no_limit, containers):
        log = by_id.get(container.id)
        disk = filesystems.holding(log.path) if log and filesystems else None
        place = _LogPlace(container, log, disk, usage)
        is_large = place.bytes >= large or place.is_much(of_disk)
        if not is_large and not container.writes_to_its_log:
            continue
        severity = Severity.advice
        if is_large:
            severity = Severity.critical if place.is_filled_by_logs(crit_pct) else Severity.warning
        yield _finding(place, severity)
        if log is None or log.failed:
            yield Unexamined(container.subject, f"size of its log: {_why_unknown(log, logs)}")


def _why_unknown(log: LogFile | None, logs: LogFiles | Unavailable) -> str:
    if log is not None:
        return log.failed
    return str(logs) if isinstance(logs, Unavailable) else "its log file was not looked at"


class _LogPlace(msgspec.Struct, frozen=True):
    """A container's log, and the disk that it lies on, as far as they are known."""

    container: Container
    log: LogFile | None
    disk: Filesystem | None
    usage: DiskUsage | None

    @property
    def bytes(self) -> int:
        return max(self.log.bytes, self.log.on_disk) if self.log is not None else 0

    @property
    def is_known(self) -> bool:
        return self.log is not None and not self.log.failed

    def is_much(self, of_disk: float) -> bool:
        """Whether it has this percent of its disk, or is larger than what is left there."""
        if self.disk is None or self.bytes < WORTH:
            return False
        figures = self.disk.usage
        return self.bytes >= min(of_disk / 100 * figures.size, figures.available)

    def is_filled_by_logs(self, crit_pct: float) -> bool:
        """Whether the disk is full, and of logs.

        Where they have a disk to themselves they need not be measured against others.
        """
        if self.disk is None or self.disk.usage.used_pct < crit_pct:
            return False
        leads = self.usage is not None and self.usage.is_led_by("container logs")
        return leads or not self.disk.holds_data_root


def _finding(place: _LogPlace, severity: Severity) -> Finding:
    container, log, usage = place.container, place.log, place.usage
    # a disk that is not full has other worries than this log
    disk = place.disk if severity is Severity.critical else None
    config = container.host_config.log_config
    evidence: dict[str, Json] = {
        "HostConfig.LogConfig": {"Type": config.type, "Config": config.options}
    }
    holds, of_disk = "", ""
    if log is not None and place.is_known:
        evidence[f"stat({log.path})"] = log.bytes
        holds = f" and holds {size(log.bytes)}"
    if disk is not None and usage is not None:
        of_disk = f" of {disk.point}, which is {disk.usage.used_pct:.0f} % full"
        if usage.point == disk.point:
            evidence["attribution"] = [_attribution(part) for part in usage.parts]
    finding = Finding.about(
        container,
        f"the log of {container} has no max-size{holds}{of_disk}",
        evidence,
        severity=severity,
        touches=(disk.subject,) if disk is not None else (),
    )
    if severity is Severity.advice:
        return finding.with_variables({"limitless": container.name})
    return finding.with_variables({"log": log.path if log else container.log_path})


def _attribution(part: UsagePart) -> dict[str, Json]:
    largest = ", ".join(f"{name} {size(bytes_)}" for name, bytes_ in part.subjects)
    return {"name": part.name, "bytes": part.bytes, "note": largest}
