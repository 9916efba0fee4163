"""daemon.hung: the engine takes connections, and does not answer."""

from collections.abc import Iterator

from diagnose.evidence.engine.awaited_programs import XTABLES_LOCK, AwaitedProgram, AwaitedPrograms
from diagnose.evidence.engine.daemon import Daemon, ProcessDetail
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log_receivers import LogReceiver, LogReceivers
from diagnose.evidence.engine.stuck_containers import StuckContainer, StuckContainers
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process
from diagnose.evidence.storage.mounts import Mounts
from diagnose.mappings import first_of, present
from diagnose.model import (
    CheckResult,
    EvidenceGroup,
    Finding,
    Json,
    PageVariables,
    Severity,
    Unavailable,
)
from diagnose.model.subjects import DAEMON, Subject, container
from diagnose.model.units import Count, Seconds
from diagnose.phrases import duration, sentence
from diagnose.registry import check


class LoneSilences(EvidenceGroup, frozen=True):
    """The containers that alone get no answer from the engine, and evidence of the reason."""

    stuck_containers: StuckContainers
    log_receivers: LogReceivers | None


@check(
    "daemon.hung",
    severity=Severity.critical,
    caused_by=[
        "storage.network-volume-stale",
        "storage.read-only",
        "kernel.hung-task",
        "kernel.netdevice-stuck",
        "resources.io-saturated",
        "daemon.containerd-down",
        "daemon.containerd-hung",
        "daemon.database-locked",
        "resources.open-files-exhausted",
    ],
)
def hung(
    daemon: Daemon,
    silences: LoneSilences,
    mounts: Mounts | None,
    root: DataRoot | None,
    pressure: Pressure | None,
    awaited: AwaitedPrograms | None,
    *,
    start: Seconds = Seconds(120),
    busy: Count = Count(10),
) -> CheckResult:
    """The engine accepts connections but does not answer.

    A stopped process (state T) and threads that wait in the kernel (D) say why.

    In its first `start` seconds an engine with many containers may be silent and healthy. With more
    than `busy` tasks in the load average for each processor it may only be slow: a warning. An
    address that the user named, and behind which no engine of this machine was found, stays
    unknown.

    If the engine is silent about a single container, that is a warning: a stop of it never ended,
    as it happens where a log driver's receiver takes no lines. On a host that is that busy, the
    container is only reported as not examined. A container whose shim is stopped is a warning too:
    the engine waits for the shim as soon as it is asked for more than it has in memory.

    A program that the engine waits for, such as an iptables whose lock another process holds, is
    named at once: until it ends, no container starts or stops, though the engine may answer. One
    that only /info waits for, such as docker-init that should print its version, is a warning.
    """
    load = _overload(pressure, busy)
    program = _awaited_program(daemon, awaited)
    if daemon.answers:
        yield from _answering_engine_findings(daemon, program, silences, is_slow=bool(load))
        return None
    if not daemon.is_hung:
        return None
    process = daemon.processes.engine
    if process is None and daemon.endpoint.named and not daemon.endpoint.is_default:
        endpoint = f"{daemon.endpoint.url} (from {daemon.endpoint.source})"
        return Unavailable("timed out", f"{endpoint} does not answer; {daemon.where}")
    if process is None or not _is_at_work(process):
        yield _hung_finding(daemon, mounts, root)
        return None
    if program is not None:
        yield _waiting_finding(daemon, program)
        return None
    age = daemon.processes.age
    if age is not None and age < start:
        start_clause = f"dockerd (pid {process.pid}) started {duration(age)} ago"
        return Unavailable("timed out", f"{start_clause} and does not answer yet")
    yield _hung_finding(daemon, mounts, root, load)


def _awaited_program(daemon: Daemon, awaited: AwaitedPrograms | None) -> AwaitedProgram | None:
    """The program that explains an engine's silence, or that keeps an answering engine from its
    work."""
    program = first_of(awaited or (), None)
    if program is not None and program.is_for_info and not daemon.answers:
        return None
    return program


def _answering_engine_findings(
    daemon: Daemon, program: AwaitedProgram | None, silences: LoneSilences, *, is_slow: bool
) -> Iterator[Finding]:
    """Findings about an engine that answers but waits for a program, or for one container.

    is_slow: the host is so busy that silence about one container proves nothing.
    """
    if program is not None:
        yield _waiting_finding(daemon, program)
        return
    receivers = silences.log_receivers.by_name if silences.log_receivers is not None else {}
    for stuck in silences.stuck_containers:
        if stuck.shim is not None or not is_slow:
            yield _lone_deadlock_finding(stuck, daemon, receivers.get(stuck.name))


def _is_at_work(process: ProcessDetail) -> bool:
    """Whether the engine's process is neither stopped nor waits in the kernel."""
    return not process.is_stopped and not process.blocked


def _waiting_finding(daemon: Daemon, program: AwaitedProgram) -> Finding:
    """The finding about an engine that waits for another program."""
    engine = daemon.processes.engine
    assert engine is not None
    effect = "no container can start or stop" if daemon.answers else "the engine does not answer"
    if program.is_for_info:
        effect = "the engine does not answer `docker info`, though containers start and stop"
    detail = daemon.silence.detail if daemon.silence is not None else ""
    evidence = present({"GET /_ping": detail.removeprefix("GET /_ping: ")})
    for process, command in (
        (program.process, program.command),
        (program.holder, program.holder_command),
    ):
        if process is not None:
            evidence[f"/proc/{process.pid}"] = f"{command or process.comm}, state {process.state}"
    if program.holder is not None:
        evidence["/proc/locks"] = f"process {program.holder.pid} holds {XTABLES_LOCK}"
    return Finding(
        subject=DAEMON,
        summary=f"{effect}: dockerd (pid {engine.pid}) {_awaited_program_clause(program)}",
        evidence=evidence,
        variables={"socket": daemon.address, **_resuming_variables(program)},
        severity=Severity.warning if program.is_for_info else None,
    )


def _awaited_program_clause(program: AwaitedProgram) -> str:
    """The predicate about the program for which the engine waits, and the reason why that one does
    not end."""
    process = program.process
    holder = program.holder
    name = f"{process.comm} (pid {process.pid})"
    if holder is not None:
        lock_holder = f"{holder.comm} (pid {holder.pid})"
        state_clause = ", which is stopped by a signal" if holder.state in ("T", "t") else ""
        waited = duration(program.seconds)
        return f"has waited {waited} for {name}, whose lock is held by {lock_holder}{state_clause}"
    if process.state in ("T", "t"):
        return f"waits for {name}, which is stopped by a signal"
    if process.state == "D":
        return f"waits for {name}, which waits in the kernel"
    return f"waits for {name}, which has been running for {duration(program.seconds)}"


def _resuming_variables(program: AwaitedProgram) -> PageVariables:
    """The page variables that let the engine continue: a signal, or the end of another program."""
    culprit = program.culprit
    if culprit.state in ("T", "t"):
        return {"stopped": str(culprit.pid)}
    if program.holder is not None:
        return {"holder": str(culprit.pid)}
    return {"blocked" if culprit.state == "D" else "awaited": str(culprit.pid)}


def _lone_deadlock_finding(
    stuck: StuckContainer, daemon: Daemon, receiver: LogReceiver | None
) -> Finding:
    """The finding about a container that alone does not work."""
    name = stuck.name
    shim = stuck.shim
    evidence: dict[str, Json] = {}
    others = "" if stuck.is_only else ", but about all others"
    summary = (
        f'the engine does not answer about container "{name}", where an earlier request never '
        f"ended{others}"
    )
    cure: PageVariables = {}
    if receiver is not None:
        summary += (
            f'; its log driver "{receiver.driver}" sends to {receiver.address}: a receiver that '
            "takes no lines holds up a stop too"
        )
        cure = {"receiver": receiver.address, "driver": receiver.driver}
    if shim is not None:
        evidence[f"/proc/{shim.pid}/stat"] = f"{shim.comm}, state {shim.state}"
        summary = (
            f'the helper process (shim) of container "{name}" (pid {shim.pid}) is stopped by a signal: '
            "the container cannot be stopped, entered or probed"
        )
    if stuck.silence:
        evidence |= {f"GET /containers/{name}/json": stuck.silence, "GET /_ping": "answered"}
    return Finding(
        subject=container(name),
        summary=summary,
        evidence=evidence,
        variables={"socket": daemon.address, **_pid(shim or daemon.processes.engine), **cure},
        severity=Severity.critical if stuck.is_only else Severity.warning,
        touches=(DAEMON,),
    )


def _pid(process: ProcessDetail | Process | None) -> PageVariables:
    """The page variables of the commands that need a process.

    One of them is for a process that is stopped by a signal.
    """
    if process is None:
        return {}
    stopped = {"stopped": str(process.pid)} if process.state in ("T", "t") else {}
    return {"pid": str(process.pid), **stopped}


def _hung_finding(
    daemon: Daemon, mounts: Mounts | None, root: DataRoot | None, load: str = ""
) -> Finding:
    """The finding about an engine that does not answer. load: the reason why it may be slow, in
    words."""
    process = daemon.processes.engine
    socket = daemon.address
    assert daemon.silence is not None
    shims = daemon.processes.shims
    return Finding(
        subject=DAEMON,
        summary=sentence(_silence(process, socket), load),
        evidence={
            f"GET /_ping at {socket}": daemon.silence.detail or "no answer",
            **(process.evidence if process is not None else {"who listens": daemon.where}),
            **present({"containers alive": len(shims) if shims is not None else None}),
        },
        variables={"socket": socket} | _pid(process),
        severity=Severity.warning if load else None,
        touches=_blocked_on(process, mounts, root),
    )


def _silence(process: ProcessDetail | None, socket: str) -> str:
    """The sentence about the process that does not answer, and its state."""
    if process is None:
        return f"what listens at {socket} accepts connections but does not answer"
    dockerd = f"dockerd (pid {process.pid})"
    if process.is_stopped:
        return f"{dockerd} is stopped by a signal (state {process.state}) and does not answer"
    if process.blocked:
        return (
            f"{dockerd} does not answer: {process.blocked} of its threads wait in the kernel, as for a "
            "disk or a mount that does not answer"
        )
    return f"{dockerd} accepts connections but does not answer"


def _blocked_on(
    process: ProcessDetail | None, mounts: Mounts | None, root: DataRoot | None
) -> tuple[Subject, ...]:
    """The file system of the data root, where threads of the engine wait in the kernel."""
    is_blocked = process is not None and bool(process.blocked)
    if not is_blocked or mounts is None or root is None:
        return ()
    point = mounts.point_of(root.path)
    return (Subject("filesystem", point),) if point else ()


def _overload(pressure: Pressure | None, busy: float) -> str:
    """The load, where it is so high that silence may be slowness; else ""."""
    if pressure is None or not pressure.load or pressure.load[0] <= busy * pressure.cpus:
        return ""
    return f"the host is busy: load {pressure.load[0]:.0f} on {pressure.cpus} processors"
