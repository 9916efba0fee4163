"""container.errors-in-log: a running container repeats an error that no other check knows."""

from __future__ import annotations

from checks.container.helpers import setting_evidence
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.named_settings import NamedSetting, named_setting, only_file
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

SHOWN = 160
"""Characters of the line in the finding's sentence."""
REFUSES = frozenset(
    {
        "host-refused",
        "nginx-connections",
        "nginx-header",
        "nginx-upload",
        "nginx-upstream-plain",
        "php-fpm-children",
        "proxy-untrusted",
    }
)
"""Known failures of a program that runs on and turns its callers away: a warning, not advice."""
MOSTLY = 0.5
"""The share of the last lines from which on it does so to most of its callers. Below, scanners of
the Internet may be those whom it refuses."""


@check(
    "container.errors-in-log",
    severity=Severity.advice,
    aloud=("repeats an error in its log", "repeat errors in their logs"),
)
def errors_in_log(repeated_errors: RepeatedErrors) -> CheckResult:
    """A running container repeats an error in its log.

    Its program goes on, and nothing else is wrong that this tool can see. Only the program's author
    knows whether its users notice. It is a warning where the line is known to mean that the program
    turns its callers away. The last twelve lines of the last five minutes are read.
    """
    for error in repeated_errors:
        setting = _setting(error)
        finding = Finding.about(
            error.container,
            f"{error.container} {_what(error)}",
            {
                "log": error.line.whole,
                **_meaning(error),
                **setting_evidence(setting),
                "how often": _often(error),
            },
            severity=Severity.warning if _refuses(error) else Severity.advice,
            stable=(error.container.life,),
        )
        yield finding.with_variables(setting.variables if setting is not None else {})
    return None


def _setting(error: RepeatedError) -> NamedSetting | None:
    """The setting that the line names, or the one mounted file in which its cure is made."""
    cure = error.failure.cure if error.failure is not None else ""
    return named_setting(error.container, error.line) or only_file(error.container, cure)


def _refuses(error: RepeatedError) -> bool:
    """Whether the program is known to turn its callers away, and prints little else."""
    known = error.failure
    is_refusal = known is not None and known.failure.name in REFUSES
    return is_refusal and error.times >= MOSTLY * error.of


def _what(error: RepeatedError) -> str:
    """The line, or what it means where that is known to harm; and who is behind its addresses."""
    behind = [f"{address} is {peer}" for address, peer in error.peers]
    known = error.failure
    often = _often(error)
    if known is not None and _refuses(error):
        return sentence(f"runs, but {known.cause} ({often})", *behind)
    line = shortened(error.line.text, SHOWN)
    return sentence(f"repeats an error ({often}): {line}", *behind)


def _often(error: RepeatedError) -> str:
    return f"{error.times} of its last {error.of} lines"


def _meaning(error: RepeatedError) -> dict[str, object]:
    """What the line means and what fixes it, where the failure is known."""
    if error.failure is None:
        return {}
    return {"this means": error.failure.cause, "what fixes it": error.failure.cure}
