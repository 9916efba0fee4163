"""container.unhealthy: a container's health check fails, or is no longer run."""

from __future__ import annotations

import re
import shlex

from checks.container.causes import APPLICATION_CAUSES, PEER_CAUSES
from checks.container.helpers import (
    PASSING,
    QUOTED,
    held_up,
    log_evidence,
    not_running,
    subjects_of,
    tail_of,
)
from diagnose.error_signatures import signs
from diagnose.evidence.containers.called_peers import called_peers
from diagnose.evidence.containers.inspect import Health, HealthProbe
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Seconds, Severity
from diagnose.phrases import ago, unix
from diagnose.programs.telling_line import telling_line
from diagnose.registry import check

TIMED_OUT = -1
NOT_BEGUN = "OCI runtime exec failed"
"""Beside exit code -1: nothing ran that could have ended (seen at the limit of processes on engines
20.10.24 and 28.5.2)."""
_LACKING = LazyPattern(
    r'exec: "(?P<exec>[^"]*)": (?:executable file not found|.*no such file or directory'
    r"|.*permission denied)"
    r"|(?:^|: |\d: )(?P<shell>[\w./-]+): (?:not found|command not found|No such file or directory"
    r"|Permission denied)\s*$",
    re.MULTILINE,
)
"""A probe whose program is missing or may not be executed: in exec form as the runtime says it, in
shell form as the shell does."""
_OWN_PORT = LazyPattern(
    r"(?:\b(?:ip6-)?localhost|\b127\.0\.0\.1|\b0\.0\.0\.0|\[?::1\]?):(?P<port>\d{2,5})\b"
)
"""A port of its own container in the command of a probe."""
_IS_IPV4 = LazyPattern(r"\d+\.\d+\.\d+\.\d+")
_NO_IPV6 = LazyPattern(r"connection refused|cannot assign requested address", re.IGNORECASE)
_OWN_HOST = LazyPattern(r"(?<![\w.-])(?:(?:ip6-)?localhost|\[::1\]|::1)(?=[:/\s'\"]|$)")
CANNOT_RUN = (126, 127)
NANO = 1e9
DEFAULT_INTERVAL_S = 30.0
DEFAULT_TIMEOUT_S = 30.0
_QUIET_TOOLS = {
    "curl": "curl -sS --fail",
    "wget": "wget -S --spider",
    "nc": "nc -v",
    "pgrep": "pgrep -a",
    "test": "a command that prints what it finds",
}
"""Tools that probes use, and how they say what they met."""


@check(
    "container.unhealthy",
    severity=Severity.critical,
    caused_by=[
        *APPLICATION_CAUSES,
        *PEER_CAUSES,
        "container.exits-at-start",
        "container.restart-loop",
        "daemon.containerd-hung",
        "resources.cpu-throttled",
        "resources.io-saturated",
    ],
)
def unhealthy(
    containers: Containers,
    clock: Clock,
    namespaces: Namespaces | None,
    log_tails: LogTails | None,
    *,
    patience: Seconds = Seconds(30),
) -> CheckResult:
    """A container's health check fails, or is no longer run.

    Exit code -1: the probe exceeded its timeout. 126, 127, or words to that effect: the probe
    itself cannot run, which says nothing about the application, so it is a warning in shell form
    and in exec form. A last probe older than three intervals, its timeouts and `patience`: the
    engine does not run it, so the status is stale. A probe that calls a port of its own container
    where nothing listens is named, with what does listen there. `starting` is not unhealthy, and
    paused containers are not probed. Without a failed probe in a row, `unhealthy` says only that
    the engine stopped probing for a while, as for a pause: the next probe decides. Docker never
    restarts a container because of its health.
    """
    for container in containers:
        health = container.state.health
        if health is None or container.state.status != "running" or health.status == "none":
            continue
        last = health.log[-1] if health.log else None
        # where the engine itself does not answer, its files hold old probes that nobody runs any
        # more
        silent = (
            _silent_for(container, last, clock, patience) if containers.source == "api" else None
        )
        if silent is not None:
            yield _stale(container, health.status, silent, last)
        elif health.status == "unhealthy" and (
            health.failing_streak or (last is not None and last.exit_code)
        ):
            netns = namespaces.of(container) if namespaces is not None else None
            tail = _complaint(tail_of(log_tails, container))
            yield _failing(container, health, last, containers, clock, netns, tail)
    return None


def _interval(container: Container) -> float:
    """Seconds between two probes."""
    nanoseconds = container.config.healthcheck.interval if container.config.healthcheck else None
    return nanoseconds / NANO if nanoseconds else DEFAULT_INTERVAL_S


def _timeout(container: Container) -> float:
    """Seconds that a probe may take."""
    nanoseconds = container.config.healthcheck.timeout if container.config.healthcheck else None
    return nanoseconds / NANO if nanoseconds else DEFAULT_TIMEOUT_S


def _silent_for(
    container: Container, last: HealthProbe | None, clock: Clock, patience: float
) -> float | None:
    """Seconds for which no probe has ended, if that is longer than its settings explain."""
    limit = 3 * (_interval(container) + _timeout(container)) + patience
    ended = unix(last.end) if last else None
    age = clock.age(ended if ended is not None else container.started_at)
    return age if age is not None and age > limit else None


def _stale(container: Container, status: str, silent: float, last: HealthProbe | None) -> Finding:
    return Finding.about(
        container,
        f"{container} has not been probed for {ago(silent)}: its status, {status}, is stale",
        {
            "State.Health.Status": status,
            "last probe": f"{ago(silent)} ago" if last else "none since the start",
            "interval": ago(_interval(container)),
        },
        discriminator="stale",
        severity=Severity.warning,
        touches=(DAEMON,),
    )


def _failing(
    container: Container,
    health: Health,
    last: HealthProbe | None,
    containers: Containers,
    clock: Clock,
    netns: ContainerNetns | None,
    tail: LogTail,
) -> Finding:
    streak = health.failing_streak
    code = last.exit_code if last else 0
    output = (last.output or "").strip() if last else ""
    callees = called_peers(
        output.splitlines(), container, containers, configured=[_probe(container)]
    )
    callees = callees or called_peers(tail.lines, container, containers, configured=())
    severity, what = _failure(container, code, output)
    telling = telling_line(output.splitlines())
    unserved = _unserved_port(container, netns)
    port = _asked_by_ipv6(container, output, netns)
    finding = Finding.about(
        container,
        f"{container} is unhealthy: {what}, {streak} times in a row{_at_port(unserved, port)}",
        {
            "probe": _probe(container),
            "last output": telling.whole[-QUOTED:] if telling else "(empty)",
            **log_evidence(tail),
            "State.Health": f"{health.status}, FailingStreak {streak}",
            **_silent_probe(container, output),
            **(_sockets_of(netns) if unserved or port else {}),
            **not_running(callees, clock),
            **held_up(container, containers),
        },
        severity=severity,
        # the engine runs the probe: when containerd hangs, it does not end, or cannot begin
        touches=(DAEMON,) if code in (TIMED_OUT, 126) else (),
        calls=subjects_of(callees),
        signs=signs(*_outputs(container, streak)) | tail.signs,
        onset=_began(container, streak),
    )
    if port:
        better = _probe_of(_OWN_HOST.sub("127.0.0.1", _probe_command(container)))
        return finding.with_variables(better)
    served = _only_port(netns) if unserved and severity != Severity.warning else 0
    if served:
        moved = _probe_command(container).replace(f":{unserved}", f":{served}")
        return finding.with_variables(_probe_of(moved, "moved_probe"))
    objects = bool(tail.lines) and not tail.signs & PASSING
    may_heal = severity != Severity.warning and not unserved and not objects
    return finding.with_variables({"restarted": container.name} if may_heal else {})


def _at_port(unserved: int, ipv4_alone: int) -> str:
    """What is wrong with the port that the probe calls, as the end of a sentence.

    unserved: nothing listens there, ipv4_alone: no IPv6 is served there; 0 for neither.
    """
    if ipv4_alone:
        return (
            f"; its server listens on IPv4 alone on port {ipv4_alone}, "
            "and the probe calls a name or address that is IPv6"
        )
    return f"; nothing in it listens on port {unserved}, which the probe calls" if unserved else ""


def _complaint(tail: LogTail) -> LogTail:
    """The log where it objects to something; none where its lines explain nothing.

    The program runs, so that its last lines may be about anything.
    """
    telling = tail.telling
    return (
        tail if telling is not None and telling.explains and telling.is_complaint else LogTail(())
    )


def _probe_of(command: str, variable: str = "probe") -> dict[str, str]:
    """The variable of the page for another probe; nothing where the command holds a secret."""
    return {variable: command} if "redacted" not in command else {}


def _probe_command(container: Container) -> str:
    """The probe as `--health-cmd` takes it, for a shell."""
    test = (container.config.healthcheck.test if container.config.healthcheck else None) or []
    words = [str(word) for word in test[1:]]
    return words[0] if test[:1] == ["CMD-SHELL"] else shlex.join(words)


def _failure(container: Container, code: int, output: str) -> tuple[Severity, str]:
    """How bad the failure of a probe is, and what it says about the probe."""
    lacking = _LACKING.search(output)
    if lacking and code != 0:
        program = lacking["exec"] or lacking["shell"]
        return (
            Severity.warning,
            f'its probe cannot run, because the container has no program "{program}"',
        )
    if code == TIMED_OUT and NOT_BEGUN in output:
        return Severity.critical, "its probe cannot be started"
    if code == TIMED_OUT:
        return Severity.critical, f"its probe does not end within {ago(_timeout(container))}"
    if code in CANNOT_RUN:
        return Severity.warning, f"its probe cannot run, exit code {code}"
    silence = "" if output else " and prints nothing"
    return Severity.critical, f"its probe fails with exit code {code}{silence}"


def _silent_probe(container: Container, output: str) -> dict[str, str]:
    """For a probe that prints nothing: how its tool says what it met."""
    words = re.findall(r"[\w./-]+", _probe(container))
    tool = next((name for word in words if (name := word.rpartition("/")[2]) in _QUIET_TOOLS), "")
    return {"to see more": _QUIET_TOOLS[tool]} if tool and not output else {}


def _unserved_port(container: Container, netns: ContainerNetns | None) -> int:
    """The port of its own container that the probe calls and where nothing listens.

    0 if there is none, or it is not known.
    """
    call = _OWN_PORT.search(_probe(container))
    if call is None or netns is None:
        return 0
    port = int(call["port"])
    return 0 if netns.sockets("tcp", port) else port


def _only_port(netns: ContainerNetns | None) -> int:
    """The one TCP port that the container serves; 0 where it serves none or several."""
    ports = {
        socket.port
        for socket in (netns.listeners if netns is not None else ())
        if socket.protocol == "tcp" and socket.address != EMBEDDED
    }
    return ports.pop() if len(ports) == 1 else 0


def _asked_by_ipv6(container: Container, output: str, netns: ContainerNetns | None) -> int:
    """The port that the probe calls over IPv6 and that only IPv4 serves.

    Of its own container, where the connection was refused; 0 if there is none.

    musl and busybox take ::1 for localhost first, and busybox's wget tries no other address. Before
    engine 26 a container without IPv6 has no ::1 either.
    """
    call = _OWN_PORT.search(_probe(container))
    if call is None or netns is None or not _NO_IPV6.search(output):
        return 0
    if _IS_IPV4.search(call[0]):
        return 0
    port = int(call["port"])
    sockets = netns.sockets("tcp", port)
    is_ipv4_alone = bool(sockets) and all(":" not in socket.address for socket in sockets)
    return port if is_ipv4_alone else 0


def _sockets_of(netns: ContainerNetns | None) -> dict[str, list[str]]:
    if netns is None:
        return {}
    return {"TCP sockets inside": netns.tcp_listeners or ["none"]}


def _probe(container: Container) -> str:
    test = (container.config.healthcheck.test if container.config.healthcheck else None) or []
    return " ".join(str(word) for word in test[1:])[:120]


def _outputs(container: Container, streak: int) -> list[str]:
    """What the probes of the streak printed, as far as the engine kept them.

    The last one may have had no chance to.
    """
    log = (container.state.health.log or []) if container.state.health else []
    return [probe.output or "" for probe in log[-max(streak, 1) :]]


def _began(container: Container, streak: int) -> float | None:
    """Unix time of the first failure of the streak.

    Beyond the engine's five kept probes by their own pace.
    """
    log = (container.state.health.log or []) if container.state.health else []
    starts = [
        began
        for probe in (log[-streak:] if streak else [])
        if (began := unix(probe.start)) is not None
    ]
    if not starts:
        return None
    pace = (starts[-1] - starts[0]) / (len(starts) - 1) if len(starts) > 1 else _interval(container)
    return starts[0] - (streak - len(starts)) * pace
