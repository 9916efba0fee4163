"""container.restarted-unhealthy: a program restarts what is unhealthy, and never lets it finish."""

from checks.container.claims import compose_variables
from diagnose.evidence.containers.ends.healed_containers import HealedContainer, HealedContainers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import duration, quoted
from diagnose.registry import check

LONGER = 4
"""The proposed start period, in rounds of the restarts."""
LEAST_S = 120.0
"""The shortest start period that is proposed, in seconds."""


@check(
    "container.restarted-unhealthy",
    severity=Severity.critical,
    causes=["container.errors-in-log", "container.stopped", "container.unhealthy"],
)
def restarted_unhealthy(healed: HealedContainers, recent_logs: RecentLogs | None) -> CheckResult:
    """A program restarts a container again and again, and it never becomes healthy.

    Autoheal and its like restart containers that are unhealthy. A program that first migrates its
    database, or unpacks itself, may need longer than its health check allows: it is restarted
    before its start is done, and begins from the front. The engine's own count of restarts stays 0.

    The last three restarts or more count, which a program or a person asked of the engine while the
    health check failed. A container that was healthy in between is left out: its start works.
    """
    for restarted in healed:
        yield _finding(restarted, recent_logs)


def _finding(healed: HealedContainer, recent_logs: RecentLogs | None) -> Finding:
    container = healed.container
    order = healed.order
    lines = recent_logs.texts_of(container) if recent_logs is not None else ()
    evidence = {
        LINE: quoted(lines[-1]) if lines else "",
        "health check": f"fails before each restart; start period {duration(healed.start_period_s)}",
        "RestartCount": container.restart_count,
    }
    actor = "a program that commands the engine"
    healer: PageVariables = {}
    if order is not None:
        actor = str(order.container)
        healer = {"healer": order.container.name}
        evidence[f"log of {order.container.name}"] = quoted(order.text)
    longer = max(LEAST_S, LONGER * healed.every_s, LONGER * healed.start_period_s)
    return Finding.about(
        container,
        f"{container} never becomes healthy: {actor} restarts it every {duration(healed.every_s)}, "
        f"{healed.restarts} times so far, and its start may take longer than that",
        present(evidence),
        touches=subjects_of([order.container if order is not None else None]),
        variables={"period": f"{round(longer)}s", **healer, **compose_variables(container)},
    )
