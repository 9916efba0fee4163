"""Servers that the host has replaced since a container was started."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import HOST_FILE, ResolvConf, Resolvers, resolving_containers
from diagnose.evidence.dns.stale_servers import UNKNOWN, StaleServers, stale_servers
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check("dns.stale-resolv-conf", severity=Severity.warning)
def stale_resolv_conf(
    containers: Containers, resolvers: Resolvers, lookups: Lookups | None
) -> CheckResult:
    """Running containers still use DNS servers that the host has since replaced.

    On the default network the engine copies the host's file when a container starts; on
    user-defined networks its resolver keeps the servers that the host had then.

    It is a warning where an old server does not answer any more, else advice, and then no cause of
    anything. Engines before 26 do not write down whom their resolver asks; it is stale if it passes
    on no query while the host's servers answer.

    A container that edits its own file looks the same if the host's file changed after its start. A
    container is better off with an old server that answers where a restart would give it none: the
    new servers are IPv6 and its network is not, or they do not answer.
    """
    read = resolvers.engine_file
    changed = read.mtime if isinstance(read, ResolvConf) else None
    if not resolvers.engine_view or resolvers.configured or changed is None:
        return resolvers.host_unread
    yield from resolvers.unread
    for container in resolving_containers(containers):
        started = container.started_at
        is_older = started is not None and started < changed
        if is_older and not resolvers.has_own_servers(container):
            stale = stale_servers(container, resolvers, lookups)
            if stale is not None:
                yield _finding(container, stale, resolvers)


def _finding(container: Container, stale: StaleServers, resolvers: Resolvers) -> Finding:
    now = resolvers.engine_view
    asker = f"the engine's resolver of {container}" if stale.by_engine else str(container)
    is_named = stale.old[0] != UNKNOWN
    old_servers = f"DNS server {stale.old[0]}, which" if is_named else "DNS servers that"
    return Finding.about(
        container,
        sentence(
            f"{asker} still asks {old_servers} the host has replaced by {now[0]}",
            "the old server no longer answers" if stale.is_silent else "",
        ),
        {
            "servers of the container": list(stale.servers) or "not written down by this engine",
            f"{HOST_FILE} nameserver": list(now),
            "State.StartedAt": container.state.started_at,
        },
        severity=Severity.warning if stale.is_silent else Severity.advice,
        signs=frozenset({"dns"}) if stale.is_silent else None,
        stable=(container.life,),
    )
