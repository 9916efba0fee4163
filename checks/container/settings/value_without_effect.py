"""container.value-without-effect: a variable is read at the first start alone."""

from diagnose.evidence.containers.settings.first_start_values import (
    FirstStartValue,
    FirstStartValues,
)
from diagnose.evidence.containers.settings.image_values import ImageValue, ImageValues
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check(
    "container.value-without-effect",
    severity=Severity.advice,
    aloud=("has a setting without effect", "have settings without effect"),
)
def value_without_effect(
    first_start_values: FirstStartValues, image_values: ImageValues
) -> CheckResult:
    """A setting of a container has no effect: another place has an older value.

    A start script writes the variable into a file only while the file is missing. The file lies in
    a mount, is older than the container, and has no word of the variable's value. Nothing else of
    the script reads the variable. Switches, numbers of three digits and secrets do not count:
    scripts write them in other forms.

    Of Nextcloud, WordPress, Gitea, Matomo and Joomla the file is known. It counts where it has
    another value in that place, whenever it was written.

    Or a file .env is mounted, and a variable of the image has another value for one of its names:
    most programs take what is in the environment before the file.
    """
    for value in first_start_values:
        yield _first_start_finding(value)
    for other in image_values:
        yield _image_finding(other)


def _first_start_finding(value: FirstStartValue) -> Finding:
    container = value.container
    return Finding.about(
        container,
        f"{container} does not use its variable {value.variable}: its start script writes it into "
        f"{value.path} only while that file is missing, and the file is older and has another value",
        {
            f"Config.Env {value.variable}": shortened(value.value, 100),
            value.path: f"{value.on_host} on the host, older than the container",
            **present({"start script": value.script}),
        },
        discriminator=value.variable,
        stable=(container.life,),
    ).with_variables(
        present(
            {
                "variable": value.variable,
                "file": value.on_host,
                "script": value.script,
                "inside": value.path,
            }
        )
    )


def _image_finding(other: ImageValue) -> Finding:
    container = other.container
    return Finding.about(
        container,
        f"{container} does not use {other.variable} of {other.on_host}: its image sets that variable, "
        "and the environment comes before the file",
        {
            f"Config.Env {other.variable} of the image": shortened(other.value, 100),
            other.path: f"{other.on_host} on the host, with another value",
        },
        discriminator=other.variable,
        stable=(container.life,),
    ).with_variables({"name": other.variable, "env_file": other.on_host})
