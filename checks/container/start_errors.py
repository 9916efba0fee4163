"""What findings about containers that do not start share."""

from __future__ import annotations

import re

from checks.container.helpers import QUOTED, with_variables
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.programs import Program
from diagnose.model import Finding, Json, Subject

_EXEC = re.compile(
    r'exec: "(?P<program>.*?)": .*?'
    r"(?P<why>executable file not found|no such file or directory|permission denied|is a directory)"
    r"|container process: exec (?P<bare>.+): (?P<denied>permission denied)(?:: unknown)?$"
)
"""Without quotes: the file has an x bit, and the kernel does not let this user execute it there (noexec, or not its owner)."""


def failed_start(
    container: Container,
    reason: str,
    *,
    evidence: dict[str, Json] | None = None,
    touches: tuple[Subject, ...] = (),
    calls: tuple[Subject, ...] = (),
    **variables: str,
) -> Finding:
    """A start that the engine refused: the engine's own error is the proof."""
    finding = Finding.about(
        container,
        f'container "{container.name}" did not start: {reason}',
        {
            "State": f"{container.state.status}, exit code {container.state.exit_code}",
            "State.Error": container.state.error,
            **(evidence or {}),
        },
        touches=touches,
        calls=calls,
        signs=signs(container.state.error),
    )
    return with_variables(finding, variables)


def refused_program(container: Container, program: Program, what: str, **evidence: Json) -> Finding:
    """A program that the kernel refused: only the container's log says so."""
    behind = {"reported by": program.behind} if program.behind else {}
    finding = Finding.about(
        container,
        f'container "{container.name}" cannot run: {what}',
        {
            "log": program.line[:QUOTED],
            **evidence,
            "State": f"{container.state.status}, exit code {container.state.exit_code}",
            **behind,
        },
        onset=container.failed_first,
    )
    return with_variables(finding, program_variables(container, program.path))


def program_variables(container: Container, program: str) -> dict[str, str]:
    """The page's variables for a program in a container; file is how `docker cp` names it."""
    return {"program": program, "image": container.config.image, "file": f"{container.name}:{program}"}


def own_program(container: Container) -> str:
    """Why the engine could not start a container's own program, in its words. "" if it says nothing about it, or means a program of the
    host (runc, docker-init) with the same words."""
    match = _EXEC.search(container.state.error) if container.start_failed else None
    if match is None:
        return ""
    program = match["program"] or match["bare"]
    return (match["why"] or match["denied"]) if program == (container.path or program) else ""


def hiding_mount(container: Container, program: str) -> str:
    """The innermost mount that lies over the program's folder and hides what the image has there; "" if none."""
    points = [mount.destination for mount in container.mounts or ()] + list(container.host_config.tmpfs or ())
    return max((point for point in points if program.startswith(f"{point.rstrip('/')}/")), key=len, default="")
