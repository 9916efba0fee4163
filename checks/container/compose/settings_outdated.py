"""container.settings-outdated: what was changed in the files of compose was not applied."""

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
    aloud=("was created before its settings changed", "were created before their settings changed"),
)
def settings_outdated(
    outdated_variables: OutdatedVariables,
    written_projects: WrittenProjects | None,
    contents: OutdatedContents | None,
    clock: Clock,
    *,
    settled: Seconds = Seconds(600),
) -> CheckResult:
    """A container was created before its settings changed, and has the old ones.

    Compose hands `environment`, `env_file` and values of `.env` to a container when it makes it. A
    restart keeps that container.

    The check compares the variables that both the container and the files have. A file counts that
    was changed after the container was made. The ports, the mounts and the image that the compose
    file gives the service are compared in the same way, without those that name a variable. A file
    that compose copied into the container, as `content:` of a config is, counts too: `docker
    compose up` does not compare it.

    The check leaves out values with more than one reference, services that extend others, and
    values of `.env` where several differ and none is equal: a shell may set them. It is advice
    where nothing was restarted in the `settled` seconds since the change.
    """
    parts = outdated_parts(written_projects) if written_projects is not None else ()

    def is_due(outdated: OutdatedContainer | OutdatedParts | OutdatedContent) -> bool:
        return outdated.was_restarted or clock.has_passed(outdated.changed_at, settled)

    yield from (_variables_finding(found, clock) for found in outdated_variables if is_due(found))
    yield from (_parts_finding(found, clock) for found in parts if is_due(found))
    yield from (_content_finding(found, clock) for found in contents or () if is_due(found))


def _variables_finding(outdated: OutdatedContainer, clock: Clock) -> Finding:
    container = outdated.container
    variables = outdated.variables
    names = and_more([variable.name for variable in variables], SHOWN)
    paths = joined(list(dict.fromkeys(variable.path for variable in variables)))
    have = agree(variables, "has", "have")
    return Finding.about(
        container,
        f"{container} runs with the old value of {names}, which {have} a different value in "
        f"{paths} since a change {clock.ago(outdated.changed_at)}: "
        f"{_why_not_applied(outdated)}",
        {
            **{
                f"{variable.path}: {variable.name}": variable.difference
                for variable in variables[:SHOWN]
            },
            "created": clock.ago(container.created_at),
            "last start": clock.ago(container.started_at),
        },
        severity=_severity(outdated),
        onset=outdated.changed_at,
        recheck=(container.run,),
        variables=_steps(container),
    )


def _parts_finding(outdated: OutdatedParts, clock: Clock) -> Finding:
    container = outdated.container
    return Finding.about(
        container,
        f"{container} runs without {and_more(outdated.parts, SHOWN)}, which {outdated.path} gives it "
        f"since a change {clock.ago(outdated.changed_at)}: {_why_not_applied(outdated)}",
        {"created": clock.ago(container.created_at), "last start": clock.ago(container.started_at)},
        severity=_severity(outdated),
        discriminator="parts",
        onset=outdated.changed_at,
        recheck=(container.run,),
        variables=_steps(container),
    )


def _content_finding(outdated: OutdatedContent, clock: Clock) -> Finding:
    container = outdated.container
    steps = {f"forced_{name}": value for name, value in _steps(container).items()}
    return Finding.about(
        container,
        f"{container} has an older version of {and_more(outdated.targets, SHOWN)} than the "
        f"compose file gives it since a change of {outdated.path} "
        f"{clock.ago(outdated.changed_at)}: neither a restart nor a plain `docker compose up` "
        "applies it",
        {"created": clock.ago(container.created_at), "last start": clock.ago(container.started_at)},
        severity=_severity(outdated),
        discriminator="contents",
        onset=outdated.changed_at,
        recheck=(container.run,),
        variables=steps,
    )


def _severity(outdated: OutdatedContainer | OutdatedParts | OutdatedContent) -> Severity:
    return Severity.warning if outdated.was_restarted else Severity.advice


def _why_not_applied(outdated: OutdatedContainer | OutdatedParts) -> str:
    if outdated.was_restarted:
        return "a restart does not apply it"
    return "nobody has recreated the container since"


def _steps(container: Container) -> PageVariables:
    """The page variables for `docker compose up`; empty for a project of several files."""
    file = only_file(container)
    service = container.compose_service
    if not file or not service:
        return {}
    return {"compose_file": file, "project": container.compose_project, "compose_service": service}
