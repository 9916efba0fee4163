"""container.answers-with-errors: a web server answers requests with errors of its own."""

from __future__ import annotations

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.helpers import log_evidence, not_running
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import joined, shortened
from diagnose.registry import check


@check(
    "container.answers-with-errors",
    severity=Severity.warning,
    caused_by=(*APPLICATION_CAUSES, *PEER_CAUSES),
    aloud=("answers some requests with errors", "answer some requests with errors"),
)
def answers_with_errors(
    all_failed_answers: AllFailedAnswers, containers: Containers, clock: Clock
) -> CheckResult:
    """A web server in a container answers requests with errors of its own.

    Its container runs and its port is open, so nothing else shows that its clients get an error.
    The last lines of its access log of the last five minutes are read. It counts if the last three
    or more requests were answered with 500, 502, 503 or 504, nearly all of them; it is advice where
    only one kind of request always fails. Requests of monitors are left out, and so is 503 for
    strangers of the internet, by which a proxy turns unknown names away. A proxy that only passes
    on the answers of another container is named there. An unhealthy container has its own finding.
    """
    for failed in all_failed_answers:
        health = failed.container.state.health
        if health is None or health.status != "unhealthy":
            yield _failed_answers_finding(failed, containers, clock)
    return None


def _failed_answers_finding(failed: FailedAnswers, containers: Containers, clock: Clock) -> Finding:
    container = failed.container
    tail = LogTail(failed.other_lines)
    callees = called_peers(tail.lines, container, containers, configured=())
    finding = Finding.about(
        container,
        f"{container} answers {_which(failed)}{_through(failed)}",
        {
            "last answer": shortened(failed.answers[-1].line),
            **(log_evidence(tail) if _explains(tail) else {}),
            **not_running(callees, clock),
        },
        severity=Severity.warning if failed.is_most else Severity.advice,
        stable=(container.life,),
        touches=subjects_of(failed.proxies),
        calls=subjects_of(callees),
        signs=tail.signs if _explains(tail) else None,
    )
    return finding.with_variables(present({"url": failed.url}))


def _explains(tail: LogTail) -> bool:
    return tail.telling is not None and tail.telling.explains


def _which(failed: FailedAnswers) -> str:
    """Which requests fail, how, and how often."""
    statuses = joined(sorted({str(answer.status) for answer in failed.answers}))
    times = len(failed.answers)
    if failed.is_most:
        return f"its requests with HTTP status {statuses} ({times} of the last {failed.of})"
    what = shortened(failed.answers[-1].what, 60)
    return f"each {what} with HTTP status {statuses} ({times} times lately)"


def _through(failed: FailedAnswers) -> str:
    """By which proxies the errors come to clients."""
    if not failed.proxies:
        return ""
    return f", which {joined([str(proxy) for proxy in failed.proxies])} may pass on"
