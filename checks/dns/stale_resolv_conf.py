"""Servers that the host has replaced since a container was started."""

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import HOST_FILE, ResolvConf, Resolvers, resolving_containers
from diagnose.evidence.dns.stale_servers import UNKNOWN, StaleServers, stale_servers
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted, sentence
from diagnose.registry import check


@check("dns.stale-resolv-conf", severity=Severity.warning, causes=["container.errors-in-log"])
def stale_resolv_conf(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups | None,
    repeated_errors: RepeatedErrors | None,
) -> CheckResult:
    """Running containers still use DNS servers that the host has since replaced.

    On the default network the engine copies the host's file when a container starts; on
    user-defined networks its resolver keeps the servers that the host had then.

    It is a warning where an old server does not answer any more, or where the container's log
    repeats that a name does not resolve: the old server may not know the names of this network.
    Else it is advice, and then no cause of anything. Engines before 26 do not write down whom their
    resolver asks; it is stale if it passes on no query while the host's servers answer.

    A container that edits its own file looks the same if the host's file changed after its start. A
    container is better off with an old server that answers where a restart would give it none: the
    new servers are IPv6 and its network is not, or they do not answer.
    """
    read = resolvers.engine_file
    changed = read.mtime if isinstance(read, ResolvConf) else None
    if not resolvers.engine_view or resolvers.configured or changed is None:
        return resolvers.host_unread
    yield from resolvers.unread
    failed_names = {
        error.container.id: error
        for error in repeated_errors or ()
        if "dns" in signs(error.line.whole)
    }
    for container in resolving_containers(containers):
        started = container.started_at
        is_older = started is not None and started < changed
        if is_older and not resolvers.has_own_servers(container):
            stale = stale_servers(container, resolvers, lookups)
            if stale is not None:
                yield _finding(container, stale, resolvers, failed_names.get(container.id))


def _finding(
    container: Container,
    stale: StaleServers,
    resolvers: Resolvers,
    failed_name: RepeatedError | None,
) -> Finding:
    """failed_name: a line of its log that repeats, and says that a name does not resolve."""
    is_harmful = stale.is_silent or failed_name is not None
    log = {"log": quoted(failed_name.line.whole)} if failed_name is not None else {}
    return Finding.about(
        container,
        sentence(
            _asked_servers(container, stale, resolvers),
            "the old server no longer answers" if stale.is_silent else "",
            "its log repeats that a name does not resolve" if failed_name is not None else "",
        ),
        {
            **log,
            "servers of the container": list(stale.servers) or "not written down by this engine",
            f"{HOST_FILE} nameserver": list(resolvers.engine_view),
            "State.StartedAt": container.state.started_at,
        },
        severity=Severity.warning if is_harmful else Severity.advice,
        signs=frozenset({"dns"}) if is_harmful else None,
        recheck=(container.run,),
    )


def _asked_servers(container: Container, stale: StaleServers, resolvers: Resolvers) -> str:
    """The clause about the servers that are asked, and those of the host now."""
    asker = f"the engine's resolver of {container}" if stale.by_engine else str(container)
    server = resolvers.engine_view[0]
    if stale.old[0] == UNKNOWN:
        return f"{asker} still asks DNS servers that the host has replaced by {server}"
    asks = f"{asker} still asks DNS server {stale.old[0]}, which"
    conf = resolvers.inside.get(container.id)
    if conf is not None and conf.has_defaults:
        return (
            f"{asks} the engine gave it since the host had no DNS server when it started; "
            f"the host has {server} now"
        )
    return f"{asks} the host has replaced by {server}"
