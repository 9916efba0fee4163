"""firewall.ping-dropped: a container pings what it watches, and gets no answer on this host."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.dropped_pings import IGNORE, DroppedPing, DroppedPings
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import by_key, subjects_of
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import and_more, sentence
from diagnose.registry import check


@check("firewall.ping-dropped", severity=Severity.warning, causes=["container.unhealthy"])
def ping_dropped(dropped_pings: DroppedPings) -> CheckResult:
    """Pings by which a container watches something are dropped on this host.

    A health check, a monitor or somebody's shell sends them, and a rule drops all ICMP, or the
    kernel of the one that is called leaves them unanswered. Connections over TCP may work. Other
    addresses are not looked at. It is advice where neither a log nor the container's health shows
    harm, and no process pings on and on.
    """
    if dropped_pings.why_none:
        return Skipped(dropped_pings.why_none)
    if not dropped_pings.walked:
        return Skipped("no running container pings anything")
    groups = by_key(
        ((ping.container.id, ping.obstacle.by if ping.obstacle else None), ping)
        for ping in dropped_pings
    )
    for pings in groups.values():
        yield _finding(pings)
    yield from dropped_pings.unread


def _finding(pings: list[DroppedPing]) -> Finding:
    first = pings[0]
    container = first.container
    obstacle = first.obstacle
    target = str(first.peer) if first.peer is not None else "this host"
    cause = f"{target} ignores pings ({IGNORE} is 1)"
    evidence: dict[str, Json] = {}
    if obstacle is not None:
        packets = "the answers" if obstacle.part == "reply" else "the requests"
        cause = f"{obstacle.by} drops {packets}"
        evidence = obstacle.by.evidence
    targets = and_more(f'"{ping.target}"' for ping in pings)
    wants = {ping.target: f"{ping.source}: {ping.where}" for ping in pings[:5]}
    return Finding.about(
        container,
        sentence(f"{container} pings {targets} and gets no answer", cause),
        {**evidence, "wanted by": wants},
        discriminator=obstacle.by.key if obstacle is not None else IGNORE,
        severity=None if any(ping.failing for ping in pings) else Severity.advice,
        touches=(first.network.subject,),
        calls=subjects_of([first.peer]),
        signs=NO_WAY_OUT,
        recheck=(container.run,),
        variables=_cure(first),
    )


def _cure(ping: DroppedPing) -> PageVariables:
    """The page variable that selects the block of the page."""
    if ping.obstacle is None:
        silent = {"silent": ping.peer.name} if ping.peer is not None else {"setting": f"{IGNORE}=0"}
        return {"container": ping.container.name, **silent}
    place = place_of(ping.obstacle.by)
    if ping.obstacle.part == "reply" and ping.obstacle.hook == "prerouting":
        return {"answer_chain": ping.obstacle.by.chain}  # not yet translated back to the container
    variable = "answers_to" if ping.obstacle.part == "reply" else "pinger"
    return {**place, variable: ping.own_address}
