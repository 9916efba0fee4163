"""container.stopped: a container that somebody stopped is needed by others."""

from collections.abc import Sequence

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.missed_containers import (
    is_lacking,
    is_plain_server,
    missed_by,
    needs,
    was_stopped,
)
from diagnose.evidence.engine.socket_clients import SocketClients, StopOrder
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.cron_calls import JobCall, JobCalls
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.run.options import Options
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, Json, Seconds, Severity
from diagnose.phrases import agree, named, quoted, sentence
from diagnose.programs.exit_codes import described
from diagnose.programs.planned_stops import backup_label, sleep_label
from diagnose.registry import check

_ENDS = ("kill", "stop")


class Stoppers(EvidenceGroup, frozen=True):
    """Containers and jobs of the host that may have stopped a container."""

    socket_clients: SocketClients | None
    job_calls: JobCalls | None

    @property
    def holders(self) -> Sequence[Container]:
        """The containers that may command the engine."""
        return self.socket_clients.holders if self.socket_clients is not None else ()

    def order_for(self, container: Container) -> StopOrder | None:
        """The log line in which a container reports that it stopped this one."""
        return self.socket_clients.order_for(container) if self.socket_clients is not None else None

    def job_for(self, container: Container) -> JobCall | None:
        """The job of the host that stops this container by its name."""
        calls = self.job_calls or ()
        return next(
            (call for call in calls if call.verb in _ENDS and call.target == container.name), None
        )


@check(
    "container.stopped",
    severity=Severity.critical,
    causes=(
        "container.answers-with-errors",
        "container.crashed",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.unhealthy",
        "dns.name-unknown",
        "dns.server-fails",
        "network.calls-failing",
        "network.published-port-not-listening",
    ),
    aloud=("was stopped, and stays down", "were stopped, and stay down"),
)
def stopped(
    containers: Containers,
    stops: Stops,
    log_tails: LogTails | None,
    logged_failures: LoggedFailures | None,
    clock: Clock,
    options: Options,
    stoppers: Stoppers,
    *,
    backup: Seconds = Seconds(3600),
) -> CheckResult:
    """A container was stopped on request, and others need it.

    `docker stop` and `docker kill` hold until somebody starts the container again: its restart
    policy does not. It counts where the log of another container shows that its calls to this one
    fail. It is advice, where nobody calls it, for a service of compose with a restart policy while
    other services of its project run, and for a container of no project that has one and publishes
    ports, which no running container of its image or its ports has replaced. A container that ended
    by itself belongs to other checks.

    The engine does not keep who asked: a person, a job of the host that names the container, or a
    program that holds its socket, whose log may say so. Where one does, a container whose label
    lets a backup stop it is advice for `backup` seconds, and one that is put to sleep until
    somebody calls it is advice if callers fail.

    Seen on engines 20.10.24 and 28.5.2.
    """
    ended = [
        container
        for container in containers
        if was_stopped(container, stops, containers)
        and clock.is_within(container.finished_at, options.since_s)
    ]
    missed = {
        caller.id: missed_by(caller, containers, log_tails, logged_failures)
        for caller in (containers if ended else ())
    }
    for container in ended:
        callers = [
            caller
            for caller in containers
            if container.id in missed[caller.id] and needs(caller, container, containers)
        ]
        planned = _planning_label(container, clock, backup) if stoppers.holders else ""
        is_missing = is_lacking(container, containers) or is_plain_server(container, containers)
        if callers or (is_missing and not sleep_label([planned])):
            yield _finding(container, callers, clock=clock, stoppers=stoppers, planned=planned)


def _planning_label(container: Container, clock: Clock, backup: float) -> str:
    """The label that lets a program stop this container for now; "" where there is none."""
    label = backup_label(container.labels)
    if label and clock.is_within(container.finished_at, backup):
        return label
    return sleep_label(container.labels)


def _finding(
    container: Container,
    callers: Sequence[Container],
    clock: Clock,
    stoppers: Stoppers,
    planned: str,
) -> Finding:
    """The finding about a stopped container that others need.

    planned: the label that lets a program stop it.
    """
    order = stoppers.order_for(container)
    job = stoppers.job_for(container)
    verbs = agree(callers, "calls it, and fails", "call it, and fail")
    callers_clause = f"{named('container', names_of(callers))} {verbs}"
    stopper_clause = (
        f"{order.container} says that it stopped the container" if order is not None else ""
    )
    if job is not None and not stopper_clause:
        stopper_clause = f"line {job.line} of {job.path} has docker {job.verb} it"
    end_clause = f", as its label {planned} lets a program do" if planned else ", and stays down"
    return Finding.about(
        container,
        sentence(
            f"{container} was stopped on request {clock.ago(container.finished_at)}{end_clause}",
            callers_clause if callers else "",
            stopper_clause,
        ),
        {
            "State": str(container.state),
            "end requested": "yes",
            **_asker_evidence(stoppers.holders, order),
            **_job_evidence(job),
            "exit code": described(container.state.exit_code),
            "HostConfig.RestartPolicy": container.host_config.restart_policy.name or "no",
        },
        severity=None if callers and not planned else Severity.advice,
        touches=subjects_of(callers if order is None else [*callers, order.container]),
        onset=container.finished_at,
    )


def _job_evidence(job: JobCall | None) -> dict[str, Json]:
    """The line of a scheduled job that stops the container."""
    if job is None:
        return {}
    return {f"{job.path}, line {job.line}": f"docker {job.verb} {job.target}"}


def _asker_evidence(holders: Sequence[Container], order: StopOrder | None) -> dict[str, Json]:
    """The log line of the container that asked for the end; else the containers that may have
    asked."""
    if order is not None:
        return {f"log of {order.container.name}": quoted(order.text)}
    return present({"containers with the engine's socket": names_of(holders)})
