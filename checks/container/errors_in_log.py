"""container.errors-in-log: a running container repeats an error that no other check knows."""

from __future__ import annotations

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""
REFUSES = frozenset({"proxy-untrusted"})
"""Known failures of a program that runs on and turns its callers away: a warning, not advice."""


@check("container.errors-in-log", severity=Severity.advice, aloud=True)
def errors_in_log(repeated_errors: RepeatedErrors) -> CheckResult:
    """A running container repeats an error in its log.

    Its program goes on, and nothing else is wrong that this tool can see. Only the program's author
    knows whether its users notice. It is a warning where the line is known to mean that the program
    turns its callers away. The last twelve lines of the last five minutes are read.
    """
    for error in repeated_errors:
        known = error.failure
        is_harm = known is not None and known.failure.name in REFUSES
        yield Finding.about(
            error.container,
            f"{error.container} {_what(error)}",
            {
                "log": error.line.whole,
                **_meaning(error),
                "times in its last lines": error.times,
            },
            severity=Severity.warning if is_harm else Severity.advice,
            stable=(error.container.life,),
        )
    return None


def _what(error: RepeatedError) -> str:
    """The line, or what it means where that is known to harm; and who is behind its addresses."""
    behind = [f"{address} is {peer}" for address, peer in error.peers]
    known = error.failure
    often = f"{error.times} of its last {error.of} lines"
    if known is not None and known.failure.name in REFUSES:
        return sentence(f"runs, but {known.cause} ({often})", *behind)
    line = shortened(error.line.text, SHOWN)
    return sentence(f"repeats an error ({often}): {line}", *behind)


def _meaning(error: RepeatedError) -> dict[str, object]:
    """What the line means and what heals it, where the failure is known."""
    if error.failure is None:
        return {}
    return {"the log means": error.failure.cause, "what usually heals it": error.failure.cure}
