"""container.files-lost: files of an image that were deleted or changed in a container."""

from checks.container.claims import compose_variables, is_broken
from diagnose.error_signatures import signs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.lost_files import LostFiles
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.files-lost", severity=Severity.critical)
def files_lost(lost_files: LostFiles, log_tails: LogTails, clock: Clock) -> CheckResult:
    """Files of a container's image were deleted or changed in the container.

    The engine, the program's log or the health check misses a file, or may not use it, and the
    container's writable layer has just that file otherwise than its image: an update that broke
    off, an
    `rm` or `chmod` by `docker exec`, an attempt at a repair. A restart keeps the layer. Seen on
    engines 20.10.24 and 28.5.2.
    """
    for lost in lost_files:
        container = lost.container
        is_down = is_broken(container, clock, log_tails)
        kind, what = ("D", "deleted") if lost.is_deleted else ("C", "changed")
        yield Finding.about(
            container,
            f"{container} cannot use {lost.path}: the file was {what} in the container, "
            "and the image still has it",
            {
                LINE: quoted(lost.line),
                "docker diff": f"{kind} {lost.path}",
                "State": str(container.state),
            },
            severity=None if is_down else Severity.warning,
            signs=signs(lost.line),
            onset=container.failed_first,
            variables=compose_variables(container) | {"path": lost.path},
        )
    yield from lost_files.unexamined
