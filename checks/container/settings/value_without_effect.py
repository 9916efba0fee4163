"""container.value-without-effect: a variable is read at the first start alone."""

from diagnose.evidence.containers.variables.built_values import BuiltValue, BuiltValues
from diagnose.evidence.containers.variables.first_start_values import (
    FirstStartValue,
    FirstStartValues,
)
from diagnose.evidence.containers.variables.image_values import ImageValue, ImageValues
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
    first_start_values: FirstStartValues,
    image_values: ImageValues,
    built_values: BuiltValues | None,
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

    Or a variable such as NEXT_PUBLIC_API_URL or VITE_API_URL was put into the code of pages when
    the image was built. The pages are older than the container and do not have its address. They
    have that of the image's own variable, one on localhost with a port of a container, or the
    variable itself, which no browser has. The check says nothing where pages read their settings at
    run time, nor about applications that run for their developers.
    """
    for value in first_start_values:
        yield _first_start_finding(value)
    for other in image_values:
        yield _image_finding(other)
    for built in built_values or ():
        yield _built_finding(built)


def _first_start_finding(value: FirstStartValue) -> Finding:
    container = value.container
    return Finding.about(
        container,
        f"{container} does not use its variable {value.variable}: its start script writes it into "
        f"{value.path} only if that file is missing, and the file is older and has a "
        "different value",
        {
            f"Config.Env {value.variable}": shortened(value.value, 100),
            value.path: f"{value.on_host} on the host, older than the container",
            **present({"start script": value.script}),
        },
        discriminator=value.variable,
        recheck=(container.run,),
        variables=present(
            {
                "variable": value.variable,
                "file": value.on_host,
                "script": value.script,
                "inside": value.path,
            }
        ),
    )


def _image_finding(image_value: ImageValue) -> Finding:
    container = image_value.container
    return Finding.about(
        container,
        f"{container} does not use {image_value.variable} of {image_value.on_host}: its image sets that "
        "variable, and the environment takes precedence over the file",
        {
            f"Config.Env {image_value.variable} of the image": shortened(image_value.value, 100),
            image_value.path: f"{image_value.on_host} on the host, with a different value",
        },
        discriminator=image_value.variable,
        recheck=(container.run,),
        variables={"name": image_value.variable, "env_file": image_value.on_host},
    )


def _built_finding(built: BuiltValue) -> Finding:
    container = built.container
    pages = f"they have {built.built_with}" if built.built_with else "they had no value for it"
    return Finding.about(
        container,
        f"{container} does not use its variable {built.variable}: its pages got their address when the "
        f"image was built, and {pages}",
        {
            f"Config.Env {built.variable}": shortened(built.value, 100),
            "pages": f"older than the container, without {shortened(built.value, 100)}",
        },
        discriminator=built.variable,
        recheck=(container.run,),
        variables={"built": built.variable},
    )
