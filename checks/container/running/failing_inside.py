"""container.failing-inside: a container runs, and a program in it has failed."""

from msgspec.structs import replace

from checks.container.causes import PROGRAM_CAUSES
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import InnerFailure, InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import JOBS, UNREACHED
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.access.mount_access import MountAccess
from diagnose.evidence.containers.mounts.linked_files import LinkedFiles
from diagnose.evidence.containers.peers.moved_masters import MovedMaster, MovedMasters
from diagnose.evidence.containers.peers.outdated_servers import OutdatedServers
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.first_steps.inner_steps import inner_steps, moved_master_steps
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import duration, quoted, sentence
from diagnose.programs.failures import Recognised
from diagnose.registry import check

PARTLY = JOBS | {"haproxy", "java-memory", UNREACHED}
"""Failures of a part: the rest of the program still works."""


@check(
    "container.failing-inside",
    severity=Severity.critical,
    caused_by=[
        *PROGRAM_CAUSES,
        "container.entrypoint-forbidden",
        "container.entrypoint-missing",
        "container.mount-forbidden",
        "container.mount-source-missing",
        "storage.disk-full",
        "storage.inodes-exhausted",
        "storage.read-only",
    ],
    observed=True,
)
def failing_inside(
    inner_failures: InnerFailures,
    mount_access: MountAccess | None,
    info: Info | None,
    clock: Clock,
    outdated_servers: OutdatedServers | None,
    linked_files: LinkedFiles | None,
    moved_masters: MovedMasters | None,
) -> CheckResult:
    """A container runs, but a program in it has failed and is not back.

    The container's state still says `running`, because its first process is a supervisor, or a
    server that refuses its work. Today's last lines of containers with supervisord, s6, PM2, Redis,
    RabbitMQ, etcd, MongoDB, Sentinel, dnsmasq, HAProxy or Java are read, and of those that hold the
    files of a database whose server does not run in them.

    It counts too if supervisord, PM2 or gunicorn starts a program again and again, and it ends each
    time: three times, and lately. A later line that says that the program is back ends the finding.

    A thread of Java that ended for lack of heap, and a backend of HAProxy without a server are
    warnings, and so is the last run of a job that failed, as updaters, backup containers and
    schedulers write it down. A server that HAProxy cannot connect to at all counts where it was
    started after HAProxy, which keeps an old address then.

    Sentinel without a master counts, and where the only server of Redis beside it has another
    address than the one that it calls, the finding says so.

    Where the log does not say why a program ended, a log file of its own may.
    """
    for failure in inner_failures:
        server = outdated_servers.of(failure) if outdated_servers is not None else None
        if failure.name == UNREACHED and server is None:
            continue
        finding = _finding(failure, mount_access, info, clock, server)
        moved = moved_masters.of(failure) if moved_masters is not None else None
        if moved is not None:
            finding = _with_moved_master(finding, failure, moved)
        yield finding if linked_files is None else linked_files.out_of(finding)
    yield from inner_failures.unexamined


def _finding(
    failure: InnerFailure,
    mount_access: MountAccess | None,
    info: Info | None,
    clock: Clock,
    server: Container | None,
) -> Finding:
    """The finding about a program that fails inside a running container.

    server: the server whose old address HAProxy keeps.
    """
    container = failure.container
    age = clock.age(failure.at)
    age_clause = f" (logged {duration(age)} ago)" if age is not None else ""
    evidence: dict[str, object] = {LINE: quoted(failure.line)}
    if failure.reason and failure.reason != failure.line:
        evidence["log, the reason"] = quoted(failure.reason)
        if failure.path:
            evidence["written to"] = failure.path
    recognised = _known_failure(failure)
    cause = failure.explained_cause
    if recognised is not None:
        # the reason that the log gives is more exact than the explanation of the pattern
        cause = failure.cause
        evidence |= {"this means": recognised.cause, "what fixes it": recognised.cure}
    evidence["State"] = container.state.status
    finding = Finding.about(
        container,
        sentence(
            f"{container} runs, but {cause}{age_clause}",
            recognised.cause if recognised is not None else "",
            _outdated_address_clause(server),
        ),
        evidence,
        discriminator=failure.program or failure.name,
        severity=Severity.warning if failure.name in PARTLY else Severity.critical,
        signs=signs(failure.line, failure.reason),
        onset=failure.at,
    )
    if server is not None:
        return finding.with_variables({"rebound": container.name})
    return finding.with_variables(inner_steps(failure, recognised, mount_access, info))


def _with_moved_master(finding: Finding, failure: InnerFailure, moved: MovedMaster) -> Finding:
    """The finding about Sentinel with the address that its master has by now."""
    clause = f"no server of Redis has {moved.former_address}: {moved.master} beside it has {moved.address}"
    changed = replace(finding, summary=sentence(finding.summary, clause))
    return changed.with_variables(moved_master_steps(failure, moved))


def _outdated_address_clause(server: Container | None) -> str:
    """The clause about a server whose old address HAProxy keeps; "" for none."""
    if server is None:
        return ""
    return f"it looks names up at its start, and {server} was started later, with an address of its own"


def _known_failure(failure: InnerFailure) -> Recognised | None:
    """The known failure in the reason, where a process manager has given a program up."""
    is_of_keeper = bool(failure.reason) and failure.reason != failure.line
    return LogTail((failure.reason,)).failure if is_of_keeper else None
