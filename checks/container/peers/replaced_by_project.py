"""container.replaced-by-project: two folders of compose take each other's containers."""

from diagnose.evidence.containers.compose.project_clashes import ProjectClash, ProjectClashes
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, container
from diagnose.phrases import agree, named, sentence
from diagnose.registry import check


@check("container.replaced-by-project", severity=Severity.warning)
def replaced_by_project(project_clashes: ProjectClashes, clock: Clock) -> CheckResult:
    """Two compose folders with one project name take each other's containers.

    Compose calls a project after its folder. `docker compose up` in a second folder of the same
    name, such as that of a test system or a copy, recreates the services that both have, by its own
    file: the first system is gone, and its volumes are used by the second. With `--remove-orphans`
    it also removes those that it does not have. It is advice where no container is known to have
    gone. A project whose name does not come from its folder is not reported, nor a folder whose
    files are gone: it was moved.
    """
    for clash in project_clashes:
        yield _taken_finding(clash, clock) if clash.taken else _shared_name_finding(clash)


def _taken_finding(clash: ProjectClash, clock: Clock) -> Finding:
    first = clash.taken[0]
    fate = "removed as an orphan" if first.successor is None else "replaced"
    others = names_of(clash.taken[1:])
    return Finding(
        subject=container(first.name),
        summary=sentence(
            f'container "{first.name}" of the compose project in {clash.former.path} was {fate} '
            f"{clock.ago(first.at)} by the one in {clash.newer.path}: both projects are called "
            f'"{clash.project}"',
            f"{named('container', others)} {agree(others, 'is', 'are')} gone too" if others else "",
        ),
        evidence=present(
            {
                f"destroy event of {first.name}": f"{clock.ago(first.at)}, image {first.image}, "
                f"project.working_dir {clash.former.path}",
                **_present_folders(clash),
            }
        ),
        variables=_cure(clash),
        discriminator=clash.former.path,
        touches=subjects_of((*clash.containers, *clash.left)),
        onset=first.at,
    )


def _shared_name_finding(clash: ProjectClash) -> Finding:
    first = clash.left[0]
    return Finding.about(
        first,
        f"{first} and {named('container', names_of(clash.containers))} belong to two compose projects that are "
        f'both called "{clash.project}", in {clash.former.path} and {clash.newer.path}',
        _present_folders(clash),
        discriminator=clash.former.path,
        severity=Severity.advice,
        touches=subjects_of(clash.containers),
        variables=_cure(clash),
    )


def _present_folders(clash: ProjectClash) -> dict[str, object]:
    """The present containers, by the folder that made them."""
    folders = {clash.newer.path: clash.containers, clash.former.path: clash.left}
    return present(
        {f"containers from {path}": ", ".join(names_of(items)) for path, items in folders.items()}
    )


def _cure(clash: ProjectClash) -> PageVariables:
    """The page variables that bring the former containers back, and give one of the projects its
    own name. The former one where none of its containers is left and no volume has the project's
    name: that stops nothing."""
    variables = {"project": clash.project, "own_name": clash.newer_name}
    if not clash.taken:
        return variables | present({"newer_file": clash.newer.file})
    if not (clash.has_volumes or clash.left):
        return variables | present(
            {"lone_file": clash.former.file, "former_name": clash.former_name}
        )
    return variables | present({"former_file": clash.former.file, "second_file": clash.newer.file})
