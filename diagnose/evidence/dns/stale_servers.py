"""DNS servers that a container still asks and that the host has replaced. Pure."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import MAX_SERVERS, ResolvConf, Resolvers

UNKNOWN = "a server that the engine does not name"


class StaleServers(msgspec.Struct, frozen=True):
    """The outdated DNS servers of a container."""

    servers: tuple[str, ...]
    """All servers of the container; empty where the engine does not write them down."""
    old: tuple[str, ...]
    """The container's servers that the host does not use any more."""
    dead: tuple[str, ...]
    """The old ones that do not answer."""
    by_engine: bool
    """Whether it is the engine's resolver that asks them."""

    @property
    def is_silent(self) -> bool:
        return bool(self.dead)


def stale_servers(
    container: Container, resolvers: Resolvers, lookups: Lookups | None
) -> StaleServers | None:
    """None where nothing is stale, or a restart would not help."""
    conf = resolvers.inside.get(container.id)
    if conf is None or not conf.nameservers:
        return None
    if conf.is_embedded and conf.external is None:
        return _stale_unknown(container, lookups)
    servers = _servers_asked(conf)
    current = {*resolvers.engine_view, *resolvers.host_servers}
    old = tuple(server for server in servers if server not in current)
    silent = _silent_servers(container, conf, lookups).intersection(servers)
    dead = tuple(server for server in old if server in silent)
    fails_for_others = bool(silent) and not dead
    if not old or fails_for_others or not _restart_helps(container, resolvers, dead):
        return None
    return StaleServers(servers, old, dead, by_engine=conf.is_embedded)


def _stale_unknown(container: Container, lookups: Lookups | None) -> StaleServers | None:
    """The stale servers of an engine's resolver that does not name its own servers.

    Stale where it forwards no query, although the host's servers answer.
    """
    if lookups is None:
        return None
    reply = lookups.forwarded.get(container.id)
    if reply is None or reply.icmp is not None:
        return None
    is_lost = not reply.answered or reply.rcode == "SERVFAIL"
    if not is_lost or not any(answer.answered for answer in lookups.host.values()):
        return None
    return StaleServers((), (UNKNOWN,), (UNKNOWN,), by_engine=True)


def _restart_helps(container: Container, resolvers: Resolvers, dead: Sequence[str]) -> bool:
    """Whether a restart gives it servers that it can reach, or at least rids it of a dead one."""
    reachable = [
        server for server in resolvers.engine_view if container.has_ipv6 or ":" not in server
    ]
    return bool(reachable) or (bool(dead) and not resolvers.uses_fallback(container))


def _servers_asked(conf: ResolvConf) -> tuple[str, ...]:
    """The servers that answer a container in the end.

    Its own, or those that the engine's resolver passes queries on to.
    """
    if conf.is_embedded:
        return tuple(upstream.server for upstream in conf.external or ())
    return conf.nameservers[:MAX_SERVERS]


def _silent_servers(container: Container, conf: ResolvConf, lookups: Lookups | None) -> set[str]:
    """The servers that do not answer on the way that this container's queries take."""
    if lookups is None:
        return set()
    networks = tuple(sorted(container.endpoints))
    silent = {path.server for path in lookups.ways if path.networks == networks and path.fails}
    by_host = {upstream.server for upstream in conf.external or () if upstream.by_host}
    return silent.union(server for server in by_host if lookups.reaches(server) is False)
