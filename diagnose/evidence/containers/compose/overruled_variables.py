"""Variables of `.env` that the environment of whoever calls compose overrules.

Compose takes a reference such as ${API_KEY} from its own environment first, and from `.env` only
where that has none: a value of /etc/environment or of a unit stays in force, whatever `.env` says.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import MARK, same_value
from diagnose.evidence.items import Items
from diagnose.model import HOST, Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.compose_variables import ComposeVariable, ReadComposeVariables
from diagnose.questions.cron import ListShellVariables, ShellVariable
from diagnose.registry import evidence

MOST = 20
"""Services whose files are read."""


class OverruledVariable(msgspec.Struct, frozen=True):
    """A container with a value that another place than its project's files gives."""

    container: Container
    name: str
    written: str
    """The value of the project's files."""
    path: str
    """The file that has it."""
    value: str
    """The container's."""
    source: str
    """The file of the host that sets it."""

    @property
    def is_secret(self) -> bool:
        return MARK in self.written + self.value


class OverruledVariables(Items[OverruledVariable], frozen=True):
    """The overruled variables of running containers."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def overruled_variables(host: Host, written_projects: WrittenProjects) -> OverruledVariables:
    """Variables of a shell or a unit that override the `.env` file of a compose project.

    The files of shells and units take one question, if compose has created running containers. The
    files of a project are read where one of these sets a variable that a container has with the
    same value.
    """
    running = [
        (project, container)
        for project in written_projects
        for container in project.containers
        if container.is_running
    ]
    names = {name for _, container in running for name, _ in container.config.environment}
    names -= {"PATH", "HOME", "LANG", "TZ"}
    if not names:
        return OverruledVariables()
    answer = host.ask(ListShellVariables(sorted(names)))
    if isinstance(answer, Failed):
        unread = Unexamined(HOST, f"{ListShellVariables.POLICY.what}: {answer}")
        return OverruledVariables(unexamined=(unread,) if answer.reason != "not recorded" else ())
    candidates = [
        (project, container, set_by)
        for project, container in running
        if (set_by := list(_variables_of_container(container, answer)))
    ]
    items: list[OverruledVariable] = []
    for project, container, set_by in host.first(candidates, MOST, "services with such a variable"):
        items += _overruled_by_file(host, project, container, set_by)
    return OverruledVariables(tuple(items))


def _variables_of_container(
    container: Container, variables: Sequence[ShellVariable]
) -> Iterator[ShellVariable]:
    """The variables of the host that a container has with the same value."""
    for variable in variables:
        name, _, value = variable.variable.partition("=")
        if container.config.sets(name) and same_value(container.config.value_of(name), value):
            yield variable


def _overruled_by_file(
    host: Host, project: WrittenProject, container: Container, set_by: Sequence[ShellVariable]
) -> Iterator[OverruledVariable]:
    """The variables of which the project's files have another value."""
    question = ReadComposeVariables(
        list(project.paths), folder=project.folder, service=container.compose_service
    )
    answer = host.ask(question)
    written = {} if isinstance(answer, Failed) else _by_name(answer)
    for variable in set_by:
        name, _, value = variable.variable.partition("=")
        written_variable = written.get(name)
        if written_variable is None or not written_variable.path.endswith("/.env"):
            continue
        written_value = written_variable.variable.partition("=")[2]
        if not same_value(value, written_value) and (MARK in value) == (MARK in written_value):
            yield OverruledVariable(
                container,
                name,
                written=written_value,
                path=written_variable.path,
                value=value,
                source=variable.path,
            )


def _by_name(variables: Sequence[ComposeVariable]) -> Mapping[str, ComposeVariable]:
    return {variable.variable.partition("=")[0]: variable for variable in variables}
