"""container.syscall-refused: the seccomp filter refuses a system call that a program needs."""

import json

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.seccomp import is_unfiltered, own_profile
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, PageVariables, Severity
from diagnose.registry import check

ID = "container.syscall-refused"
_OWN = "its own seccomp profile"
_ENGINES = "the engine's seccomp filter"
_KEY = "seccomp-profile"
_DEFAULTS = frozenset({"", "builtin", "default"})
"""Names of the engine's own filter in /info."""
_KNOWS_CLONE3 = (20, 10, 10)
"""The first engine whose filter answers unknown system calls like a kernel without them."""


@check(ID, severity=Severity.critical)
def syscall_refused(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    info: Info | None,
    ping: Ping | None,
    config: DaemonConfig | None,
) -> CheckResult:
    """The seccomp filter refuses a system call that a container's program needs.

    The log shows the failure that a refused call brings (no thread can be started, the time cannot
    be read), and a filter is in force for this container: the engine's own, a profile that the
    engine gives to every container, or the one that it was created with. A newer C library asks for
    calls that an older filter does not know; such calls get "Operation not permitted" where a
    kernel without them says "not implemented".
    """
    for claim in claims(ID, containers, log_tails, clock):
        filter_in_force = _filter(claim.container, info)
        if not filter_in_force:
            continue
        engine = info.server_version if info is not None else ""
        yield claim.finding(
            f"fails at {filter_in_force}: {_cause(claim, filter_in_force)}",
            {
                "seccomp": filter_in_force,
                "engine": engine or "unknown",
                "kernel": info.kernel_version if info is not None else "unknown",
            },
            touches=(DAEMON,),
            variables={
                "image": claim.container.config.image,
                **_cure(claim, filter_in_force, ping, config),
            },
        )


def _cause(claim: Claim, filter_in_force: str) -> str:
    cause = claim.failure.cause
    return cause if filter_in_force == _ENGINES else cause.replace(_ENGINES, "that profile")


def _cure(
    claim: Claim, filter_in_force: str, ping: Ping | None, config: DaemonConfig | None
) -> PageVariables:
    """The page variables of a newer engine, or of the engine's own filter in place of a profile
    that is too old."""
    name = claim.container.name
    if filter_in_force == _ENGINES:
        return {"engines_filter": name}
    knows = ping is not None and ping.version >= _KNOWS_CLONE3
    if not knows or _ENGINES not in claim.failure.cause:
        return {}
    if filter_in_force == _OWN:
        return {"own_profile": name}
    is_in_file = config is not None and config.where(_KEY) == config.path
    return {"profile_json": json.dumps({_KEY: None}), "profiled": name} if is_in_file else {}


def _filter(container: Container, info: Info | None) -> str:
    """The seccomp filter that is in force; "" for none, or where that is not known."""
    if is_unfiltered(container, info):
        return ""
    if own_profile(container) not in ("", "builtin"):
        return _OWN
    profile = info.seccomp_profile if info is not None else None
    if profile is None:
        return ""
    if profile in _DEFAULTS:
        return _ENGINES
    return f"the seccomp profile {profile}, which the engine gives to every container"
