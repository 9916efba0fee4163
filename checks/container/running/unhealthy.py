"""container.unhealthy: a container's health check fails, or is no longer run."""

import math

from msgspec.structs import replace

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.running.early_calls import with_early_calls
from checks.container.running.foreign_probes import foreign_probe_finding, probed_server
from checks.container.running.probe_words import (
    clause_of_port,
    clause_of_start,
    probe_outcome,
    sockets_evidence,
)
from diagnose.error_signatures import signs
from diagnose.evidence.containers.ends.health_restarts import HealthRestarts, health_restarts
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.health_check import TIMED_OUT, HealthCheck
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.peers.called_peers import called_peers
from diagnose.evidence.containers.peers.unanswered_peers import calls_of
from diagnose.evidence.containers.programs.other_probes import OtherProbes
from diagnose.evidence.containers.programs.probe_schemes import ProbeScheme, wrong_scheme
from diagnose.evidence.containers.run_evidence import held_up, log_evidence, not_running, tail_of
from diagnose.evidence.dns.own_dns_answers import OwnDnsAnswers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.storage.mounts import Mounts
from diagnose.first_steps.probe_steps import (
    other_probe,
    path_of_refusal,
    probe_steps,
    without_secrets,
)
from diagnose.first_steps.rows.server_steps import is_of_a_server, server_of
from diagnose.mappings import present, subjects_of
from diagnose.model import (
    CheckResult,
    EvidenceGroup,
    Finding,
    Json,
    PageVariables,
    Severity,
    Subject,
)
from diagnose.model.subjects import DAEMON
from diagnose.model.units import Seconds
from diagnose.phrases import QUOTED, duration
from diagnose.programs.telling_line import telling_line
from diagnose.registry import check


class ProbeSurroundings(EvidenceGroup, frozen=True):
    """Evidence that may show why a probe fails."""

    namespaces: Namespaces | None
    log_tails: LogTails | None
    other_probes: OtherProbes | None
    own_dns_answers: OwnDnsAnswers | None
    mounts: Mounts | None

    def filesystem_of(self, probe: HealthCheck) -> tuple[Subject, ...]:
        """The file system of the host at which the runtime has failed to start the probe."""
        path = path_of_refusal(probe)
        mounted = self.mounts.of(path) if self.mounts is not None and path else None
        return (Subject("filesystem", mounted.point),) if mounted is not None else ()


@check(
    "container.unhealthy",
    severity=Severity.critical,
    caused_by=[
        *APPLICATION_CAUSES,
        *PEER_CAUSES,
        "container.exits-at-start",
        "container.restart-loop",
        "daemon.containerd-hung",
        "network.proxy-takes-neighbours",
        "resources.cpu-throttled",
        "resources.io-saturated",
    ],
    observed=True,
)
def unhealthy(
    containers: Containers,
    clock: Clock,
    surroundings: ProbeSurroundings,
    events: Events | None,
    recent_logs: RecentLogs | None,
    daemon: Daemon | None,
    *,
    patience: Seconds = Seconds(30),
    starting: Seconds = Seconds(300),
) -> CheckResult:
    """A container's health check fails, or is no longer run.

    Exit code -1: the probe exceeded its timeout. 126, 127, or words to that effect, or an
    interpreter without the probe's script: the probe itself cannot run, which says nothing about
    the application, so it is a warning in shell form and in exec form. A last probe older than
    three intervals, its timeouts and `patience`: the engine does not run it, so the status is
    stale; an engine that was restarted begins again.

    A probe that calls a port of its own container where nothing listens is named, with what does
    listen there. A probe that speaks plain text to a port with TLS, or the other way round, is
    known by the words of both. A DNS server may answer others and not its own loopback, from which
    its probe asks. A worker may have the probe of its image's server, which another container
    passes. A program that called a neighbour before that served, and did not call again, needs
    another start. A web program may serve only the hosts of a variable, while its probe asks for
    localhost.

    `starting` is not unhealthy, and paused containers are not probed. Without a failed probe in a
    row, `unhealthy` says only that the engine stopped probing for a while, as for a pause: the next
    probe decides. A program that was started less than `starting` ago, and does not listen yet, may
    need a longer start period: a warning, unless its log objects to something.

    Docker never restarts a container because of its health; where something else does so, the
    container is seldom called unhealthy for long: three such restarts within the hour count.
    """
    other_probes = surroundings.other_probes
    other_commands = other_probes.by_id if other_probes is not None else {}
    # an engine that does not answer runs no probes: its files hold old ones
    is_probed = containers.source == "api"
    engine_age = daemon.processes.age if daemon is not None else None
    for container in containers:
        probe = _probe_of(container, surroundings.namespaces)
        if probe is None:
            continue
        other_probe_steps = other_probe(probe, other_commands)
        silent = _silent_for(probe, clock, patience, engine_age) if is_probed else None
        if silent is not None:
            yield _silent_probe_finding(probe, silent)
        elif restarts := health_restarts(container, containers, events, recent_logs, clock):
            yield _restarted_finding(probe, restarts, clock, other_probe_steps)
        elif _fails(probe) and (server := probed_server(probe, containers)):
            yield foreign_probe_finding(probe, server)
        elif _fails(probe):
            tail = tail_of(surroundings.log_tails, container)
            starting_s = _starts_for(probe, clock, starting)
            complaint = _complaint(tail)
            finding = _failing_probe_finding(probe, containers, clock, complaint, starting_s)
            finding = _with_known_reason(finding, probe, tail, surroundings.own_dns_answers)
            calls = calls_of(container, containers, complaint, surroundings.namespaces)
            finding = with_early_calls(finding, container, calls, containers, clock)
            finding = replace(
                finding, touches=(*finding.touches, *surroundings.filesystem_of(probe))
            )
            yield finding.with_variables(without_secrets(other_probe_steps))


def _with_known_reason(
    finding: Finding, probe: HealthCheck, tail: LogTail, own_dns_answers: OwnDnsAnswers | None
) -> Finding:
    """The finding about a DNS server that refuses its own probe, or about a probe with the wrong
    scheme."""
    container = probe.container
    if own_dns_answers is not None and own_dns_answers.is_shut_out(container):
        finding = _shut_out_finding(finding, container, own_dns_answers)
    scheme = wrong_scheme(probe, tail.lines)
    if scheme is not None and probe.proxy is None:
        finding = _wrong_scheme_finding(finding, container, scheme)
    return finding


def _probe_of(container: Container, namespaces: Namespaces | None) -> HealthCheck | None:
    """The health check of a container that runs; None where it has none."""
    health = container.state.health
    if health is None or container.state.status != "running" or health.status == "none":
        return None
    netns = namespaces.of(container) if namespaces is not None else None
    return HealthCheck(container, health, netns)


def _fails(probe: HealthCheck) -> bool:
    """Whether the last probes failed, and not only the engine's patience ended."""
    has_failed = bool(probe.health.failing_streak or probe.exit_code)
    return probe.health.status == "unhealthy" and has_failed


def _silent_for(
    probe: HealthCheck, clock: Clock, patience: float, engine_age: float | None
) -> float | None:
    """Seconds for which no probe has ended, if that is longer than its settings explain.

    An engine that was restarted over a running container forgets its probes, and waits an interval
    for the first one (live-restore on engines 20.10.24 and 28.5.2).
    """
    limit = 3 * (probe.interval_s + probe.timeout_s) + patience
    age = clock.age(probe.last_end)
    is_due = engine_age is None or engine_age > limit
    return age if age is not None and age > limit and is_due else None


def _silent_probe_finding(probe: HealthCheck, silent: float) -> Finding:
    status = probe.health.status
    return Finding.about(
        probe.container,
        f"the health check of {probe.container} has not run for {duration(silent)}: its status "
        f'"{status}" is old',
        {
            "State.Health.Status": status,
            "last probe": f"{duration(silent)} ago" if probe.last else "none since the start",
            "interval": duration(probe.interval_s),
        },
        discriminator="stale",
        severity=Severity.warning,
        touches=(DAEMON,),
    )


def _restarted_finding(
    probe: HealthCheck, restarts: HealthRestarts, clock: Clock, other_probe_steps: PageVariables
) -> Finding:
    """The finding about a program that is ended each time its probe fails, whether it works or not.

    other_probe_steps: the variables of a probe with another program.
    """
    container = probe.container
    restarter = restarts.restarter
    count = len(restarts.at)
    span = duration(clock.wall - restarts.at[0])
    restarter_clause = f"; {restarter} restarts it" if restarter is not None else ""
    severity, what_failed = probe_outcome(probe)
    failed = f": {what_failed}" if probe.last and probe.exit_code else ""
    cannot_run = severity == Severity.warning
    cures = (
        probe_steps(probe, LogTail(()), cannot_run=cannot_run, may_restart=False)
        | other_probe_steps
    )
    return Finding.about(
        container,
        f"{container} was restarted {count} times in the last {span}, each time because its health "
        f"check had failed{failed}{clause_of_port(probe)}{restarter_clause}",
        {
            "probe": probe.text,
            **present({"last output": probe.output[-QUOTED:]}),
            "events": f"{count} times health_status: unhealthy, kill, start",
            **sockets_evidence(probe),
        },
        discriminator="restarted",
        touches=subjects_of([restarter]),
        onset=restarts.at[0],
        variables=without_secrets({"probed": probe.command, **cures}),
    )


def _starts_for(probe: HealthCheck, clock: Clock, longest: float) -> float | None:
    """Seconds since its start for which a program has not listened at the port of its probe."""
    age = clock.age(probe.container.started_at)
    may_start = bool(probe.unserved_port) and not probe.only_port
    is_young = age is not None and age < longest and probe.has_failed_since_its_start
    return age if may_start and is_young else None


def _probe_evidence(probe: HealthCheck, tail: LogTail) -> dict[str, Json]:
    telling = telling_line(probe.output.splitlines())
    return {
        "probe": probe.text,
        "last output": telling.whole[-QUOTED:] if telling else "(empty)",
        **log_evidence(tail),
        "State.Health": f"{probe.health.status}, FailingStreak {probe.health.failing_streak}",
        **present({"to see more": probe.talkative_tool}),
        **sockets_evidence(probe),
    }


def _failing_probe_finding(
    probe: HealthCheck,
    containers: Containers,
    clock: Clock,
    tail: LogTail,
    starting_s: float | None,
) -> Finding:
    container = probe.container
    streak = probe.health.failing_streak
    severity, failure = probe_outcome(probe)
    cannot_run = severity == Severity.warning
    if cannot_run or tail.lines:
        starting_s = None  # more time would change nothing
    if starting_s is not None:
        severity = Severity.warning
    still_starting = clause_of_start(probe, starting_s) if starting_s is not None else ""
    callees = _callees(probe, containers, tail)
    server = server_of(container, tail.failure, containers)
    because = f"; {tail.failure.cause}" if server and tail.failure is not None else ""
    finding = Finding.about(
        container,
        f"{container} is unhealthy: {failure}, {streak} times in a row{clause_of_port(probe)}"
        f"{still_starting}{because}",
        {
            **_probe_evidence(probe, tail),
            **not_running(callees, clock),
            **held_up(container, containers),
        },
        severity=severity,
        touches=(DAEMON,) if _is_held_up(probe) else (),
        calls=subjects_of(callees),
        signs=signs(*probe.outputs) | tail.signs | ({"proxy"} if probe.proxy else set()),
        onset=probe.failing_since,
    )
    if starting_s is not None:
        return finding.with_variables({"start_period": f"{math.ceil(starting_s / 60) * 3}m"})
    return finding.with_variables(server or probe_steps(probe, tail, cannot_run=cannot_run))


def _is_held_up(probe: HealthCheck) -> bool:
    """Whether the engine itself may delay the end, or the start, of the probe.

    The engine runs the probe: it hangs when containerd does. A port that nobody serves fails its
    probe on a sound engine as well.
    """
    return probe.exit_code in (TIMED_OUT, 126) and not probe.unserved_port


def _callees(probe: HealthCheck, containers: Containers, tail: LogTail) -> tuple[Container, ...]:
    """The containers that the probe calls, by its command and its output; otherwise those about
    which the program complains."""
    printed = probe.output.splitlines()
    callees = called_peers(printed, probe.container, containers, configured=[probe.text])
    return callees or called_peers(tail.lines, probe.container, containers, configured=())


def _shut_out_finding(finding: Finding, container: Container, answers: OwnDnsAnswers) -> Finding:
    """The finding of a DNS server that leaves its own probe without an answer."""
    reply = answers.inside[container.id]
    does = "refuses" if reply.answered else "does not answer"
    return replace(
        finding,
        summary=f"{finding.summary}; its DNS server {does} queries from 127.0.0.1, as the probe sends "
        "them, and answers this host",
        evidence={
            **finding.evidence,
            "asked from 127.0.0.1 inside": str(reply),
            "asked from this host": str(answers.outside[container.id]),
        },
        variables={"container": container.name, "own_queries": container.name},
    )


def _wrong_scheme_finding(finding: Finding, container: Container, scheme: ProbeScheme) -> Finding:
    """The finding of a server that the probe speaks to with TLS, or without, and should not."""
    speaks, wants = ("TLS", "none") if scheme.speaks_tls else ("plain text", "TLS")
    corrected = without_secrets(present({"scheme_probe": scheme.command}))
    return replace(
        finding,
        summary=f"{finding.summary}; the probe speaks {speaks}, and its server wants {wants}",
        evidence={**finding.evidence, "about the probe": scheme.line[-QUOTED:]},
        variables={"container": container.name, **corrected},
    )


def _complaint(tail: LogTail) -> LogTail:
    """The log where it objects to something; an empty one where its lines explain nothing.

    The program runs, so that its last lines may be about anything.
    """
    failure = tail.failure
    if failure is not None and not failure.holds_while_running:
        return LogTail(())
    if is_of_a_server(failure):
        return tail
    telling = tail.telling
    if telling is None or not telling.explains:
        return LogTail(())
    return tail if failure is not None or telling.is_complaint else LogTail(())
