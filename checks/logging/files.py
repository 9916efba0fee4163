"""Log files that somebody else removed, renamed, rotated or damaged."""

import posixpath

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.contents import LogContents
from diagnose.evidence.containers.logs.emptied_logs import EmptiedLog, EmptiedLogs
from diagnose.evidence.containers.logs.files import LogFiles
from diagnose.evidence.containers.logs.written_logs import WrittenLogs
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Unexamined
from diagnose.phrases import duration
from diagnose.registry import check


@check("logging.file-missing", severity=Severity.warning)
def file_missing(
    containers: Containers, logs: LogFiles, written: WrittenLogs | None
) -> CheckResult:
    """The log file of a running container has been removed or renamed.

    The engine keeps writing into the file that it has open: it is never rotated again, its space
    is held, and `docker logs` fails or shows nothing new. A removed file is seen by anybody who may
    look into its folder, a renamed one (by a logrotate without copytruncate) by root, who may see
    what the engine has open.
    """
    for container in containers.running:
        log = logs.of(container)
        if log is None or not log.path:
            continue
        if log.failed:
            yield Unexamined(container.subject, f"its log file: {log.failed}")
            continue
        renamed = written.instead_of(log.path) if written else ""
        if not log.missing and not renamed:
            continue
        evidence: dict[str, Json] = {
            "LogPath": log.path,
            f"stat({log.path})": "missing" if log.missing else log.bytes,
        }
        if renamed:
            evidence["open in the engine"] = renamed
        owner = str(container)
        summary = f"the log file of {owner} does not exist: `docker logs` shows nothing"
        if not log.missing:
            file = posixpath.basename(renamed)
            summary = (
                f"the engine writes the log of {owner} to {file}, a file that was renamed: `docker "
                "logs` does not show new lines"
            )
        yield Finding.about(
            container, summary, evidence, touches=(container.subject,), recheck=(container.run,)
        )


@check(
    "logging.rotated-by-host",
    severity=Severity.warning,
    causes=["logging.file-missing", "logging.file-damaged"],
)
def rotated_by_host(contents: LogContents) -> CheckResult:
    """The host's logrotate rotates the log files of the engine.

    The engine keeps its files open and does not expect them to change. With `copytruncate` a reader
    loses its place and lines are lost between copy and cut; without it the engine writes on into
    the renamed file. A log that the engine rotates itself (`max-size`) is rotated twice.
    It is a warning if files are renamed, or if a log is damaged; with copytruncate alone advice.
    """
    is_harmful = bool(contents.damaged)
    for rotation in contents.rotations:
        method = "renames them, and the engine writes on into the old file"
        if rotation.copies:
            method = "copies and empties them (copytruncate), which loses lines"
        yield Finding(
            subject=DAEMON,
            summary=f"logrotate rotates the engine's log files: {rotation.path} {method}",
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
def file_damaged(contents: LogContents, emptied_logs: EmptiedLogs | None) -> CheckResult:
    """A container's log was changed from outside, and `docker logs` stops or hangs.

    It has NUL bytes, or was emptied: the engine then looks for its last lines where the end was
    (seen on 28.5.2, not on 20.10.24). A power cut leaves NUL bytes at the end of the file. The
    container itself continues, and its new lines are appended behind them. The check looks at both
    ends of the largest json-file logs, and at the beginning of those whose end the engine does not
    give.
    """
    for log in contents.damaged:
        yield Finding.about(
            log.container,
            f"the log of {log.container} has NUL bytes {log.where}: `docker logs` stops there",
            {log.path: f"NUL bytes {log.where}"},
            variables={"log": log.path, "damaged": log.container.name},
        )
    for emptied in emptied_logs or ():
        yield _emptied_finding(emptied)
    return contents.unread_logs


def _emptied_finding(log: EmptiedLog) -> Finding:
    container = log.container
    begins_after = duration(log.begins_after_s)
    return Finding.about(
        container,
        f"the log of {container} was emptied by a program other than the engine, which no longer "
        "finds its last lines: `docker logs --tail` hangs",
        {
            "GET /containers/.../logs?tail": "no answer in time",
            log.path: f"its first line is {begins_after} younger than the container's start",
            f"{log.path}.1": "missing: the engine has not rotated it",
        },
        discriminator="emptied",
        recheck=(container.run,),
        variables={"emptied": container.name},
    )
