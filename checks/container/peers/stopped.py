"""container.stopped: a container that somebody stopped is needed by others."""

from collections.abc import Sequence

from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.engine.socket_clients import SocketClients, StopOrder
from diagnose.evidence.images.listing import name_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.cron_calls import JobCall, JobCalls
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.run.options import Options
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, EvidenceGroup, Finding, Json, Seconds, Severity
from diagnose.phrases import agree, named, quoted, sentence
from diagnose.programs.exit_codes import described
from diagnose.programs.planned_stops import backup_label, sleep_label
from diagnose.registry import check

_ENDS = ("kill", "stop")


class Stoppers(EvidenceGroup, frozen=True):
    """Who may have stopped a container."""

    socket_clients: SocketClients | None
    job_calls: JobCalls | None

    @property
    def holders(self) -> Sequence[Container]:
        """The containers that may command the engine."""
        return self.socket_clients.holders if self.socket_clients is not None else ()

    def order_for(self, container: Container) -> StopOrder | None:
        """The line by which one of them says that it did so."""
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
    fail. Advice, where nobody calls it, for a service of compose with a restart policy while other
    services of its project run, and for a container of no project that has one and publishes ports,
    which no running container of its image or its ports has replaced. What ended by itself belongs
    to other checks. The engine does not keep who asked: a person, a job of the host that names the
    container, or a program that holds its socket, whose log may say so. Where one does, a container
    whose label lets a backup stop it is advice for `backup` seconds, and one that is put to sleep
    until somebody calls it is advice if callers fail. Seen on engines 20.10.24 and 28.5.2.
    """
    ended = [
        container
        for container in containers
        if _was_stopped(container, stops)
        and clock.is_within(container.finished_at, options.since_s)
    ]
    missed = {
        caller.id: _missed_by(caller, containers, log_tails, logged_failures)
        for caller in (containers if ended else ())
    }
    for container in ended:
        callers = [
            caller
            for caller in containers
            if container.id in missed[caller.id] and _needs(caller, container, containers)
        ]
        planned = _planning_label(container, clock, backup) if stoppers.holders else ""
        is_lacking = _is_lacking(container, containers) or _is_plain_server(container, containers)
        if callers or (is_lacking and not sleep_label([planned])):
            yield _finding(container, callers, clock=clock, stoppers=stoppers, planned=planned)


def _planning_label(container: Container, clock: Clock, backup: float) -> str:
    """The label that lets a program stop this container for now; "" where there is none."""
    label = backup_label(container.labels)
    if label and clock.is_within(container.finished_at, backup):
        return label
    return sleep_label(container.labels)


def _was_stopped(container: Container, stops: Stops) -> bool:
    """Whether the container's end was asked for.

    One that is always restarted, and has ended well, would run again otherwise.
    """
    if container.state.status != "exited" or container.start_failed or container.swarm_service:
        return False  # the swarm stops the tasks that it replaces, and keeps some of them
    restarts = container.host_config.restart_policy.name in ("always", "unless-stopped")
    ended_well = container.state.exit_code == 0 and restarts
    return ended_well or stops.was_requested(container)


def _missed_by(
    caller: Container,
    containers: Containers,
    log_tails: LogTails | None,
    logged_failures: LoggedFailures | None,
) -> set[str]:
    """The ids of the containers that the caller's log says its calls do not reach."""
    missed = {
        peer.id
        for failure in logged_failures or ()
        if failure.container.id == caller.id
        for peer in failure.called
    }
    if log_tails is not None and caller.state.status in ("running", "restarting"):
        lines = log_tails.of(caller).lines
        missed |= {peer.id for peer in called_peers(lines, caller, containers, configured=())}
    return missed


def _needs(caller: Container, container: Container, containers: Containers) -> bool:
    """Whether the caller finds the container by name, and no running replica by the same.

    On the default network no name leads to it, whether it runs or not.
    """
    if caller.id == container.id or not (
        set(container.shared_networks(caller)) - {DEFAULT_NETWORK}
    ):
        return False
    return not any(
        container.dns_names & other.dns_names
        for other in containers.running
        if other.id != caller.id and other.shared_networks(caller)
    )


def _is_lacking(container: Container, containers: Containers) -> bool:
    """Whether the container is a service of a project that runs otherwise, and was to run on."""
    policy = container.host_config.restart_policy.name
    return bool(container.compose_project and policy not in ("", "no")) and any(
        other.compose_project == container.compose_project for other in containers.running
    )


def _is_plain_server(container: Container, containers: Containers) -> bool:
    """Whether the container is of no project, was to serve ports on, and none serves in its place.

    A deployment by hand leaves the former container behind, with another name.
    """
    policy = container.host_config.restart_policy.name
    if container.compose_project or policy not in ("always", "unless-stopped"):
        return False
    has_ports = any(binding.host_port for binding in container.wanted_ports)
    return has_ports and not any(_is_in_place(other, container) for other in containers.running)


def _is_in_place(other: Container, container: Container) -> bool:
    """Whether another container has the image of this one, or was given one of its ports."""
    images = [name_of(shown.config.image) for shown in (other, container)]
    ports = [binding.host_port for binding in container.wanted_ports if binding.host_port]
    return images[0] == images[1] or any(map(other.wants_port, ports))


def _finding(
    container: Container,
    callers: Sequence[Container],
    clock: Clock,
    stoppers: Stoppers,
    planned: str,
) -> Finding:
    """planned: the label that lets a program do so."""
    order, job = stoppers.order_for(container), stoppers.job_for(container)
    verbs = agree(callers, "calls it, and fails", "call it, and fail")
    who = f"{named('container', names_of(callers))} {verbs}"
    by = f"{order.container} says that it did so" if order is not None else ""
    if job is not None and not by:
        by = f"line {job.line} of {job.path} has docker {job.verb} it"
    how = f", as its label {planned} lets a program do" if planned else ", and stays down"
    return Finding.about(
        container,
        sentence(
            f"{container} was stopped on request {clock.ago(container.finished_at)}{how}",
            who if callers else "",
            by,
        ),
        {
            "State": str(container.state),
            "end requested": "yes",
            **_who_asked(stoppers.holders, order),
            **({f"{job.path}, line {job.line}": f"docker {job.verb} {job.target}"} if job else {}),
            "exit code": described(container.state.exit_code),
            "HostConfig.RestartPolicy": container.host_config.restart_policy.name or "no",
        },
        severity=None if callers and not planned else Severity.advice,
        touches=subjects_of(callers if order is None else [*callers, order.container]),
        onset=container.finished_at,
    )


def _who_asked(holders: Sequence[Container], order: StopOrder | None) -> dict[str, Json]:
    """What is known of who asked for the end: a line that says so, or those that may have."""
    if order is not None:
        return {f"log of {order.container.name}": quoted(order.text)}
    return present({"containers with the engine's socket": names_of(holders)})
