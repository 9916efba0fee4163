"""container.value-left-empty: a setting has no value of its own, or only a part of it."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.emptied_values import EmptiedValue, EmptiedValues
from diagnose.evidence.containers.variables.unfilled_values import UnfilledValue, UnfilledValues
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import joined, sentence, shortened
from diagnose.registry import check

SHOWN = 160


@check(
    "container.value-left-empty",
    severity=Severity.advice,
    aloud=("has a setting without its value", "have settings without their values"),
)
def value_left_empty(
    emptied_values: EmptiedValues, unfilled_values: UnfilledValues | None
) -> CheckResult:
    """A setting has no value of its own, or lacks a part of it.

    A placeholder of a template (`<your-token>`), the comment behind it, and `${NAME}` that nobody
    has replaced are not values. A program takes them for one. What the image brings is left out,
    since its start script may replace it.

    Compose replaces a variable that neither its environment nor the file .env of the project has by
    nothing, and goes on. The rule of a router ends behind a dot, an address has no host, a login no
    password. Rules for names that end or begin with a dot, addresses of the web without a host, and
    logins at a database without two of their parts count by their shape. Other values count where
    the line of the compose file, without its variables, has what the container has. It is advice,
    because a program may not use the setting.
    """
    for value in emptied_values:
        yield _finding(value)
    for unfilled in unfilled_values or ():
        yield _unfilled_finding(unfilled)


def _unfilled_finding(unfilled: UnfilledValue) -> Finding:
    container, name = unfilled.container, unfilled.variable
    shown = shortened(unfilled.value.strip(), SHOWN)
    if unfilled.is_comment:
        mistake = f"a comment for the value of its variable {name}"
    else:
        mistake = f"a placeholder for the value of its variable {name}"
    return Finding.about(
        container,
        f"{container} has {mistake}: {shown}",
        {"Config.Env": f"{name}={shown}"},
        discriminator=f"variable {name}",
        recheck=(container.run,),
        variables={"unfilled": name},
    )


def _finding(value: EmptiedValue) -> Finding:
    container, written = value.container, value.written
    shown = shortened(value.value, SHOWN)
    reason = "a variable may have been empty when it was created"
    if written is not None:
        reason = f"compose had no value for {joined(written.names)} of {written.path}"
    value_clause = f"{value.env_file} gives one now" if value.env_file else ""
    return Finding.about(
        container,
        sentence(
            f"{container} has a {value.setting} that lacks a part, {shown}: {reason}", value_clause
        ),
        {
            value.setting: shown,
            **present({"compose file": f"{written.path}, line {written.line}" if written else ""}),
        },
        discriminator=value.setting,
        recheck=(container.run,),
        variables=_steps(value),
    )


def _steps(value: EmptiedValue) -> PageVariables:
    """The page variables of the way to a value: an env file that has it, or a line to write."""
    container, written = value.container, value.written
    compose = compose_variables(container)
    if written is None or not compose:
        return {"setting": value.setting}
    folder = compose["folder"]
    own_file = f"{folder}/.env"
    if own_file in written.given_in:
        return compose
    one_file = {"compose_file": written.path, "project": container.compose_project}
    if value.env_file and len(container.compose_files) == 1:
        return {**compose, **one_file, "env_file": value.env_file}
    names = joined(written.names)
    return {"names": names, "dotenv": own_file, "service": compose["compose_service"]}
