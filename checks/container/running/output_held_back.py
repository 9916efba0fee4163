"""container.output-held-back: a program of Python prints, and its container's log stays empty."""

from diagnose.evidence.containers.logs.held_output import UNBUFFERED, HeldOutputs
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check(
    "container.output-held-back",
    severity=Severity.advice,
    aloud=("holds back what it prints", "hold back what they print"),
)
def output_held_back(held_outputs: HeldOutputs) -> CheckResult:
    """A program of Python prints, and its container's log stays empty.

    Without a terminal Python collects what a program prints until 8 KiB are full or it ends. The
    log is empty since the container was made, its process has neither `-u` nor PYTHONUNBUFFERED,
    and its script prints as soon as it runs. A killed program takes its last lines with it.
    """
    for output in held_outputs:
        yield Finding.about(
            output.container,
            f"{output.container} has an empty log although its program prints: Python buffers lines "
            f"until 8 KiB are full, because {UNBUFFERED} is not set",
            {
                "process": shortened(output.command),
                output.script: shortened(output.line),
                "log": "empty since the container was created",
            },
            recheck=(output.container.run,),
        )
