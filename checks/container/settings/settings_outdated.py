"""container.settings-outdated: a restart did not apply what was changed in the files of compose."""

from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.compose.outdated_contents import OutdatedContent, OutdatedContents
from diagnose.evidence.containers.compose.outdated_parts import OutdatedParts, outdated_parts
from diagnose.evidence.containers.compose.outdated_variables import (
    OutdatedContainer,
    OutdatedVariables,
)
from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity
from diagnose.phrases import agree, and_more, joined
from diagnose.registry import check

SHOWN = 4


@check(
    "container.settings-outdated",
    severity=Severity.warning,
    aloud=("has files of an older content", "have files of an older content"),
)
def settings_outdated(
    outdated_variables: OutdatedVariables,
    written_projects: WrittenProjects | None,
    contents: OutdatedContents | None,
    clock: Clock,
    *,
    settled: Seconds = Seconds(600),
) -> CheckResult:
    """A container was restarted after its settings changed, and has the old ones.

    Compose hands `environment`, `env_file` and values of `.env` to a container when it makes it. A
    restart keeps that container. Compared are the variables that both the container and the files
    have; a file counts that was changed after the container was made and before its last start.
    Values that a shell may set, with more than one reference, or of services that extend others are
    left out. The ports, the mounts and the image that the compose file gives the service are
    compared in the same way, without those that name a variable. A file that compose copied into
    the container, as `content:` of a config is, counts after a restart too: `docker compose up`
    does not compare it. It is advice where nothing was restarted in the `settled` seconds since the
    change.
    """
    for outdated in outdated_variables:
        yield _finding(outdated, clock)
    for parts in outdated_parts(written_projects) if written_projects is not None else ():
        yield _parts_finding(parts, clock)
    for outdated_content in contents or ():
        was_restarted = (outdated_content.container.started_at or 0.0) > outdated_content.changed_at
        if was_restarted or clock.has_passed(outdated_content.changed_at, settled):
            severity = Severity.warning if was_restarted else Severity.advice
            yield _content_finding(outdated_content, clock, severity)


def _content_finding(outdated: OutdatedContent, clock: Clock, severity: Severity) -> Finding:
    container = outdated.container
    steps = {f"forced_{name}": value for name, value in _steps(container).items()}
    return Finding.about(
        container,
        f"{container} has an older content of {and_more(outdated.targets, SHOWN)} than the compose "
        f"file gives it since a change of {outdated.path} {clock.ago(outdated.changed_at)}: neither a "
        "restart nor a plain `docker compose up` applies it",
        {"created": clock.ago(container.created_at), "last start": clock.ago(container.started_at)},
        severity=severity,
        discriminator="contents",
        onset=outdated.changed_at,
        stable=(container.life,),
        variables=steps,
    )


def _parts_finding(outdated: OutdatedParts, clock: Clock) -> Finding:
    container = outdated.container
    return Finding.about(
        container,
        f"{container} runs without {and_more(outdated.parts, SHOWN)}, which {outdated.path} gives it "
        f"since a change {clock.ago(outdated.changed_at)}: a restart does not apply it",
        {"created": clock.ago(container.created_at), "last start": clock.ago(container.started_at)},
        discriminator="parts",
        onset=outdated.changed_at,
        stable=(container.life,),
        variables=_steps(container),
    )


def _finding(outdated: OutdatedContainer, clock: Clock) -> Finding:
    container, variables = outdated.container, outdated.variables
    names = and_more([variable.name for variable in variables], SHOWN)
    paths = joined(list(dict.fromkeys(variable.path for variable in variables)))
    have = agree(variables, "has", "have")
    return Finding.about(
        container,
        f"{container} runs with the old value of {names}, which {have} another one in "
        f"{paths} since a change {clock.ago(outdated.changed_at)}: a restart does not apply it",
        {
            **{
                f"{variable.path}: {variable.name}": variable.difference
                for variable in variables[:SHOWN]
            },
            "created": clock.ago(container.created_at),
            "last start": clock.ago(container.started_at),
        },
        onset=outdated.changed_at,
        stable=(container.life,),
        variables=_steps(container),
    )


def _steps(container: Container) -> PageVariables:
    """The page variables for `docker compose up`; empty for a project of several files."""
    file, service = only_file(container), container.compose_service
    if not file or not service:
        return {}
    return {"compose_file": file, "project": container.compose_project, "compose_service": service}
