"""Checks of how containers stop, and of restart policies.

Ignored stop signals, shutdowns that are cut short or get no time, missing restart policies.
"""

from diagnose.evidence.containers.ends.cut_stops import CutStops, KilledStop, killed_stop
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_database import is_database
from diagnose.evidence.containers.service import is_service
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import duration, quoted
from diagnose.registry import check

LEAST_GRACE_S = 90
"""The grace period that makers of databases ask for."""
_LONGER = 3
"""The suggested grace period, as a multiple of the one that was too short."""


@check("container.ignores-stop-signal", severity=Severity.advice)
def ignores_stop_signal(
    containers: Containers,
    events: Events,
    cut_stops: CutStops | None,
    *,
    wait: Seconds = Seconds(1),
) -> CheckResult:
    """A container ignores its stop signal and is killed after its grace period.

    The check reads events: a signal, then SIGKILL at least `wait` later, then an end with code 137.
    A `docker kill` sends no signal before it, and `docker stop -t 0` leaves no time. Events that
    the engine has forgotten are not seen. A program that was ending is another matter.
    """
    for container in containers:
        stop = killed_stop(events, container)
        is_cut_short = cut_stops is not None and cut_stops.has(container)
        if stop is None or stop.waited < wait or is_cut_short:
            continue
        yield Finding.about(
            container,
            f"{container} ignored its stop signal and was killed after {duration(stop.waited)}",
            {
                "events": _events(container, stop),
                "first process": container.shown_command,
                "HostConfig.Init": bool(container.host_config.init),
            },
            variables={"image": container.config.image},
        )


def _events(container: Container, stop: KilledStop) -> str:
    signal = container.config.stop_signal or "15"
    return f"kill (signal {signal}), {duration(stop.waited)} later kill (signal 9), die 137"


@check("container.killed-in-shutdown", severity=Severity.warning)
def killed_in_shutdown(cut_stops: CutStops) -> CheckResult:
    """A program is killed before it has finished its shutdown.

    Its log says, between the stop signal and the SIGKILL, that it was ending: the grace period is
    too short. It is a warning where it says at its next start that it was not stopped cleanly, and
    advice otherwise.
    """
    for cut in cut_stops:
        container = cut.container
        stop = cut.stop
        damage = "; it had to repair its files at its next start" if cut.repairs else ""
        yield Finding.about(
            container,
            f"{container} was still shutting down when the engine killed it, "
            f"{duration(stop.waited)} after its stop signal{damage}",
            present(
                {
                    "events": _events(container, stop),
                    "log before the kill": quoted(cut.said),
                    "log of the next start": quoted(cut.repairs) if cut.repairs else "",
                    "Config.StopTimeout": container.config.stop_timeout or "10 s (nothing set)",
                }
            ),
            severity=Severity.warning if cut.repairs else Severity.advice,
            variables={"grace": str(max(LEAST_GRACE_S, round(_LONGER * stop.waited)))},
        )


@check("container.no-time-to-stop", severity=Severity.advice, posture=True)
def no_time_to_stop(containers: Containers) -> CheckResult:
    """A database gets no time to stop: the engine kills it at once.

    With a grace period of 0 seconds the engine sends SIGKILL right after the stop signal. Only
    databases count, known by their image, that keep files on the host: they repair these files at
    the next start. Other programs are often stopped so on purpose.
    """
    for container in containers.running:
        has_no_time = container.config.stop_timeout == 0
        if has_no_time and is_database(container) and container.writable_host_mounts:
            yield Finding.about(
                container,
                f"{container} is a database, and the engine kills it without time to stop "
                "(grace period 0 s)",
                {"Config.StopTimeout": 0, "Config.Image": container.config.image},
                variables={"grace": str(LEAST_GRACE_S)},
            )


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


def _is_lasting_service(container: Container) -> bool:
    if container.swarm_service or container.is_one_off:
        return False
    return is_service(container) or bool(container.state.health)
