"""container.errors-in-log: a running container repeats an error that no other check knows."""

from __future__ import annotations

from diagnose.evidence.containers.repeated_errors import RepeatedErrors
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""


@check("container.errors-in-log", severity=Severity.advice, aloud=True)
def errors_in_log(repeated_errors: RepeatedErrors) -> CheckResult:
    """A running container repeats an error in its log.

    Its program goes on, and nothing else is wrong that this tool can see. Only the program's author
    knows whether its users notice. The last twelve lines of the last five minutes are read.
    """
    for error in repeated_errors:
        yield Finding.about(
            error.container,
            f"{error.container} repeats an error ({error.times} of its last {error.of} lines): "
            f"{shortened(error.line.text, SHOWN)}",
            {
                "log": error.line.whole,
                "times in its last lines": error.times,
            },
            stable=(error.container.life,),
        )
    return None
