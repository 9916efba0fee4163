"""How containers stop, and whether they come back.

Ignored stop signals, missing restart policies.
"""

from __future__ import annotations

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.service import is_service
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import duration
from diagnose.registry import check


@check("container.ignores-stop-signal", severity=Severity.advice)
def ignores_stop_signal(
    containers: Containers, events: Events, *, wait: Seconds = Seconds(1)
) -> CheckResult:
    """A container ignores its stop signal and is killed after its grace period.

    Read from events: a signal, then SIGKILL at least `wait` later, then an end with code 137. A
    `docker kill` sends no signal before it, and `docker stop -t 0` leaves no time. What the engine
    no longer remembers is not seen.
    """
    for container in containers:
        history = events.of(container.id, "kill", "die", "start")
        triples = zip(history, history[1:], history[2:], strict=False)
        waited = max((_waited(*triple) for triple in triples), default=0.0)
        if waited < wait:
            continue
        yield Finding.about(
            container,
            f"{container} ignored its stop signal and was killed after {duration(waited)}",
            {
                "events": (
                    f"kill (signal {container.config.stop_signal or '15'}), "
                    f"{duration(waited)} later kill (signal 9), die 137"
                ),
                "first process": " ".join(container.command)[:120],
                "HostConfig.Init": bool(container.host_config.init),
            },
            image=container.config.image,
        )
    return None


def _waited(first: Event, second: Event, third: Event) -> float:
    """Seconds between a signal and the SIGKILL that ended the container.

    0 for any other three events.
    """
    actions = [first.action, second.action, third.action]
    if actions != ["kill", "kill", "die"] or third.exit_code != 137:
        return 0.0
    is_escalated = first.attributes.get("signal") != "9" == second.attributes.get("signal")
    return second.at - first.at if is_escalated else 0.0


@check("container.no-restart-policy", severity=Severity.advice, posture=True)
def no_restart_policy(containers: Containers) -> CheckResult:
    """A service has no restart policy: a crash or a reboot ends it for good.

    A service publishes ports, has a health check, or belongs to a compose service. Tasks of swarm
    are replaced by swarm; containers that are removed at their end are jobs.
    """
    for container in containers.running:
        comes_back = container.restarts_always or container.host_config.auto_remove
        if not comes_back and _is_lasting_service(container):
            yield Finding.about(
                container,
                f"{container} has no restart policy",
                {"HostConfig.RestartPolicy": container.host_config.restart_policy.name or "no"},
            )
    return None


def _is_lasting_service(container: Container) -> bool:
    if container.swarm_service or container.is_one_off:
        return False
    return is_service(container) or bool(container.state.health)
