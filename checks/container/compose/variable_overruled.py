"""container.variable-overruled: the host's own environment is stronger than a project's .env."""

from diagnose.evidence.containers.compose.overruled_variables import (
    OverruledVariable,
    OverruledVariables,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_NAME = LazyPattern(r"[A-Za-z_]\w{0,80}")
_UNIT = ".service"


@check("container.variable-overruled", severity=Severity.warning)
def variable_overruled(overruled_variables: OverruledVariables) -> CheckResult:
    """A variable of the host overrules the value in a project's .env file.

    Compose takes `${NAME}` from the environment of its caller, and from `.env` only where that has
    no such name. The check reports it where a running container has the value that
    /etc/environment, a profile of root or a unit of systemd sets, while `.env` of its project has
    another one. A new `docker compose up` does not change that.
    """
    for variable in overruled_variables:
        yield _finding(variable)


def _finding(variable: OverruledVariable) -> Finding:
    container = variable.container
    name = variable.name
    if variable.is_secret:
        values = "a different secret than the container has"
    else:
        values = f'"{variable.written}", and the container has "{variable.value}"'
    return Finding.about(
        container,
        f"{container} has the value of {name} that {variable.source} sets on the host, not the "
        f"one in {variable.path}: compose prefers the environment of the shell that calls it",
        {f"{variable.path}: {name}": values, variable.source: f"sets {name} too"},
        discriminator=name,
        recheck=(container.run,),
        variables=_steps(variable),
    )


def _steps(variable: OverruledVariable) -> PageVariables:
    """The page variables that remove the line from its file, if a shell reads it, and then run
    `up`."""
    container = variable.container
    files = container.compose_files
    if variable.source.endswith(_UNIT) or not _NAME.fullmatch(variable.name) or len(files) != 1:
        return {"source": variable.source}
    return {
        "source": variable.source,
        "name": variable.name,
        "edit": f"s/^[[:space:]]*(export[[:space:]]+)?{variable.name}=/# &/",
        "compose_file": files[0],
        "project": container.compose_project,
        "compose_service": container.compose_service,
    }
