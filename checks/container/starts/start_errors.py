"""The functions that checks of containers that do not start share."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.run_evidence import failed_start_evidence
from diagnose.first_steps.starts.start_steps import known_error
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import DAEMON, Finding, Json, PageVariables, Subject
from diagnose.phrases import named, quoted
from diagnose.programs.failures import Recognised

_IDS = LazyPattern(r"0x[0-9a-f]+|\b[0-9a-f]{12,64}\b|\b\d+\b|\"[^\"]*\"|'[^']*'")
"""The parts of an error that differ from container to container."""
ALIKE = 3
"""From this number of containers with the same error on, there is one finding about the engine."""
FIXES = "what fixes it"
"""The name of the evidence with the cure of a known error."""


def failed_start(
    container: Container,
    reason: str,
    *,
    known: Recognised | None = None,
    cause: str = "",
    evidence: dict[str, Json] | None = None,
    touches: tuple[Subject, ...] = (),
    calls: tuple[Subject, ...] = (),
    variables: PageVariables | None = None,
) -> Finding:
    """The finding about a start that the engine refused: the engine's own error is the proof.

    known: the meaning of the error, where the caller has looked already. cause: a cause that says
    more than the meaning of the error.
    """
    failure = known or known_error(container)
    cause = cause or (failure.cause if failure else reason)
    return Finding.about(
        container,
        f"{container} did not start: {cause}",
        {
            **failed_start_evidence(container),
            **present({FIXES: failure.cure if failure else ""}),
            **(evidence or {}),
        },
        touches=touches,
        calls=calls,
        signs=signs(container.state.error),
        variables=variables,
    )


def refused_program(
    container: Container, program: Program, reason: str, evidence: Mapping[str, Json] | None = None
) -> Finding:
    """The finding about a program that the kernel refused, as only the container's log shows.

    evidence: further values, between the line of the log and the container's state.
    """
    reporter = present({"reported by": program.behind})
    outcome = "runs, but" if container.is_running else "cannot run:"
    return Finding.about(
        container,
        f"{container} {outcome} {reason}",
        {
            "log": quoted(program.line),
            **(evidence or {}),
            "State": str(container.state),
            **reporter,
        },
        onset=container.failed_first,
        variables=program_variables(container, program.path),
    )


def program_variables(container: Container, program: str) -> PageVariables:
    """The page variables for a program in a container; file is its path as `docker cp` takes it."""
    return {
        "program": program,
        "image": container.config.image,
        "file": f"{container.name}:{program}",
    }


def with_mounted_copy(finding: Finding, container: Container) -> Finding:
    """The finding with the page variables that mount a corrected copy of the program.

    Nothing can be copied into a container with a read-only root file system, started or not. A
    finding about another container, or without the program's file, is unchanged.
    """
    file = finding.variables.get("file", "")
    if not file or not container.host_config.readonly_rootfs:
        return finding
    program = file.partition(":")[2]
    copy = f"/root/{container.name}-{posixpath.basename(program)}"
    return finding.without_variable("file").with_variables(
        {"sealed_file": file, "sealed_copy": copy, "sealed_mount": f"{copy}:{program}:ro"}
    )


def joined_by_error(refused: Iterable[tuple[Container, Finding]]) -> Iterator[Finding]:
    """The findings, in which those of several containers with the same error become one.

    One finding about the engine stands for them; the others are unchanged.

    A start that waits for another container is a matter of those two.
    """
    groups: dict[str, list[tuple[Container, Finding]]] = {}
    for container, finding in refused:
        groups.setdefault(_kind_of_error(container), []).append((container, finding))
    for group in groups.values():
        if len(group) < ALIKE or any(finding.calls for _, finding in group):
            yield from (finding for _, finding in group)
        else:
            yield _group_finding(group)


def _kind_of_error(container: Container) -> str:
    """The common part of the errors of one group.

    The known cause with its own path or device, or the text without names.
    """
    failure = known_error(container)
    return failure.cause if failure else _IDS.sub("?", container.state.error)


def _group_finding(group: list[tuple[Container, Finding]]) -> Finding:
    """A finding about the engine, for the containers that it refuses with the same error."""
    first, finding = group[0]
    names = [container.name for container, _ in group]
    reason = finding.summary.partition("did not start: ")[2]
    healing = {name: text for name, text in finding.evidence.items() if name == FIXES}
    return msgspec.structs.replace(
        finding,
        subject=DAEMON,
        summary=(
            f"the engine refuses to start {named('container', names)} with the same error: {reason}"
        ),
        evidence={"State.Error": first.state.error, **healing, "containers": names},
        touches=(*finding.touches, *(container.subject for container, _ in group)),
        discriminator=_IDS.sub("?", first.state.error)[-60:],
        service="",
    )
