"""container.syscall-refused: the seccomp filter refuses a system call that a program needs."""

from __future__ import annotations

from checks.container.confirmed import claims
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, Severity
from diagnose.registry import check

ID = "container.syscall-refused"


@check(ID, severity=Severity.critical)
def syscall_refused(
    containers: Containers, clock: Clock, log_tails: LogTails, info: Info | None
) -> CheckResult:
    """The seccomp filter refuses a system call that a container's program needs.

    The log shows the failure that a refused call brings (no thread can be started, the time cannot
    be read), and a filter is in force for this container: the engine's own, or the profile that it
    was created with. A newer C library asks for calls that an older engine's filter does not know;
    such calls get "Operation not permitted" where a kernel without them says "not implemented".
    """
    for claim in claims(ID, containers, log_tails, clock):
        filter_in_force = _filter(claim.container, info)
        if not filter_in_force:
            continue
        engine = info.server_version if info is not None else ""
        yield claim.finding(
            f"is refused a system call by {filter_in_force}: {claim.failure.cause}",
            {
                "seccomp": filter_in_force,
                "engine": engine or "unknown",
                "kernel": info.kernel_version if info is not None else "unknown",
            },
            touches=(DAEMON,),
            image=claim.container.config.image,
        )
    return None


def _filter(container: Container, info: Info | None) -> str:
    """Which seccomp filter is in force; "" for none, or where that is not known."""
    options = container.host_config.security_opt or []
    own = next((option.partition("=")[2] for option in options if option.startswith("seccomp")), "")
    if own == "unconfined" or container.host_config.privileged:
        return ""
    if own and own != "builtin":
        return "its own seccomp profile"
    is_on = info is not None and info.has_security("seccomp")
    return "the engine's seccomp filter" if is_on else ""
