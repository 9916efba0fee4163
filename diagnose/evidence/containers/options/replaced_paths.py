"""Programs that a container does not find because its own PATH replaces that of its image."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.missing_programs import MISSING, own_program
from diagnose.evidence.containers.programs.program_files import programs_at
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import assignments, first_of, known
from diagnose.model import Failed
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

NAME = "PATH"
_FAMILY = "command-missing"
_BARE_NAME = LazyPattern(r"[\w.+-]{1,100}")
"""A program that is looked for in PATH: with a slash it would be called by its place."""


class ReplacedPath(msgspec.Struct, frozen=True):
    """A container that does not find a program of its image."""

    container: Container
    program: str
    """The name that was called."""
    place: str
    """The path of the program in the container."""
    path: str
    """The container's PATH."""
    image_path: str
    line: str
    """The line that misses the program."""


class ReplacedPaths(Items[ReplacedPath], frozen=True):
    """The containers whose PATH lacks the folder of a missing program, which their image's has."""


@evidence
def replaced_paths(
    host: Host, containers: Containers, log_tails: LogTails | None, errors: RepeatedErrors | None
) -> ReplacedPaths:
    """The programs that are in a folder of the image's PATH, and not of the container's.

    Asked about containers that have a PATH of their own and miss a program: a question about the
    image, and one for each folder that is not in their PATH.
    """
    repeated = {error.container.id: error.failure for error in errors or ()}
    items: list[ReplacedPath | None] = []
    for container in containers:
        failures = [repeated.get(container.id)]
        if log_tails is not None:
            failures.append(log_tails.failures.get(container.id))
        items += [
            _replaced_path(host, container, called)
            for called in _missing_names(container, failures)
        ]
    return ReplacedPaths(known(items))


class _Called(msgspec.Struct, frozen=True):
    """A program that was called by its name and not found, and the line about it."""

    name: str
    line: str


def _missing_names(container: Container, failures: list[Recognised | None]) -> Iterator[_Called]:
    """The first program that the container does not find by its name."""
    names = [
        _Called(failure.values.get("command", ""), failure.line)
        for failure in failures
        if failure is not None and failure.name == _FAMILY
    ]
    if own_program(container) in MISSING:
        names.append(_Called(container.path, container.state.error))
    called = [name for name in names if _BARE_NAME.fullmatch(name.name)]
    yield from called[:1]


def _replaced_path(host: Host, container: Container, called: _Called) -> ReplacedPath | None:
    """The program and its place; None where the container's PATH has all folders of the image."""
    path = container.config.value_of(NAME)
    image = host.ask(InspectImage(container.image))
    if not path or isinstance(image, Failed):
        return None
    image_path = assignments(image.env).get(NAME, "")
    lacking = [folder for folder in image_path.split(":") if folder not in path.split(":")]
    places = (f"{folder.rstrip('/')}/{called.name}" for folder in lacking if folder[:1] == "/")
    place = first_of(programs_at(host, container, places), "")
    if not place:
        return None
    return ReplacedPath(
        container, called.name, place, path, image_path=image_path, line=called.line
    )
