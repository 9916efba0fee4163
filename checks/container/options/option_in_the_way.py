"""container.option-in-the-way: an option keeps a container's program from its work."""

from collections.abc import Mapping

from checks.container.claims import Claim, claims, compose_variables, is_failing
from diagnose.evidence.containers.ends.recent_exits import recent_exits
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.options_in_force import (
    NO_EXEC,
    RestrictingOption,
    cpu_time_limit,
    file_size_limit,
    option_in_force,
)
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.programs.exit_codes import CANNOT_EXECUTE, described
from diagnose.registry import check

ID = "container.option-in-the-way"
FILE_SIZE_LIMIT = 128 + 25
"""The exit code of a program that ended by SIGXFSZ."""
CPU_TIME_LIMITS = (128 + 24, 128 + 9)
"""Exit codes at the limit on CPU time: SIGXCPU at the soft one, and SIGKILL at the hard one."""
WINDOW_S = 3600.0
"""Exits of a container that was restarted count for this time."""


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
    reported = set()
    claims_by_option = [
        (claim.failure.needs[0], claim) for claim in claims(ID, containers, log_tails, clock)
    ]
    denied = claims("container.mount-forbidden", containers, log_tails, clock)
    claims_by_option += [(NO_EXEC, claim) for claim in denied if _could_not_execute(claim)]
    for wanted, claim in claims_by_option:
        option = option_in_force(wanted, claim.container, claim.value("path"), config)
        if option is not None:
            reported.add(claim.container.id)
            yield _finding(claim.container, option, claim.evidence)
    for container in containers:
        is_ended = container.state.exit_code == FILE_SIZE_LIMIT and is_failing(container, clock)
        option = file_size_limit(container, config) if is_ended else None
        if option is not None and container.id not in reported:
            yield _finding(container, option, {"State": str(container.state)})
        code = _last_exit(container, clock, events)
        option = cpu_time_limit(container, config) if code in CPU_TIME_LIMITS else None
        if option is not None and is_failing(container, clock):
            yield _finding(container, option, {"last exit": described(code or 0)})


def _last_exit(container: Container, clock: Clock, events: Events | None) -> int | None:
    """The last exit code of a container, also of one that was restarted.

    None for a kill for memory, and for an end that a user requested.
    """
    if container.state.oom_killed:
        return None
    exits = recent_exits(container, events, None, clock, WINDOW_S)
    return exits.code if exits.at else None


def _finding(
    container: Container, option: RestrictingOption, evidence: Mapping[str, object]
) -> Finding:
    return Finding.about(
        container,
        f"{container} {option.what}",
        {**evidence, option.source: option.value},
        onset=container.failed_first,
        variables={option.variable: option.undone} | compose_variables(container),
    )


def _could_not_execute(claim: Claim) -> bool:
    """Whether a shell was refused the execution of a path that its user may read and write."""
    code = claim.container.state.exit_code
    is_refused = claim.failure.name in ("path-denied", "script-not-executable")
    return is_refused and code == CANNOT_EXECUTE
