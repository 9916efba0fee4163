"""container.lost-with-host: the host or the engine went down without stopping its containers."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.run.options import Options
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Count, Finding, Seconds, Severity, Skipped
from diagnose.phrases import agree, named
from diagnose.registry import check

LOST = (0, 255)
"""Exit codes that the engine records for a container whose end it did not see: 255, and 0 in some
releases from 24 on."""
MOMENT_S = Seconds(15)
"""The engine records these ends within this time of its start."""


@check("container.lost-with-host", severity=Severity.critical)
def lost_with_host(
    containers: Containers,
    clock: Clock,
    options: Options,
    processes: Processes,
    *,
    fewest: Count = Count(2),
    moment: Seconds = MOMENT_S,
) -> CheckResult:
    """The host went down without stopping its containers, and some of them stay down.

    A power loss, a hard reset, or an engine and its containers that were killed together: at its
    next start the engine finds containers that it had left running, and notes their end with the
    time of its own start. Several containers with such an end are one event. An engine that is
    stopped in order notes the ends before it goes. A single container is judged by
    container.crashed.
    """
    began = engine_began(clock, processes)
    if began is None:
        return Skipped("the engine's process cannot be seen from here")
    if not clock.is_within(began, options.since_s):
        return None
    stopped = [container for container in containers if container.state.status == "exited"]
    down = [container for container in stopped if is_lost(container, began, moment)]
    if len(down) >= fewest:
        yield _finding(down, clock, began)


def _finding(down: Sequence[Container], clock: Clock, began: float) -> Finding:
    """The finding about containers that ended with the host.

    began: the Unix time of the engine's start.
    """
    codes = sorted({container.state.exit_code for container in down})
    rebooted = clock.booted > max(container.started_at or 0.0 for container in down)
    loss = "the host went down" if rebooted else "the engine and its containers were killed"
    names = names_of(down)
    return Finding(
        subject=HOST,
        summary=f"{loss} without stopping its containers; since the engine's start {clock.ago(began)}"
        f" {named('container', names)} stayed down{_policy_clause(down)}",
        evidence={
            "engine started": clock.ago(began),
            "host booted": clock.ago(clock.booted),
            "exit codes": codes,
            "containers that stayed down": names,
        },
        variables={"container": down[0].name, "lost": "\n".join(names)},
        touches=subjects_of(down),
        onset=began,
    )


def _policy_clause(down: Sequence[Container]) -> str:
    """The clause about containers without a restart policy, which therefore stayed down; "" for
    none."""
    bare = names_of([container for container in down if not container.restarts_always])
    if not bare:
        return ""
    if len(bare) == len(down):
        return f": {agree(bare, 'it has', 'they have')} no restart policy"
    return f"; {named('container', bare)} {agree(bare, 'has', 'have')} no restart policy"


def engine_began(clock: Clock, processes: Processes | None) -> float | None:
    """The Unix time of dockerd's start; None where its process is not seen."""
    every = processes if processes is not None else ()
    engine = next((process for process in every if process.comm == "dockerd"), None)
    return None if engine is None else clock.booted + engine.start


def is_lost(container: Container, engine_began: float | None, moment: float = MOMENT_S) -> bool:
    """Whether a container ran when the engine went down, and its end was recorded when the engine
    came back."""
    started = container.started_at
    finished = container.finished_at
    if engine_began is None or started is None or finished is None:
        return False
    if container.state.exit_code not in LOST:
        return False
    return started < engine_began - 1 and -1 <= finished - engine_began <= moment
