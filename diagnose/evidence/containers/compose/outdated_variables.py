"""Variables of containers for which the files of their compose project now have another value.

Compose hands variables to a container when it creates the container. `docker compose restart`,
`docker restart` and a restart of the host start the same container again, with the old ones.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.compose.compose_files import SLACK_S
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.secrets import MARK, same_value
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.compose import ListComposeFiles
from diagnose.questions.compose_variables import ComposeVariable, ReadComposeVariables
from diagnose.registry import evidence
from diagnose.yaml_text import read_values

_SCALAR = LazyPattern(r"[\w.:+-]{1,40}")
MOST = 40
"""Projects whose files are looked at, and services that are read."""
TOO_MANY = f"its compose files were not read: this host has more than {MOST} projects"


class OutdatedVariable(msgspec.Struct, frozen=True):
    """A variable, with its old and its new value. Secrets are redacted."""

    name: str
    value: str
    newer: str
    path: str

    @property
    def difference(self) -> str:
        """Both values in words."""
        if MARK in self.value + self.newer:
            return "another value (both are secrets)"
        return f'"{self.newer}", and the container has "{self.value}"'


class OutdatedContainer(msgspec.Struct, frozen=True):
    """A container that was created before its variables changed in the files."""

    container: Container
    variables: tuple[OutdatedVariable, ...]
    changed_at: float
    """Unix time of the last change of the files with the variables."""

    @property
    def was_restarted(self) -> bool:
        """Whether the container was started again after the change."""
        return self.changed_at < (self.container.started_at or 0.0)


class OutdatedVariables(Items[OutdatedContainer], frozen=True):
    """The outdated variables of running containers that compose made on this host."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def outdated_variables(host: Host, containers: Containers) -> OutdatedVariables:
    """Running containers with older values of variables than their compose files have now.

    One question for each project of a running container. The variables are read only where a file
    of the project was changed after the creation. A secret is compared as the token that replaces
    it.
    """
    of_files = filter(_is_of_files, containers.running)
    projects = by_key((_project(container), container) for container in of_files)
    items: list[OutdatedContainer] = []
    unread = [members[0] for members in list(projects.values())[MOST:]]
    read = 0
    for (folder, *paths), members in list(projects.items())[:MOST]:
        listing = host.ask(ListComposeFiles(list(paths), folder=folder))
        times = {} if isinstance(listing, Failed) else {file.path: file.mtime for file in listing}
        for container in members:
            newer = _changed_since_creation(container, times)
            if newer and read < MOST:
                read += 1
                items += _outdated_container(host, container, newer)
            elif newer:
                unread.append(container)
    return OutdatedVariables(
        tuple(items), tuple(Unexamined(container.subject, TOO_MANY) for container in unread)
    )


def _project(container: Container) -> tuple[str, ...]:
    """The folder of its project, and the compose files."""
    return (container.compose_folder, *container.compose_files)


def _is_of_files(container: Container) -> bool:
    """Whether compose created the container from files of this host.

    `--env-file` names another file than `.env`, and is not followed.
    """
    if container.created_at is None or container.started_at is None or container.is_one_off:
        return False
    folder, *files = _project(container)
    environment_file = container.compose_label("project.environment_file")
    is_usual = environment_file in ("", f"{folder}/.env")
    return is_usual and bool(files) and all(path.startswith("/") for path in (folder, *files))


def _changed_since_creation(container: Container, times: Mapping[str, float]) -> dict[str, float]:
    """The files, with times, that were changed after the container was created."""
    created = (container.created_at or 0.0) + SLACK_S
    return {path: at for path, at in times.items() if at > created}


def _outdated_container(
    host: Host, container: Container, newer: Mapping[str, float]
) -> Iterator[OutdatedContainer]:
    """The container, if the files of its compose project now give it other variables."""
    folder, *paths = _project(container)
    question = ReadComposeVariables(paths, folder=folder, service=container.compose_service)
    answer = host.ask(question)
    if isinstance(answer, Failed):
        return
    environment = dict(container.config.environment)
    written = [variable for variable in answer if not variable.is_reference]
    references = [variable for variable in answer if variable.is_reference]
    differing = [
        *_differing_variables(written, environment),
        *_differing_references(references, environment),
    ]
    outdated = [variable for variable in differing if variable.path in newer]
    if outdated:
        at = max(newer[variable.path] for variable in outdated)
        yield OutdatedContainer(container, tuple(outdated), at)


def _differing_references(
    references: Sequence[ComposeVariable], environment: Mapping[str, str]
) -> Sequence[OutdatedVariable]:
    """The references that have another value; none where compose read no value in `.env`.

    Where several differ and none is equal, the shell of whoever called compose had set them.
    """
    differing = _differing_variables(references, environment)
    given = [reference for reference in references if _name(reference) in environment]
    is_set_by_shell = len(differing) > 1 and len(differing) == len(given)
    return () if is_set_by_shell else differing


def _differing_variables(
    variables: Sequence[ComposeVariable], environment: Mapping[str, str]
) -> list[OutdatedVariable]:
    """The variables that the container has with another value."""
    compared = (_outdated_variable(variable, environment) for variable in variables)
    return [variable for variable in compared if variable is not None]


def _name(variable: ComposeVariable) -> str:
    return variable.variable.partition("=")[0]


def _outdated_variable(
    variable: ComposeVariable, environment: Mapping[str, str]
) -> OutdatedVariable | None:
    """The variable, where the container has another value of it; else None."""
    name, _, value = variable.variable.partition("=")
    present = environment.get(name)
    if present is None or same_value(present, value):
        return None
    if (MARK in present) != (MARK in value) or _is_same_scalar(present, value):
        return None
    return OutdatedVariable(name, present, value, variable.path)


def _is_same_scalar(present: str, value: str) -> bool:
    """Whether libyaml reads the container's value as the one of the file.

    Compose leaves `yes` and `22:00` in its file as they are, and libyaml makes a boolean and a
    number of seconds of them.
    """
    if not _SCALAR.fullmatch(present):
        return False
    try:
        read = read_values(present)
    except ValueError:
        return False
    return (str(read).lower() if isinstance(read, bool) else str(read)) == value
