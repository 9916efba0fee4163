"""Sentences about a health check that fails, by what its probe prints and calls."""

from checks.container.helpers import EndOutcome
from diagnose.evidence.containers.addresses.host_lists import list_without
from diagnose.evidence.containers.health_check import TIMED_OUT, HealthCheck
from diagnose.first_steps.probe_steps import has_lost_its_record, runtime_refusal
from diagnose.model import Json, Severity
from diagnose.phrases import duration, shortened

FORGOTTEN = (
    "its probe cannot be started, because the runtime has lost its record of the container: "
    "files in /run were removed"
)
CANNOT_RUN = (126, 127)


def probe_outcome(probe: HealthCheck) -> EndOutcome:
    """The severity of a failing probe, and the predicate about it."""
    code = probe.exit_code
    if probe.missing:
        missing = f'file "{probe.missing}"'
        if probe.lacks_program:
            # an image may have it in a folder that this container's PATH leaves out
            path_clause = "" if "/" in probe.missing else " in its PATH"
            missing = f'program "{probe.missing}"{path_clause}'
        return EndOutcome(
            Severity.warning, f"its probe cannot run, because the container has no {missing}"
        )
    if has_lost_its_record(probe):
        return EndOutcome(Severity.critical, FORGOTTEN)
    if refusal := runtime_refusal(probe):
        reason = shortened(refusal, 120)
        return EndOutcome(Severity.critical, f"the runtime cannot start its probe ({reason})")
    if code == TIMED_OUT:
        return EndOutcome(
            Severity.critical, f"its probe does not finish within {duration(probe.timeout_s)}"
        )
    if code in CANNOT_RUN:
        return EndOutcome(Severity.warning, f"its probe cannot run, exit code {code}")
    silence = "" if probe.output else " and prints nothing"
    return EndOutcome(Severity.critical, f"its probe fails with exit code {code}{silence}")


def clause_of_port(probe: HealthCheck) -> str:
    """The clause about the port or the page that the probe calls; "" where nothing is wrong with
    it."""
    if probe.whole_command:
        return (
            f'; its shell runs "{shortened(probe.command, 40)}" without the words behind it: '
            "CMD-SHELL takes one text, and a list of words belongs behind CMD"
        )
    if (proxy := probe.proxy) and not probe.unserved_port:
        return (
            f"; the probe's request to its own container goes to the proxy {proxy.host}:{proxy.port} "
            f"of variable {proxy.variable}"
        )
    if host := probe.unlisted_host:
        return (
            f"; its server answers with HTTP status {probe.refused_status} to a probe that asks for "
            f"{host}, which {list_without(probe.container, host)} does not list"
        )
    if probe.refused_status:
        return f"; its server answers, with HTTP status {probe.refused_status}"
    if probe.other_address:
        return (
            f"; its server listens at {probe.other_address} only, and the probe calls the loopback "
            "address"
        )
    if probe.ipv4_port:
        return (
            f"; its server listens only on IPv4 on port {probe.ipv4_port}, "
            "and the probe calls a name or address that is IPv6"
        )
    if probe.unserved_port:
        return f"; nothing in it listens on port {probe.unserved_port}, which the probe calls"
    return ""


def clause_of_start(probe: HealthCheck, starting_s: float) -> str:
    """The clause about the time since the start, and the start period of the health check."""
    period = probe.start_period_s
    granted = f"a start period of {duration(period)}" if period else "no start period"
    return f"; it was started {duration(starting_s)} ago, and its health check has {granted}"


def sockets_evidence(probe: HealthCheck) -> dict[str, Json]:
    """The TCP sockets inside, as evidence, where the probe calls a port that is not served."""
    is_missed = probe.unserved_port or probe.ipv4_port or probe.other_address
    if probe.netns is None or not is_missed:
        return {}
    return {"TCP sockets inside": probe.netns.tcp_listeners or ["none"]}
