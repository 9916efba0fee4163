"""container.variable-misspelt: a variable almost has the name that the start script reads."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.variables.misspelt_variables import (
    MisspeltVariable,
    MisspeltVariables,
)
from diagnose.evidence.containers.variables.other_user_variables import (
    OtherUserVariable,
    OtherUserVariables,
)
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check


@check(
    "container.variable-misspelt",
    severity=Severity.warning,
    aloud=(
        "has a variable that its image does not know",
        "have variables that their images do not know",
    ),
)
def variable_misspelt(
    misspelt_variables: MisspeltVariables, other_user_variables: OtherUserVariables | None
) -> CheckResult:
    """A container's variable is misspelt: its image reads another name.

    The names are read from the script itself: `$POSTGRES_DB`, or `file_env POSTGRES_DB`. It counts
    where the variable is none of the image, the script does not mention it, the name that the
    script reads is not set, and the two differ by one letter, two swapped ones, the case, a dash,
    or PASS for PASSWORD. A variable that another container of the project has too may be meant for
    that one. Plurals, numbers, HTTPS beside HTTP, and short words such as URI beside URL are names
    of their own.

    The number of a user has many names: PUID, UID, USER_ID. It is advice where the container has
    one, the image has another one with its own number, and no process runs as the number that is
    asked for.
    """
    for misspelt in misspelt_variables:
        yield _finding(misspelt)
    for other in other_user_variables or ():
        yield _user_finding(other)


def _user_finding(other: OtherUserVariable) -> Finding:
    container = other.container
    return Finding.about(
        container,
        f"{container} has {other.variable}={other.value}, and none of its processes runs as user "
        f"{other.value}: its image has {other.meant}={other.default} for that",
        {
            "Config.Env": f"{other.variable}={other.value}",
            "variable of the image": f"{other.meant}={other.default}",
        },
        discriminator=other.variable,
        severity=Severity.advice,
        recheck=(container.run,),
        variables={
            "variable": other.variable,
            "meant": other.meant,
            "users_variable": other.variable,
            "users_assignment": f"{other.meant}={other.value}",
        },
    )


def _finding(misspelt: MisspeltVariable) -> Finding:
    container = misspelt.container
    return Finding.about(
        container,
        f"{container} has the variable {misspelt.variable}, which its start script does not read: "
        f"the script reads {misspelt.meant}, which is not set",
        {
            "Config.Env": f"{misspelt.variable} is set, {misspelt.meant} is not",
            "start script of the image": misspelt.script,
        },
        discriminator=misspelt.variable,
        variables={
            "variable": misspelt.variable,
            "meant": misspelt.meant,
            "script": misspelt.script,
            **_renamed_variable(misspelt),
        },
    )


def _renamed_variable(misspelt: MisspeltVariable) -> PageVariables:
    """The edit of the only compose file; without compose the two names."""
    compose_file = only_file(misspelt.container)
    compose = compose_variables(misspelt.container)
    if not compose and not misspelt.container.swarm_service:
        return {"wrong_name": misspelt.variable, "right_name": misspelt.meant}
    if not compose_file or not compose:
        return {}
    escaped = misspelt.variable.replace(".", "\\.")
    edit = rf"s/\b{escaped}\b/{misspelt.meant}/g"
    return {**compose, "compose_file": compose_file, "edit": edit}
