"""container.path-replaced: a container's own PATH hides a program that its image has."""

import posixpath

from checks.container.claims import compose_variables
from diagnose.evidence.containers.options.replaced_paths import ReplacedPath, ReplacedPaths
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted, shortened
from diagnose.registry import check

SHOWN = 200


@check(
    "container.path-replaced",
    severity=Severity.critical,
    causes=["container.entrypoint-missing", "container.errors-in-log"],
)
def path_replaced(replaced: ReplacedPaths) -> CheckResult:
    """A container's PATH replaces that of its image, and a program is not found.

    `PATH=/extra:${PATH}` in a compose file or an env file does not extend the image's PATH: compose
    puts the PATH of the host there, or of whoever calls it. Programs in other folders of the image
    are not found, and the log reads as if the image did not have them.

    A program counts that is in a folder of the image's PATH which the container's PATH lacks.
    """
    for replaced_path in replaced:
        yield _finding(replaced_path)


def _finding(replaced: ReplacedPath) -> Finding:
    container = replaced.container
    folder = posixpath.dirname(replaced.place)
    return Finding.about(
        container,
        f"{container} does not find {replaced.program}: its own PATH replaces that of the image, "
        f"and lacks {folder}, where {replaced.program} is",
        {
            LINE: quoted(replaced.line),
            "PATH": shortened(replaced.path, SHOWN),
            "PATH of the image": shortened(replaced.image_path, SHOWN),
            "the program": replaced.place,
        },
        onset=container.failed_first,
        recheck=container.caller_runs,
        variables={"image_path": replaced.image_path, **compose_variables(container)},
    )
