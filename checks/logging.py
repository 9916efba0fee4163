"""Containers' logs: what grows without end, is not kept, cannot be read, or holds its writer up."""

from __future__ import annotations

import re
from collections.abc import Iterable

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_contents import LogContents
from diagnose.evidence.containers.log_files import LogFile, LogFiles
from diagnose.evidence.containers.log_writers import LOCAL_DRIVERS, WATCHED_S, LogWriters
from diagnose.evidence.containers.open_logs import WrittenLogs
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.storage.disk_usage import DiskUsage
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.model import (
    DAEMON,
    Bytes,
    CheckItem,
    CheckResult,
    Finding,
    Json,
    Percent,
    Severity,
    Skipped,
    Subject,
    Unavailable,
    Unexamined,
)
from diagnose.phrases import size
from diagnose.registry import check

DEFAULT_DRIVER = "json-file"
WORTH = 10_000_000
"""Bytes below which no log is to blame, however little is left of the disk."""
_ADDRESS = re.compile(r"\b(?:tcp|udp|unix|unixgram) ([\w.:\[\]/-]+?):? ")
IN_USE = ("running", "paused", "restarting")


def has_no_limit(container: Container) -> bool:
    """Whether its log file grows for ever: max-file without max-size limits nothing, and the `local` driver
    has a default."""
    config = container.host_config.log_config
    limit = (config.config or {}).get("max-size", "")
    if config.type == "json-file":
        return limit in ("", "-1")
    return config.type == "local" and limit == "-1"


@check("logging.unbounded", severity=Severity.advice)
def unbounded(
    containers: Containers,
    logs: LogFiles | Unavailable,
    filesystems: Filesystems | Unavailable,
    usage: DiskUsage | Unavailable,
    *,
    large: Bytes = Bytes(250_000_000),
    of_disk: Percent = Percent(5),
    crit_pct: Percent = Percent(95),
) -> Iterable[CheckItem]:
    """A container's log file grows without a limit.

    Advice by itself; a warning from `large` bytes, `of_disk` of its file system or what is left of that;
    critical where the disk is full and logs fill most of it. The options are the container's own, fixed when
    it was created: the daemon's do not matter any more.
    """
    lead = isinstance(usage, DiskUsage) and usage.is_led_by("container logs")
    for each in containers:
        if not has_no_limit(each):
            continue
        log = logs.by_id.get(each.id) if isinstance(logs, LogFiles) else None
        disk = filesystems.holding(log.path) if log and isinstance(filesystems, Filesystems) else None
        bulk = max(log.bytes, log.on_disk) if log else 0
        big = bulk >= large or (
            disk is not None and bulk >= WORTH and bulk >= min(of_disk / 100 * disk.usage.size, disk.usage.available)
        )
        if not big and each.state.status not in IN_USE:
            continue
        # where logs have a disk to themselves they need not be measured against others
        lead_here = disk is not None and (lead or not disk.holds_data_root)
        fills = disk is not None and lead_here and big and disk.usage.used_pct >= crit_pct
        yield _unbounded(
            each, log, disk, Severity.critical if fills else Severity.warning if big else Severity.advice, usage
        )
        if log is None or log.failed:
            why = (
                log.failed if log else str(logs) if isinstance(logs, Unavailable) else "its log file was not looked at"
            )
            yield Unexamined(each.subject, f"size of its log: {why}")


def _unbounded(
    container: Container,
    log: LogFile | None,
    disk: Filesystem | None,
    severity: Severity,
    usage: DiskUsage | Unavailable,
) -> Finding:
    evidence: dict[str, Json] = {
        "HostConfig.LogConfig": {
            "Type": container.host_config.log_config.type,
            "Config": container.host_config.log_config.config or {},
        }
    }
    summary = f"the log of {container.name} has no max-size"
    if log is not None and not log.failed:
        evidence[f"stat({log.path})"] = log.bytes
        summary = f"the log of {container.name} has no max-size and holds {size(log.bytes)}"
    if severity is Severity.critical and disk is not None and isinstance(usage, DiskUsage):
        summary += f" of {disk.point}, which is {disk.usage.used_pct:.0f} % full"
        if usage.point == disk.point:
            evidence["attribution"] = [
                {"name": part.name, "bytes": part.bytes, "note": ", ".join(f"{n} {size(b)}" for n, b in part.subjects)}
                for part in usage.parts
            ]
    return Finding(
        subject=container.subject,
        summary=summary,
        evidence=evidence,
        variables={"container": container.name, "log": log.path if log else container.log_path},
        severity=severity,
        touches=(disk.subject,) if severity is Severity.critical and disk is not None else (),
        service=container.service,
    )


@check("logging.opts-not-applied", severity=Severity.advice, caused_by=["daemon.config-not-applied"])
def opts_not_applied(containers: Containers, config: DaemonConfig) -> Iterable[Finding] | Skipped:
    """A container is older than the daemon's log options and runs without them.

    At create the engine copies each default that the container does not set itself, if the driver is the
    same; so an option that is missing was not in force then. One that differs was chosen and is left alone.
    """
    wanted = config.value("log-opts")
    if not isinstance(wanted, dict) or not wanted:
        return Skipped("the daemon has no log options of its own")
    driver = config.value("log-driver") or DEFAULT_DRIVER
    return _not_applied(containers, config, {str(key) for key in wanted}, str(driver))


def _not_applied(containers: Containers, config: DaemonConfig, wanted: set[str], driver: str) -> Iterable[Finding]:
    for each in containers:
        said = each.host_config.log_config
        lacking = sorted(wanted - set(said.config or {}))
        if said.type == driver and lacking and each.state.status in IN_USE:
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} runs without the daemon's log options: {', '.join(lacking)}",
                evidence={
                    f"{config.where('log-opts')} log-opts": sorted(wanted),
                    "HostConfig.LogConfig.Config": said.config or {},
                    "Created": each.created,
                },
                variables={"container": each.name},
                service=each.service,
            )


@check(
    "logging.driver-blocks-start",
    severity=Severity.critical,
    caused_by=[
        "container.entrypoint-missing",
        "container.exec-format",
        "container.mount-source-missing",
        "container.network-gone",
        "container.oom-killed",
        "dns.host-broken",
        "network.port-allocated",
        "network.port-held-by-process",
    ],
)
def driver_blocks_start(containers: Containers) -> Iterable[Finding]:
    """A container did not start because its log driver could not reach its receiver.

    Such a start fails for all containers with that driver at once, and no restart policy tries again. A driver that
    refuses its options, or is not to be had on this host, is a matter of `container.start-refused`. Seen on engines
    20.10.24, 26.1.5 and 28.5.2 with fluentd and syslog: "failed to initialize logging driver", exit code 128.
    """
    for each in containers:
        if not each.lacks_log_receiver:
            continue
        found = _ADDRESS.search(each.state.error)
        where = f" at {found[1]}" if found else _wanted(each)
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} did not start: its log driver {each.host_config.log_config.type} did not reach"
            f" its receiver{where}",
            evidence={
                "State.Error": each.state.error,
                "State.Status": each.state.status,
                "HostConfig.LogConfig": {"Type": each.host_config.log_config.type},
            },
            variables={"container": each.name, "driver": each.host_config.log_config.type},
            calls=_receivers(found[1] if found else "", containers),
            signs=signs(each.state.error),
            service=each.service,
        )


def _receivers(address: str, containers: Containers) -> tuple[Subject, ...]:
    """The containers that are to publish the port of the address, and so to take the log."""
    port = address.rpartition(":")[2]
    return tuple(
        each.subject for each in containers if any(binding.host_port == port for _, binding in each.wanted_ports)
    )


def _wanted(container: Container) -> str:
    """Where the driver's options send the log, where the engine's words do not say."""
    options = container.host_config.log_config.config or {}
    return next((f" at {value}" for key, value in options.items() if key.endswith(("-address", "-url"))), "")


@check("logging.driver-unreadable", severity=Severity.advice)
def driver_unreadable(containers: Containers) -> Iterable[Finding]:
    """A container's logs cannot be read back on this host.

    Its driver sends them away, and the engine's own cache of them (from 20.10 on) is switched off. The driver
    none is somebody's decision.
    """
    for each in containers:
        said = each.host_config.log_config
        if said.type in LOCAL_DRIVERS or (said.config or {}).get("cache-disabled") != "true":
            continue
        if each.state.status in IN_USE:
            yield Finding(
                subject=each.subject,
                summary=f"docker logs of {each.name} is refused: its logs go to {said.type} only",
                evidence={"HostConfig.LogConfig": {"Type": said.type, "cache-disabled": "true"}},
                variables={"container": each.name},
                service=each.service,
            )


@check("logging.backpressure", severity=Severity.warning, causes=["container.unhealthy"])
def backpressure(writers: LogWriters) -> Iterable[Finding] | Skipped:
    """A container is blocked because its log driver does not accept its output.

    In blocking mode, the default, the pipe between container and engine is full as long as the receiver takes nothing. A
    writer that goes on, however slowly, is not meant.
    """
    if not len(writers) and not writers.unexamined:
        return Skipped("no running container sends its log to another host or program")
    return _waiting(writers)


def _waiting(writers: LogWriters) -> Iterable[Finding]:
    for each, place in writers:
        said = each.host_config.log_config
        if "pipe_write" in place and (said.config or {}).get("mode") != "non-blocking":
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} is blocked writing to its log: its driver {said.type} does not accept it",
                evidence={
                    f"/proc/{each.state.pid}/wchan": f"{place}, not left for {WATCHED_S} s",
                    "HostConfig.LogConfig": {"Type": said.type, "mode": "blocking"},
                },
                variables={"container": each.name, "driver": said.type},
                stable=(each.life,),
                service=each.service,
            )


@check("logging.file-missing", severity=Severity.warning)
def file_missing(containers: Containers, logs: LogFiles, written: WrittenLogs | Unavailable) -> Iterable[CheckItem]:
    """The log file of a running container has been removed or renamed.

    The engine goes on writing into the file that it has open: it is never rotated again, its space is held, and `docker
    logs` fails or shows nothing new. A removed file is seen by anybody who may look into its folder, a renamed one (by
    a logrotate without copytruncate) by root, who may see what the engine has open.
    """
    for each in containers.running:
        log = logs.by_id.get(each.id)
        if log is None or not log.path:
            continue
        if log.failed:
            yield Unexamined(each.subject, f"its log file: {log.failed}")
            continue
        renamed = written.instead_of(log.path) if isinstance(written, WrittenLogs) else ""
        if log.missing or renamed:
            evidence: dict[str, Json] = {
                "LogPath": log.path,
                f"stat({log.path})": "missing" if log.missing else log.bytes,
            }
            yield Finding(
                subject=each.subject,
                summary=f"the engine writes the log of {each.name} to {renamed.rpartition('/')[2]}, no longer to its file"
                if renamed and not log.missing
                else f"the log file of {each.name} does not exist",
                evidence=evidence | ({"open in the engine": renamed} if renamed else {}),
                variables={"container": each.name},
                touches=(Subject("container", each.name),),
                stable=(each.life,),
                service=each.service,
            )


@check("logging.rotated-by-host", severity=Severity.warning, causes=["logging.file-missing", "logging.file-damaged"])
def rotated_by_host(contents: LogContents) -> CheckResult:
    """The host's logrotate rotates the log files of the engine.

    The engine keeps its files open and does not expect them to change. With `copytruncate` a reader loses its place and lines are lost
    between copy and cut; without it the engine writes on into the renamed file. What the engine rotates itself (`max-size`) is
    rotated twice. A warning if files are renamed, or if a log is damaged; with copytruncate alone advice.
    """
    is_harmful = bool(contents.damaged)
    for rotation in contents.rotations:
        how = "copies and cuts them (copytruncate)" if rotation.copies else "renames them under the engine"
        yield Finding(
            subject=DAEMON,
            summary=f"logrotate rotates the engine's log files: {rotation.path} {how}",
            evidence={
                rotation.path: rotation.pattern,
                "covers, for example": f'the log of container "{rotation.container}"',
            },
            variables={"path": rotation.path},
            discriminator=rotation.path,
            severity=Severity.advice if rotation.copies and not is_harmful else None,
        )
    return contents.unread_rotations


@check("logging.file-damaged", severity=Severity.warning)
def file_damaged(contents: LogContents) -> CheckResult:
    """A container's log file holds NUL bytes, and `docker logs` breaks off there.

    A power cut leaves them at the end of the file. The container itself goes on, and its new lines are appended behind them. Looked at
    are both ends of the largest json-file logs.
    """
    for log in contents.damaged:
        yield Finding.about(
            log.container,
            f'the log of container "{log.container.name}" holds NUL bytes {log.where}: it cannot be read past them',
            {log.path: f"NUL bytes {log.where}"},
            log=log.path,
        )
    return contents.unread_logs
