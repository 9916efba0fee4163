"""container.variable-overruled: the host's own environment is stronger than a project's .env."""

from __future__ import annotations

from diagnose.evidence.containers.settings.overruled_variables import (
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
    no such name. Found where a running container has the value that /etc/environment, a profile of
    root or a unit of systemd sets, while `.env` of its project has another one. A new `docker
    compose up` does not change that.
    """
    for item in overruled_variables:
        yield _finding(item)
    return None


def _finding(item: OverruledVariable) -> Finding:
    container, name = item.container, item.name
    if item.is_secret:
        values = "another secret than the container has"
    else:
        values = f'"{item.written}", and the container has "{item.value}"'
    return Finding.about(
        container,
        f"{container} has the value of {name} that {item.source} sets on the host, and not the one "
        f"in {item.path}: compose prefers the environment of its caller",
        {f"{item.path}: {name}": values, item.source: f"sets {name} too"},
        discriminator=name,
        stable=(container.life,),
    ).with_variables(_steps(item))


def _steps(item: OverruledVariable) -> PageVariables:
    """Where the line is taken out, if it is one of a shell, and what `up` needs then."""
    container = item.container
    files = container.compose_files
    if item.source.endswith(_UNIT) or not _NAME.fullmatch(item.name) or len(files) != 1:
        return {"source": item.source}
    return {
        "source": item.source,
        "name": item.name,
        "edit": f"s/^[[:space:]]*(export[[:space:]]+)?{item.name}=/# &/",
        "compose_file": files[0],
        "project": container.compose_project,
        "compose_service": container.compose_service,
    }
