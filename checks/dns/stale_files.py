"""Servers that the host has replaced since a container was started."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from checks.dns._fallback import uses_fallback
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import HOST_FILE, MAX_SERVERS, ResolvConf, Resolvers, resolving
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check("dns.stale-resolv-conf", severity=Severity.warning)
def stale_resolv_conf(
    containers: Containers, resolvers: Resolvers, lookups: Lookups | None
) -> CheckResult:
    """Running containers still use DNS servers that the host has since replaced.

    On the default network the engine copies the host's file when a container starts; on
    user-defined networks its resolver keeps the servers that the host had then. It is a warning
    where an old server does not answer any more, else advice, and then no cause of anything.
    Engines before 26 do not write down whom their resolver asks; it is stale if it passes on no
    query while the host's servers answer. A container that edits its own file looks the same if the
    host's file changed after its start. Where a restart would give it none of the host's new
    servers, because they are IPv6 and its network is not, it is better off with an old one that
    answers; so it is where a new one does not.
    """
    read = resolvers.engine_file
    changed = read.mtime if isinstance(read, ResolvConf) else None
    if not resolvers.engine_view or resolvers.configured or changed is None:
        return resolvers.host_unread
    yield from resolvers.unread
    for container in resolving(containers):
        started = container.started_at
        is_older = started is not None and started < changed
        if is_older and not resolvers.has_own_servers(container):
            stale = _stale(container, resolvers, lookups)
            if stale is not None:
                yield _finding(container, stale, resolvers)
    return None


class _Stale(msgspec.Struct, frozen=True):
    """The servers that a container still asks, and those of the old ones that do not answer."""

    servers: tuple[str, ...]
    old: tuple[str, ...]
    dead: tuple[str, ...]
    by_engine: bool

    @property
    def is_silent(self) -> bool:
        return bool(self.dead)


_UNKNOWN = "a server that the engine does not name"


def _stale(container: Container, resolvers: Resolvers, lookups: Lookups | None) -> _Stale | None:
    """What is stale about a container's servers.

    None where nothing is, or a restart would not help.
    """
    conf = resolvers.inside.get(container.id)
    if conf is None or not conf.nameservers:
        return None
    if conf.is_embedded and conf.external is None:
        is_lost = _forwards_to_nobody(container, lookups)
        return _Stale((), (_UNKNOWN,), (_UNKNOWN,), by_engine=True) if is_lost else None
    servers = _servers_asked(conf)
    current = {*resolvers.engine_view, *resolvers.host_servers}
    old = tuple(server for server in servers if server not in current)
    if not old:
        return None
    lost = _lost(container, servers, conf, lookups)
    dead = tuple(server for server in old if server in lost)
    would_be_given = _usable(container, resolvers.engine_view)
    restart_helps = bool(would_be_given) or (bool(dead) and not uses_fallback(container, resolvers))
    if (lost and not dead) or not restart_helps:
        return None
    return _Stale(servers, old, dead, by_engine=conf.is_embedded)


def _servers_asked(conf: ResolvConf) -> tuple[str, ...]:
    """The servers that answer a container in the end.

    Its own, or those that the engine's resolver passes queries on to.
    """
    if conf.is_embedded:
        return tuple(upstream.server for upstream in conf.external or ())
    return conf.nameservers[:MAX_SERVERS]


def _lost(
    container: Container, servers: tuple[str, ...], conf: ResolvConf, lookups: Lookups | None
) -> list[str]:
    """The servers that do not answer on the way that this container's queries take."""
    if lookups is None:
        return []
    networks = tuple(sorted(container.endpoints))
    silent = {path.server for path in lookups.ways if path.networks == networks and path.fails}
    by_host = {upstream.server for upstream in conf.external or () if upstream.by_host}
    return [
        server
        for server in servers
        if server in silent or (server in by_host and lookups.reaches(server) is False)
    ]


def _forwards_to_nobody(container: Container, lookups: Lookups | None) -> bool:
    """Whether the engine's resolver passes on no query, although the host's servers answer."""
    if lookups is None:
        return False
    reply = lookups.forwarded.get(container.id)
    is_lost = (
        reply is not None
        and (not reply.answered or reply.rcode == "SERVFAIL")
        and reply.icmp is None
    )
    return is_lost and any(answer.answered for answer in lookups.host.values())


def _finding(container: Container, stale: _Stale, resolvers: Resolvers) -> Finding:
    now = resolvers.engine_view
    who = f"the engine's resolver of {container}" if stale.by_engine else str(container)
    is_named = stale.old[0] != _UNKNOWN
    which = f"DNS server {stale.old[0]}, which" if is_named else "DNS servers that"
    return Finding.about(
        container,
        sentence(
            f"{who} still asks {which} the host has replaced by {now[0]}",
            "it does not answer any more" if stale.is_silent else "",
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


def _usable(container: Container, servers: Iterable[str]) -> list[str]:
    """The servers that the container's networks can reach.

    IPv6 servers only with an IPv6 address.
    """
    return [server for server in servers if container.has_ipv6 or ":" not in server]
