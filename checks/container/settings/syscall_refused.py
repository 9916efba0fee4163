"""container.syscall-refused: the seccomp filter refuses a system call that a program needs."""

from __future__ import annotations

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, PageVariables, Severity
from diagnose.registry import check

ID = "container.syscall-refused"
_OWN = "its own seccomp profile"
_ENGINES = "the engine's seccomp filter"
_KNOWS_CLONE3 = (20, 10, 10)
"""The first engine whose filter answers calls that it does not know as a kernel without them."""


@check(ID, severity=Severity.critical)
def syscall_refused(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    info: Info | None,
    ping: Ping | None,
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
            f"is refused a system call by {filter_in_force}: {_cause(claim, filter_in_force)}",
            {
                "seccomp": filter_in_force,
                "engine": engine or "unknown",
                "kernel": info.kernel_version if info is not None else "unknown",
            },
            touches=(DAEMON,),
            image=claim.container.config.image,
            **_cure(claim, filter_in_force, ping),
        )
    return None


def _cause(claim: Claim, filter_in_force: str) -> str:
    cause = claim.failure.cause
    return cause.replace(_ENGINES, "that profile") if filter_in_force == _OWN else cause


def _cure(claim: Claim, filter_in_force: str, ping: Ping | None) -> PageVariables:
    """A newer engine, or the engine's own filter where a profile of the container's is too old."""
    if filter_in_force != _OWN:
        return {"engines_filter": claim.container.name}
    knows = ping is not None and ping.version >= _KNOWS_CLONE3
    is_older = _ENGINES in claim.failure.cause
    return {"own_profile": claim.container.name} if knows and is_older else {}


def _filter(container: Container, info: Info | None) -> str:
    """Which seccomp filter is in force; "" for none, or where that is not known."""
    options = container.host_config.security_opt or []
    own = next((option.partition("=")[2] for option in options if option.startswith("seccomp")), "")
    if own == "unconfined" or container.host_config.privileged:
        return ""
    if own and own != "builtin":
        return _OWN
    is_on = info is not None and info.has_security("seccomp")
    return _ENGINES if is_on else ""
