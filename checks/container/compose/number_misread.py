"""container.number-misread: compose takes a value without quotes for a number."""

from collections.abc import Sequence

from diagnose.evidence.containers.compose.written_projects import (
    MisreadNumber,
    WrittenProject,
    WrittenProjects,
)
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import MARK, same_value
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import agree, and_more, joined
from diagnose.registry import check

SHOWN = 4
_NAME = LazyPattern(r"[A-Za-z_]\w{0,80}")
"""A name that stands for itself in a pattern."""


@check("container.number-misread", severity=Severity.warning)
def number_misread(written_projects: WrittenProjects) -> CheckResult:
    """Compose takes a value without quotes for a number, and digits are lost.

    Without quotes, a leading 0 makes a number octal (0123456 becomes 42798, a mask of 022 becomes
    18), e is an exponent, and the last zero of a version goes (3.10 becomes 3.1). It counts where
    the container has the value that compose makes of it, and where digits are lost: a code with a
    leading 0, a hash, a variable that is called a version. Entries of a list (`- NAME=value`) and
    env files are text.
    """
    for project in written_projects:
        for container in project.containers:
            service = project.of(container)
            numbers = service.numbers if service is not None else ()
            misread = [number for number in numbers if _has_value(container, number.read)]
            if misread:
                yield _finding(container, project, misread)
    yield from written_projects.unexamined


def _has_value(container: Container, assignment: str) -> bool:
    """Whether a container has a variable with this value."""
    name, _, value = assignment.partition("=")
    return container.config.sets(name) and same_value(container.config.value_of(name), value)


def _finding(
    container: Container, project: WrittenProject, misread: Sequence[MisreadNumber]
) -> Finding:
    names = [number.written.partition("=")[0] for number in misread]
    paths = joined(list(by_key((number.path, number) for number in misread)))
    return Finding.about(
        container,
        f"{container} has a different value of {and_more(names, SHOWN)} than {paths} shows: "
        f"without quotes, compose takes {agree(misread, 'it', 'them')} for "
        f"{agree(misread, 'a number', 'numbers')}",
        dict(_difference(number) for number in misread[:SHOWN]),
        variables=_steps(container, project, names),
    )


def _difference(number: MisreadNumber) -> tuple[str, Json]:
    """Both values, where they are not secrets."""
    if MARK in number.written + number.read:
        return number.written.partition("=")[0], "a secret, which has become another number"
    return number.written, f"the container has {number.read}"


def _steps(container: Container, project: WrittenProject, names: Sequence[str]) -> PageVariables:
    """The edit that puts the values of these names into quotes, whatever they are."""
    variables = project.variables(container.compose_service)
    if not variables or not all(map(_NAME.fullmatch, names)):
        return {}
    value = r"([-+.0-9][-+.0-9A-Za-z_]*)([[:space:]]*(#.*)?)"
    edit = rf's/^([[:space:]]*({"|".join(names)}):[[:space:]]+){value}$/\1"\3"\4/'
    return {**variables, "edit": edit}
