"""container.calls-turned-away: another container answers a container's calls with a refusal."""

from __future__ import annotations

from diagnose.evidence.containers.peers.refused_callers import RefusedCaller, RefusedCallers
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

MOSTLY = 0.4
"""From this share of the caller's last lines on its work is what is refused: some programs write
two lines about each refusal."""
SHOWN = 200


@check(
    "container.calls-turned-away",
    severity=Severity.warning,
    causes=("container.errors-in-log",),
    caused_by=("container.unhealthy",),
)
def calls_turned_away(refused_callers: RefusedCallers) -> CheckResult:
    """Another container answers a container's calls with an HTTP refusal.

    The caller's last lines have an address of the other container and a status of 400, 401, 403 or
    421, three times at least. Both run, and the network between them is sound: the server objects
    to the caller's address, its host name or its credentials. It says to what in its own log, or in
    a file that only it writes. It is advice where the caller prints other things for the most part.
    """
    for item in refused_callers:
        yield _finding(item)
    return None


def _finding(item: RefusedCaller) -> Finding:
    failure = item.tail.known_failure
    is_most = item.times >= MOSTLY * item.of
    says = f"{item.server.name} says: {shortened(item.words, SHOWN)}" if item.words else ""
    answers = [f"{item.status} in the log of {item.server.name}"] if item.is_seen else []
    finding = Finding.about(
        item.caller,
        sentence(
            f"{item.server} answers {item.caller} with HTTP status {item.status} "
            f"({item.times} of its last {item.of} lines)",
            says,
        ),
        present(
            {
                "log": item.line,
                "asked for": item.path,
                "answered": answers,
                "written to": f"{item.server.name}:{item.written_to}" if item.written_to else "",
                "this means": failure.cause if failure is not None else "",
                "what fixes it": failure.cure if failure is not None else "",
            }
        ),
        discriminator=f"{item.server.name} {item.status}",
        severity=None if is_most else Severity.advice,
        touches=(item.server.subject,),
        stable=(item.caller.life, item.server.life),
    )
    variables = {"server": item.server.name, "caller": item.caller.name}
    inside = {"inside": item.written_to} if item.written_to else {"printed": item.server.name}
    return finding.with_variables({**variables, **inside})
