"""container.option-in-the-way: an option keeps a container's program from its work."""

from collections.abc import Mapping

import msgspec

from checks.container.claims import Claim, claims, compose_variables, is_failing
from diagnose.evidence.containers.ends.recent_exits import recent_exits
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.tmpfs_options import noexec_tmpfs
from diagnose.evidence.containers.ulimits import ulimit
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.phrases import duration, size
from diagnose.programs.exit_codes import CANNOT_EXECUTE, described
from diagnose.registry import check

ID = "container.option-in-the-way"
FILE_SIZE_LIMIT = 128 + 25
"""The exit code of a program that ended by SIGXFSZ."""
CPU_TIME_LIMITS = (128 + 24, 128 + 9)
"""By SIGXCPU at the soft limit on its CPU time, and by SIGKILL at the hard one."""
PARALLEL = 16
"""A program with so many busy threads uses its CPU time so many times faster than a clock."""
WINDOW_S = 3600.0
"""Exits of a container that was started again count for so long."""
_PRIVILEGES = "no-new-privileges"
_FILE_SIZE = "fsize"
_CPU_TIME = "cpu"
_NO_EXEC = "noexec"
_USER = "user"


class _Option(msgspec.Struct, frozen=True):
    """An option that is in force."""

    source: str
    """Where the option was set."""
    value: Json
    undone: str
    """The option that takes it back."""
    what: str
    """What the container may not do, as a predicate."""
    variable: str
    """The page's name of `undone`."""


@check(ID, severity=Severity.critical)
def option_in_the_way(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    config: DaemonConfig | None,
    events: Events | None,
) -> CheckResult:
    """An option of a container prevents its program from working.

    The log shows what was refused, and the container, or the engine's defaults, show the option:
    no-new-privileges, under which sudo and su stay the user that they are; ulimit fsize, at which
    the kernel ends a program that writes a larger file (SIGXFSZ, exit code 153); ulimit cpu, which
    ends it after so many seconds of CPU time (SIGXCPU, 152, or SIGKILL, 137); a tmpfs, from which
    no code can be run or loaded.
    """
    known = set()
    said = [(claim.failure.needs[0], claim) for claim in claims(ID, containers, log_tails, clock)]
    denied = claims("container.mount-forbidden", containers, log_tails, clock)
    said += [(_NO_EXEC, claim) for claim in denied if _could_not_execute(claim)]
    for wanted, claim in said:
        option = _option_in_force(wanted, claim, config)
        if option is not None:
            known.add(claim.container.id)
            yield _finding(claim.container, option, claim.evidence)
    for container in containers:
        is_ended = container.state.exit_code == FILE_SIZE_LIMIT and is_failing(container, clock)
        option = _file_size_limit(container, config) if is_ended else None
        if option is not None and container.id not in known:
            yield _finding(container, option, {"State": str(container.state)})
        code = _last_exit(container, clock, events)
        option = _cpu_time_limit(container, config) if code in CPU_TIME_LIMITS else None
        if option is not None and is_failing(container, clock):
            yield _finding(container, option, {"last exit": described(code or 0)})


def _last_exit(container: Container, clock: Clock, events: Events | None) -> int | None:
    """The last exit code of a container, also of one that was started again.

    None for a kill for memory, and for an end that somebody asked for.
    """
    if container.state.oom_killed:
        return None
    exits = recent_exits(container, events, None, clock, WINDOW_S)
    return exits.code if exits.at else None


def _finding(container: Container, option: _Option, evidence: Mapping[str, object]) -> Finding:
    finding = Finding.about(
        container,
        f"{container} {option.what}",
        {**evidence, option.source: option.value},
        onset=container.failed_first,
    )
    return finding.with_variables({option.variable: option.undone} | compose_variables(container))


def _option_in_force(name: str, claim: Claim, config: DaemonConfig | None) -> _Option | None:
    if name == _FILE_SIZE:
        return _file_size_limit(claim.container, config)
    if name == _NO_EXEC:
        return _tmpfs_without_exec(claim.container, claim.value("path"))
    if name == _USER:
        return _root_by_option(claim.container)
    return _no_new_privileges(claim.container, config)


def _could_not_execute(claim: Claim) -> bool:
    """Whether a shell was refused a path as a program, which its user may read and write."""
    code = claim.container.state.exit_code
    is_refused = claim.failure.name in ("path-denied", "script-not-executable")
    return is_refused and code == CANNOT_EXECUTE


def _root_by_option(container: Container) -> _Option | None:
    """The option that makes the program root; an image whose own user is root says nothing."""
    user = container.config.user
    if not user or not container.config.starts_as_root:
        return None
    what = f"runs as user {user}, and its program refuses to run as root"
    return _Option("Config.User", user, _USER, what, "given")


def _tmpfs_without_exec(container: Container, path: str) -> _Option | None:
    """The option that makes a file system in memory whose files may not be executed."""
    point = noexec_tmpfs(container, path)
    if not point:
        return None
    options = (container.host_config.tmpfs or {})[point]
    kept = [option for option in options.split(",") if option and option != _NO_EXEC]
    return _Option(
        f"HostConfig.Tmpfs {point}",
        options or "no options",
        f"--tmpfs={point}:{','.join([*kept, 'exec'])}",
        f"cannot run code from {point}: that is a tmpfs, which Docker mounts noexec",
        "executable",
    )


def _no_new_privileges(container: Container, config: DaemonConfig | None) -> _Option | None:
    """The option, of the container or of the engine, which it does not take back."""
    what = f"cannot become another user: it runs with {_PRIVILEGES}, and sudo, su and the like fail"
    undone = f"--security-opt={_PRIVILEGES}=false"
    own = [opt for opt in container.host_config.security_opt or () if opt.startswith(_PRIVILEGES)]
    if own and own[-1].endswith("false"):
        return None
    if own:
        return _Option("HostConfig.SecurityOpt", own[-1], undone, what, "privileges")
    if config is not None and config.value(_PRIVILEGES) is True:
        return _Option(
            config.where(_PRIVILEGES), value=True, undone=undone, what=what, variable="privileges"
        )
    return None


def _cpu_time_limit(container: Container, config: DaemonConfig | None) -> _Option | None:
    """The ulimit that ends a program which has used so much CPU time since its start."""
    limit = ulimit(container, _CPU_TIME, config)
    if limit is None or limit.soft < 0 or _ended_sooner(container, limit.soft):
        return None
    return _Option(
        limit.source,
        {_CPU_TIME: limit.soft},
        f"--ulimit={_CPU_TIME}=-1:-1",
        f"is ended after {duration(limit.soft)} of CPU time: its ulimit cpu ends programs that use "
        "more, however long that takes",
        "cpu_limit",
    )


def _ended_sooner(container: Container, cpu_seconds: int) -> bool:
    """Whether a program cannot have used so much CPU time: something else has killed it."""
    return container.ran_for is not None and container.ran_for * PARALLEL < cpu_seconds


def _file_size_limit(container: Container, config: DaemonConfig | None) -> _Option | None:
    """The ulimit that ends a program whose file becomes too large."""
    limit = ulimit(container, _FILE_SIZE, config)
    if limit is None or limit.soft < 0:
        return None
    return _Option(
        limit.source,
        {_FILE_SIZE: limit.soft},
        f"--ulimit={_FILE_SIZE}=-1:-1",
        f"cannot write a file larger than {size(limit.soft)}: its ulimit fsize stops programs that "
        "do",
        "limit",
    )
