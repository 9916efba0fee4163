"""Open files: a container, the engine, or the host that can open no more of them."""

from checks.resources.helpers import reaches
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.refused_files import (
    TOO_MANY,
    inotify_limit,
    refused_file_line,
)
from diagnose.evidence.containers.logs.tail import NO_LINES, LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.limits.host_limits import Descriptors, HostLimits
from diagnose.evidence.machine.limits.open_files import OpenFiles, ProcessFiles
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Percent, Severity, Unavailable
from diagnose.phrases import quoted
from diagnose.registry import check


@check("resources.open-files-exhausted", severity=Severity.critical)
def open_files_exhausted(
    containers: Containers,
    log_tails: LogTails | None,
    host_limits: HostLimits | Unavailable,
    open_files: OpenFiles | None,
    *,
    near: Percent = Percent(90),
) -> CheckResult:
    """A container, the engine, or the host cannot open more files.

    Containers: the last log lines of those that failed, restarted or are unhealthy say "too many
    open files", or that a limit of inotify is reached; of those that go on, a process has as many
    open as its soft limit lets it, which is a warning while a few are left. The engine: descriptors
    of dockerd and containerd against their soft limit. The host: fs.file-nr. A user who may not
    count descriptors sees only the log lines. Engine 29's containerd gives containers a soft limit
    of 1024.
    """
    for container in containers:
        tail = log_tails.of(container) if log_tails else NO_LINES
        fullest = open_files.of(container) if open_files else None
        if fullest and not reaches(near, fullest.open, fullest.limit):
            fullest = None
        finding = _container_finding(container, tail, fullest, host_limits)
        if finding is not None:
            yield finding
    if isinstance(host_limits, Unavailable):
        return host_limits
    for engine in host_limits.engines:
        if reaches(near, engine.open, engine.limit):
            yield _engine_finding(engine)
    files = host_limits.files
    most = host_limits.files_max
    if reaches(near, files, most):
        yield Finding(
            subject=HOST,
            summary=f"the host has {files} files open, of the {most} that its kernel allows",
            evidence={"fs.file-nr": f"{files} of {most}"},
            variables={"file_max": str(2 * (most or 0))},
        )


def _engine_finding(engine: Descriptors) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=(
            f"{engine.comm} has {engine.open} files open, of the {engine.limit} that it may open"
        ),
        evidence={
            f"/proc/{engine.pid}/fd": engine.open,
            f"/proc/{engine.pid}/limits": engine.limit,
        },
        variables={"engine_pid": str(engine.pid)},
        discriminator=engine.comm,
    )


def _container_finding(
    container: Container,
    tail: LogTail,
    fullest: ProcessFiles | None,
    host_limits: HostLimits | Unavailable,
) -> Finding | None:
    """The finding about open files of a container. fullest: the process with the fewest files left.

    The kernel has one word for too many instances of inotify and too many files of a process: a
    process without a file left has met the latter.
    """
    line = refused_file_line(tail)
    limit = inotify_limit(line)
    if limit and not (fullest and TOO_MANY.search(line)):
        return _inotify_finding(container, line, limit)
    if line:
        return _logged_limit_finding(container, line)
    if fullest is None:
        return None
    return _full_table_finding(
        container, fullest, _inherited_clause(container, fullest, host_limits)
    )


def _inherited_clause(
    container: Container, fullest: ProcessFiles, host_limits: HostLimits | Unavailable
) -> str:
    """The clause that says that a limit is containerd's own; "" where it is not.

    Its unit sets none since release 2.1.5, and each container without a limit has the limit of
    containerd.
    """
    engines = () if isinstance(host_limits, Unavailable) else host_limits.engines
    is_same = any(
        engine.comm == "containerd" and engine.limit == fullest.limit for engine in engines
    )
    if not is_same or _own_limit(container) is not None:
        return ""
    return ", which it has from containerd: the container has no limit of its own"


def _inotify_finding(container: Container, line: str, limit: str) -> Finding:
    or_own_limit = ", or its own limit of open files" if limit == "max_user_instances" else ""
    return Finding.about(
        container,
        f"{container} could not watch more files: "
        f"it reached an inotify limit that it shares with other programs{or_own_limit}",
        {"log": quoted(line), "limit": f"fs.inotify.{limit}"},
        onset=container.failed_first,
        variables={"inotify": limit},
    )


def _logged_limit_finding(container: Container, line: str) -> Finding:
    limit = _own_limit(container)
    limit_clause = f"; its limit is {limit}" if limit else ""
    return Finding.about(
        container,
        f"{container} could not open more files{limit_clause}",
        {"log": quoted(line), "HostConfig.Ulimits nofile": limit or "not set"},
        onset=container.failed_first,
        variables={"limited": container.name, "files": _more_files(container, limit)},
    )


def _full_table_finding(container: Container, fullest: ProcessFiles, inherited: str) -> Finding:
    program = fullest.comm or "a process"
    return Finding.about(
        container,
        f"{program} in {container} has {fullest.open} open files; its limit is {fullest.limit}"
        f"{inherited}",
        {
            f"/proc/{fullest.pid}/fd": fullest.open,
            f"/proc/{fullest.pid}/limits, open files": fullest.limit,
        },
        severity=Severity.critical if fullest.open >= fullest.limit else Severity.warning,
        signs=frozenset({"open-files"}),
        recheck=(container.run,),
        variables={"limited": container.name, "files": _more_files(container, fullest.limit)},
    )


_LEAST_FILES = 1024
_USUAL_FILES = 65_536


def _own_limit(container: Container) -> int | None:
    """The limit of open files that it was created with; None where that is the engine's default."""
    ulimits = container.host_config.ulimits or ()
    return next((ulimit.soft for ulimit in ulimits if ulimit.name == "nofile"), None)


def _more_files(container: Container, limit: int | None) -> str:
    """Four times a limit of open files, as `--ulimit` takes it.

    limit: None for the limit that the container was created with.
    """
    present_limit = limit or _own_limit(container)
    files = max(_LEAST_FILES, 4 * present_limit) if present_limit else _USUAL_FILES
    return f"nofile={files}:{files}"
