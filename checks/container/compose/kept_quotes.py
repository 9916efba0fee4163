"""Quotes and spaces that compose or an env file has left around the value of a variable."""

from collections.abc import Collection, Iterator

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.containers.variables.quoted_values import QuotedValue, QuotedValues
from diagnose.evidence.containers.variables.spaced_values import SpacedValue, SpacedValues
from diagnose.mappings import present
from diagnose.model import Finding, PageVariables, Severity
from diagnose.phrases import shortened

_UNQUOTED = r"""s/^\([[:space:]]*-[[:space:]]*NAME=\)\(["']\)\(.*\)\2[[:space:]]*$/\1\3/"""
"""The sed command that removes the quotes from the entry of a variable in a list of a compose file,
where they are part of the value."""


def without_quotes(name: str) -> str:
    """The sed command that removes the quotes from the entry of this variable."""
    return _UNQUOTED.replace("NAME", name)


def kept_marks_findings(
    quoted_values: QuotedValues | None,
    spaced_values: SpacedValues | None,
    reported_ids: Collection[str],
) -> Iterator[Finding]:
    """Findings about values with quotes or spaces, for containers without another finding about
    their variables.

    reported_ids: the ids of the containers that have one.
    """
    for quoted in quoted_values or ():
        if quoted.container.id not in reported_ids:
            yield _kept_quotes_finding(quoted)
    for spaced in spaced_values or ():
        if spaced.container.id not in reported_ids:
            yield _spaced_value_finding(spaced)


def _spaced_value_finding(spaced: SpacedValue) -> Finding:
    container = spaced.container
    name = spaced.variable
    return Finding.about(
        container,
        f"the value of variable {name} of {container} {spaced.where} with a space, which is part of "
        f'the value: "{shortened(spaced.value, 80)}"',
        {"Config.Env": f'{name}="{shortened(spaced.value, 80)}"'},
        discriminator=name,
        severity=Severity.advice,
        variables={
            "variable": name,
            **compose_variables(container),
            "assignment": f"{name}={spaced.inner}",
        },
    )


def _kept_quotes_finding(quoted: QuotedValue) -> Finding:
    """The finding about a quoted value; a warning where a line shows that the schedule fails."""
    container = quoted.container
    name = quoted.variable
    kind = "a schedule" if quoted.is_schedule else "a value"
    return Finding.about(
        container,
        f"{container} has quotes around the value of its variable {name}, and they become part of "
        f"{kind} that has none: {quoted.value}",
        {"Config.Env": f"{name}={quoted.value}", **present({LINE: shortened(quoted.line)})},
        discriminator=name,
        severity=Severity.warning if quoted.line else Severity.advice,
        is_quiet=not quoted.is_schedule,
        variables={"variable": name, **_corrected_entry(quoted)},
    )


def _corrected_entry(quoted: QuotedValue) -> PageVariables:
    """The value without its quotes, and the compose file that has them."""
    name = quoted.variable
    compose_file = only_file(quoted.container)
    steps: PageVariables = {"assignment": f"{name}={quoted.inner}"}
    if compose_file:
        steps = {**steps, "quoted_file": compose_file, "unquoted": without_quotes(name)}
    return {**compose_variables(quoted.container), **steps}
