"""container.variable-missing: a program needs an environment variable that is not set."""

from __future__ import annotations

from checks.container.confirmed import claims, compose_variables
from checks.container.helpers import with_variables
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import joined
from diagnose.registry import check

ID = "container.variable-missing"


@check(ID, severity=Severity.critical)
def variable_missing(containers: Containers, clock: Clock, log_tails: LogTails) -> CheckResult:
    """A container's program needs an environment variable that is not set.

    The log names the variable, or the program is known to need one of several, and the container's environment has none of them, or has
    them empty. A variable that a start script sets for its own children is not seen.
    """
    for claim in claims(ID, containers, log_tails, clock):
        named = claim.value("variable", "other")
        wanted = (named,) if named else claim.failure.failure.needs
        container = claim.container
        if not wanted or any(_is_set(container, name) for name in wanted):
            continue
        is_empty = any(entry in (f"{name}=" for name in wanted) for entry in container.config.env or ())
        state = "is empty" if is_empty else "is not set"
        finding = Finding.about(
            container,
            f'container "{container.name}" needs the environment variable {joined(wanted, "or")}, which {state}',
            {
                **claim.evidence,
                "Config.Env": f"{wanted[0]} {state}",
                "the log means": claim.failure.cause,
            },
            signs=claim.tail.signs,
            onset=container.failed_first,
            variable=wanted[0],
        )
        yield with_variables(finding, compose_variables(container))
    return None


def _is_set(container: Container, name: str) -> bool:
    values = (entry.partition("=") for entry in container.config.env or ())
    return any(key == name and value for key, _, value in values)
