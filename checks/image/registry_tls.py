"""image.registry-tls: a registry's certificate is not trusted, or it does not speak TLS."""

import json

from checks.image.failed_pulls import FailedPulls
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.certificate_refusals import later_authorities, refusal_of
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.registry_files import RegistryFiles
from diagnose.evidence.images.pulls.registry_names import with_port
from diagnose.evidence.machine.clock import Clock
from diagnose.first_steps.engine.registry_proxy import ProxyOfEngine
from diagnose.model import CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.registry import check

INSECURE = "insecure-registries"


@check("image.registry-tls", severity=Severity.warning, observed=True)
def registry_tls(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    info: Info | None,
    files: RegistryFiles | None,
    daemon: Daemon | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry's certificate is not trusted, or it does not speak TLS at all.

    A registry of the internet has a certificate that every system knows: a stranger's in its place
    is from a proxy that opens TLS, unless the system has no list of authorities. The engine reads
    that list only once: an authority that was added later counts from its next start on.
    127.0.0.0/8 is always taken without TLS. The first question to an insecure registry is sent with
    TLS and fails; that line of the log is not a failure and is left out. A registry that the engine
    takes without TLS by now has no more such failures.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    proxy = ProxyOfEngine.of(info)
    later = later_authorities(files, daemon, clock)
    for trouble in pulls.of("tls"):
        host = trouble.host
        by_proxy = proxy.is_used_for(host)
        endpoint = {"registry": host, "proxied" if by_proxy else "endpoint": with_port(host)}
        cause = refusal_of(trouble, files, later)
        yield failures.finding(
            trouble,
            variables=endpoint | (proxy.place if by_proxy else {}) | cause.variables,
            reason=cause.reason,
            clause=cause.clause,
            proof={**cause.proof, **(proxy.proof if by_proxy else {})},
        )
    for trouble in pulls.of("plain-http"):
        if not _is_taken_without_tls(trouble.host, info):
            yield _plain_http_finding(failures, trouble, config, info)


def _plain_http_finding(
    failures: FailedPulls, trouble: PullTrouble, config: DaemonConfig | None, info: Info | None
) -> Finding:
    """The finding about a registry without TLS, which the engine's file may name already."""
    host = trouble.host
    clause = "; the registry speaks plain HTTP"
    if config is None or config.pid is None or not _is_unread(host, config, info):
        variables = {"registry": host} | _insecure_registry(host, config)
        return failures.finding(trouble, variables=variables, clause=clause)
    return failures.finding(
        trouble,
        variables={"registry": host, "unread": str(config.pid)},
        proof={f"{config.path} {INSECURE}": config.in_file(INSECURE)},
        clause=f"{clause}, and {config.path} names it in {INSECURE}, "
        "but the engine has not read that file since",
    )


def _insecure_registry(host: str, config: DaemonConfig | None) -> PageVariables:
    """The page variables that add a registry to those without TLS; empty where `dockerd` has
    them as options."""
    if config is None or INSECURE in config.flags:
        return {}
    listed = config.in_file(INSECURE)
    known_registries = listed if isinstance(listed, list) else []
    return {"insecure_json": json.dumps({INSECURE: [*known_registries, host]})}


def _is_taken_without_tls(host: str, info: Info | None) -> bool:
    """Whether the running engine asks this registry without TLS."""
    registries = info.registry_config if info is not None else None
    index = (registries.index_configs or {}).get(host) if registries is not None else None
    return index is not None and not index.secure


def _is_unread(host: str, config: DaemonConfig, info: Info | None) -> bool:
    """Whether the file names the registry as insecure, and the running engine does not."""
    in_file = config.in_file(INSECURE)
    if info is None or not isinstance(in_file, list) or host not in in_file:
        return False
    in_force = info.registry_config.index_configs if info.registry_config is not None else None
    return in_force is not None and host not in in_force
