"""image.build-failed: an image could not be built."""

import re

from diagnose.error_signatures import signs
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.failed_builds import FailedBuild, FailedBuilds
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped, Subject
from diagnose.model.units import Count, Seconds
from diagnose.phrases import how_often, quoted, shortened
from diagnose.programs.failures import BUILD_ERRORS, Recognised, recognise
from diagnose.programs.telling_line import telling_line
from diagnose.registry import check

FIRST_WITH_HISTORY = (23,)
_ENDED = LazyPattern(r"did not complete successfully: (?P<how>.*)", re.DOTALL)
_REF = LazyPattern(r"of ref \S+ ")
_KILLED = LazyPattern(r"exit code: 137\b")
_LAST = 4
"""Lines of the step that the evidence shows where none of them explains the failure."""


@check(
    "image.build-failed",
    severity=Severity.warning,
    caused_by=[
        "dns.host-broken",
        "dns.upstream-unreachable",
        "firewall.chains-missing",
        "firewall.forwarding-off",
        "image.registry-tls",
        "image.registry-unreachable",
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
    ],
    aloud=("could not be built", "could not be built"),
    aloud_of_engine="could not build an image",
    observed=True,
)
def build_failed(
    failed_builds: FailedBuilds,
    daemon: Daemon,
    ping: Ping | None,
    clock: Clock,
    *,
    recent_s: Seconds = Seconds(3600),
    repeated: Count = Count(5),
) -> CheckResult:
    """An image could not be built, and no later build of it went well.

    BuildKit keeps what a failed step printed; `docker build` shows it once, and a deployment seldom
    shows it at all. Engines before 23 keep nothing, and engines before 28 log nothing. The classic
    builder keeps the container of the step that failed, without a log. A build of
    long ago that failed once is advice: somebody has given it up.
    """
    if daemon.is_podman:
        return Skipped("Podman keeps no history of builds")
    keeps_none = ping is not None and (0,) < ping.version < FIRST_WITH_HISTORY
    if ping is not None and keeps_none and not len(failed_builds):
        return Skipped(f"engine {ping.engine_version} keeps no history of builds")
    for failed in failed_builds:
        is_recent = clock.is_within(failed.build.at, recent_s)
        is_harmful = is_recent or failed.times >= repeated
        severity = Severity.warning if is_harmful else Severity.advice
        yield _finding(failed, clock, severity, is_quiet=not is_recent)


def _finding(failed: FailedBuild, clock: Clock, severity: Severity, *, is_quiet: bool) -> Finding:
    build = failed.build
    failure = _known_failure(failed)
    telling = telling_line(build.lines)
    printed = [telling.whole] if telling is not None and telling.explains else build.lines[-_LAST:]
    subject_clause = f'building image "{failed.name}"' if failed.name else "a build"
    times = how_often(failed.times, clock.ago(build.at))
    return Finding(
        subject=Subject("image", failed.name) if failed.name else DAEMON,
        touches=(DAEMON,),
        summary=f"{subject_clause} failed {times}: {_reason(failed, failure)}",
        evidence=_evidence(failed, [quoted(line) for line in printed], failure),
        variables=present(
            {
                "ref": build.ref,
                "killed": "20" if _KILLED.search(build.error) else "",
                **(failure.page_variables({}) if failure is not None else {}),
            }
        ),
        discriminator="" if failed.name else shortened(build.error, 80),
        severity=severity,
        signs=signs(build.error, *printed),
        onset=failed.first,
        is_quiet=is_quiet,
    )


def _evidence(
    failed: FailedBuild, printed: list[str], failure: Recognised | None
) -> dict[str, Json]:
    """The step and its last output, or BuildKit's own error where it printed nothing."""
    error = _REF.sub("", failed.build.error)
    has_cure_in_words = failure is not None and not failure.failure.page
    return present(
        {
            "step": shortened(failed.build.step),
            "the step printed": printed,
            "BuildKit": shortened(error) if not printed else "",
            "what fixes it": failure.cure if failure is not None and has_cure_in_words else "",
        }
    )


def _known_failure(failed: FailedBuild) -> Recognised | None:
    """The known failure of BuildKit's line, else that of the step's output."""
    of_step = recognise(failed.build.lines, telling_line(failed.build.lines), BUILD_ERRORS)
    return of_step or recognise([failed.said], None, BUILD_ERRORS)


def _reason(failed: FailedBuild, failure: Recognised | None) -> str:
    """The cause of the failed build; else the exit of its step, and a line of its output."""
    if failure is not None:
        return failure.cause
    ended = _ENDED.search(failed.build.error)
    if ended is None:
        return shortened(_REF.sub("", failed.build.error), 160)
    telling = telling_line(failed.build.lines)
    words = f": {shortened(telling.whole, 120)}" if telling is not None else ""
    return f"its step ended with {ended['how'].replace(': ', ' ')}{words}"
