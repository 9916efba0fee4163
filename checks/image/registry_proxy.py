"""image.registry-proxy: the proxy on the way to a registry fails or refuses."""

from checks.image.failed_pulls import FailedPulls
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.images.pulls.registry_names import is_public
from diagnose.evidence.machine.clock import Clock
from diagnose.first_steps.engine.registry_proxy import (
    ProxyOfEngine,
    exception_variables,
    takes_exceptions,
    without_proxy,
)
from diagnose.model import CheckResult, Count, Seconds, Severity
from diagnose.registry import check


@check("image.registry-proxy", severity=Severity.warning)
def registry_proxy(
    pulls: Pulls,
    clock: Clock,
    info: Info | None,
    ping: Ping | None,
    config: DaemonConfig | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """The proxy that the daemon is configured to use makes pulls fail.

    The daemon's proxy is that of its own environment or `proxies` in daemon.json (from engine
    23.0), not that of a shell in which curl works. A proxy that cannot reach a registry of the
    company's own network answers with a status of its own: `NO_PROXY` has to name that registry.
    The scheme in the proxy's address says how the proxy itself is called: with `https` a proxy that
    speaks plain HTTP, as most do, looks broken.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    proxy = ProxyOfEngine.of(info)
    for trouble in pulls.of("proxy"):
        status = proxy.status_in(trouble)
        may_be_near = bool(status) and not is_public(trouble.registry)
        variables = without_proxy(trouble.host, config)
        if may_be_near and takes_exceptions(ping):
            variables = exception_variables(trouble.registry, proxy, config)
        if proxy.speaks_plainly(trouble):
            variables = proxy.plain_steps(trouble, config)
        yield failures.finding(
            trouble,
            proof=proxy.proof,
            reason=proxy.reason(status, trouble),
            clause=_MAY_BE_NEAR if may_be_near else "",
            variables=variables | proxy.place,
        )


_MAY_BE_NEAR = "; if the registry is on your own network, NO_PROXY has to name it"
