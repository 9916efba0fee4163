"""Containers that do not start, do not stay, or do not work."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.evidence.containers import Container, Containers
from diagnose.model import Finding, Severity
from diagnose.registry import check
from diagnose.signs import signs


def _failed_start(container: Container, reason: str, **variables: str) -> Finding:
    """A start that the engine refused: its own words are the proof."""
    return Finding(
        subject=container.subject,
        summary=f"{container.short} did not start: {reason}",
        evidence={
            "State.Status": container.state.status,
            "State.ExitCode": container.state.exit_code,
            "State.Error": container.state.error,
        },
        variables={"container": container.short, **variables},
        signs=signs(container.state.error),
        service=container.service,
    )


@check("container.entrypoint-missing", severity=Severity.critical, caused_by=["container.mount-source-missing"])
def entrypoint_missing(containers: Containers) -> Iterable[Finding]:
    """The program that a container is to run does not exist in its image.

    The engine answers 127 also for a file that is mounted over a directory ("not a directory"), which is another problem. Seen on
    engines 20.10.24, 26.1.5 and 28.5.2: the container stays `created`, only inspect has the error.
    """
    for container in containers:
        error = container.state.error
        if container.start_failed and ("executable file not found" in error or _stat_failed(error)):
            program = container.path or (container.command or ["?"])[0]
            yield _failed_start(container, f"its image has no {program}", program=program, image=container.config.image)


def _stat_failed(error: str) -> bool:
    return 'exec: "' in error and "no such file or directory" in error


@check("container.entrypoint-forbidden", severity=Severity.critical)
def entrypoint_forbidden(containers: Containers) -> Iterable[Finding]:
    """The program that a container is to run may not be executed.

    No x bit, a directory, or a mount with noexec. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 126, state `created`.
    """
    for container in containers:
        error = container.state.error
        if container.start_failed and 'exec: "' in error and ("permission denied" in error or "is a directory" in error):
            program = container.path
            yield _failed_start(
                container, f"{program} may not be executed", program=program, image=container.config.image
            )
