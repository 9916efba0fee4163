"""container.calls-turned-away: another container answers a container's calls with a refusal."""

from diagnose.evidence.containers.peers.refused_callers import RefusedCaller, RefusedCallers
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

MOSTLY = 0.4
"""From this share of the caller's last lines on, its main work is refused: some programs write two
lines about each refusal."""
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
    for refusal in refused_callers:
        yield _finding(refusal)


def _finding(refusal: RefusedCaller) -> Finding:
    server = refusal.server.name
    is_most = refusal.times >= MOSTLY * refusal.of
    words_clause = f"{server} says: {shortened(refusal.words, SHOWN)}" if refusal.words else ""
    variables = {"server": server, "caller": refusal.caller.name}
    if refusal.written_to:
        variables["inside"] = refusal.written_to
    else:
        variables["printed"] = server
    return Finding.about(
        refusal.caller,
        sentence(
            f"{refusal.server} answers {refusal.caller} with HTTP status {refusal.status} "
            f"({refusal.times} of its last {refusal.of} lines)",
            words_clause,
        ),
        _evidence(refusal),
        discriminator=f"{server} {refusal.status}",
        severity=None if is_most else Severity.advice,
        touches=(refusal.server.subject,),
        recheck=(refusal.caller.run, refusal.server.run),
        variables=variables,
    )


def _evidence(refusal: RefusedCaller) -> dict[str, Json]:
    """The lines of both logs, and what the refusal means where that is known."""
    server = refusal.server.name
    evidence: dict[str, Json] = {"log": refusal.line, "asked for": refusal.path}
    if refusal.is_seen:
        evidence["answered"] = [f"{refusal.status} in the log of {server}"]
    if refusal.written_to:
        evidence["written to"] = f"{server}:{refusal.written_to}"
    failure = refusal.tail.known_failure
    if failure is not None:
        evidence |= {"this means": failure.cause, "what fixes it": failure.cure}
    return present(evidence)
