"""What resolv.conf says, on the host and in containers."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from checks.dns._groups import listed, touched
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import (
    FALLBACK,
    HOST_FILE,
    MAX_SERVERS,
    RESOLVED_FILE,
    ResolvConf,
    Resolvers,
    resolving,
)
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.routes import Routes
from diagnose.model import (
    HOST,
    CheckResult,
    Count,
    Finding,
    Severity,
    Skipped,
    Subject,
    Unavailable,
)
from diagnose.phrases import agree, count, sentence
from diagnose.registry import check


class _OnFallback(msgspec.Struct, frozen=True):
    """The containers that got no usable server from the host.

    The engine gave them its public servers, or none.

    lost: the groups of them that get no answer from these servers.
    """

    members: tuple[Container, ...]
    lost: tuple[QueryGroup, ...]

    @property
    def touches(self) -> tuple[Subject, ...]:
        """The containers, or whole networks where the fallback is dead.

        Others on a network may fail by servers of their own.
        """
        return tuple(
            dict.fromkeys((*touched(self.lost), *(member.subject for member in self.members)))
        )


def _on_fallback(
    containers: Containers | None, resolvers: Resolvers, lookups: Lookups | None
) -> _OnFallback:
    users = [] if containers is None else list(resolving(containers))
    members = tuple(container for container in users if _uses_fallback(container, resolvers))
    ids = {member.id for member in members}
    lost = [
        group
        for group in query_groups(containers, resolvers, lookups)
        if group.lost and not group.works and any(member.id in ids for member in group.members)
    ]
    return _OnFallback(members, tuple(lost))


def _uses_fallback(container: Container, resolvers: Resolvers) -> bool:
    conf = resolvers.inside.get(container.id)
    if conf is None or resolvers.has_own_servers(container):
        return False
    servers = resolvers.upstreams(container)
    foreign = [
        upstream.server in FALLBACK and upstream.server not in resolvers.engine_view
        for upstream in servers
    ]
    return conf.none_left or not servers or all(foreign)


def _servers_of(containers: Iterable[Container], resolvers: Resolvers) -> dict[str, list[str]]:
    """As evidence: the servers of some containers."""
    return {
        f"servers of {container.name}": [
            upstream.server for upstream in resolvers.upstreams(container)
        ]
        for container in list(containers)[:10]
    }


@check("dns.loopback-stub", severity=Severity.critical)
def loopback_stub(
    resolvers: Resolvers, lookups: Lookups | None, containers: Containers | None
) -> CheckResult:
    """The host's resolv.conf names only loopback servers, useless to containers.

    Engines then give containers 8.8.8.8. Harmless with systemd-resolved where its own file of real
    servers is there, with `dns` in the daemon's configuration, and on user-defined networks from
    engine 26 on, which ask the host's loopback from the host. It is critical where the fallback
    does not answer; advice where it does, since names of the company still fail.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(resolvers.host, Unavailable) or not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if resolvers.host.beyond_loopback or resolvers.engine_view or resolvers.configured:
        return None
    yield from resolvers.unread
    fallback = _on_fallback(containers, resolvers, lookups)
    is_harmless = containers is not None and any(resolving(containers)) and not fallback.members
    if is_harmless:
        return None
    yield Finding(
        subject=HOST,
        summary=(
            f"{HOST_FILE} names only {', '.join(resolvers.host_servers)}, "
            f"so {_given_instead(fallback, resolvers)}"
        ),
        evidence={
            f"{HOST_FILE} nameserver": list(resolvers.host_servers),
            RESOLVED_FILE: _shown(resolvers.resolved),
            "dns of the daemon": list(resolvers.configured),
            **_servers_of(fallback.members, resolvers),
        },
        variables={
            "server": resolvers.host_servers[0],
            **({"real_servers": RESOLVED_FILE} if _has_servers(resolvers.resolved) else {}),
        },
        severity=Severity.critical if fallback.lost else Severity.advice,
        touches=fallback.touches,
        signs=frozenset({"dns"}) if fallback.members else frozenset(),
    )
    return None


def _given_instead(fallback: _OnFallback, resolvers: Resolvers) -> str:
    """Whom containers ask in place of the host's own server, and whether it answers."""
    servers = [
        upstream.server for member in fallback.members for upstream in resolvers.upstreams(member)
    ]
    if not servers:
        return "the next container gets 8.8.8.8 instead"
    given = f"{listed(fallback.members)} got {servers[0]} instead"
    return sentence(given, f"{servers[0]} does not answer" if fallback.lost else "")


def _has_servers(conf: ResolvConf | Unavailable) -> bool:
    return isinstance(conf, ResolvConf) and bool(conf.nameservers)


def _shown(conf: ResolvConf | Unavailable) -> object:
    return list(conf.nameservers) if isinstance(conf, ResolvConf) else str(conf)


@check("dns.no-nameserver", severity=Severity.critical)
def no_nameserver(
    resolvers: Resolvers,
    lookups: Lookups | None,
    containers: Containers | Unavailable,
    ping: Ping | None,
    routes: Routes | None,
) -> CheckResult:
    """The host's resolv.conf is missing, empty, or a link to nothing.

    Engines before 28 hide it by 8.8.8.8, newer ones do so on the default bridge only: it is
    critical where containers are left without an answer, else a warning. On a host without any
    default route it is advice: it may be an island on purpose. A file of IPv6 servers alone names
    none to a container whose network has no IPv6; as the host itself resolves, it is advice where
    the fallback answers.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if resolvers.configured or (resolvers.host_servers and not resolvers.only_ipv6):
        return None
    if resolvers.only_ipv6 and isinstance(containers, Unavailable):
        return containers
    yield from resolvers.unread
    listed_containers = None if isinstance(containers, Unavailable) else containers
    fallback = _on_fallback(listed_containers, resolvers, lookups)
    if resolvers.only_ipv6 and not fallback.members:
        return None
    is_island = lookups is not None and lookups.island
    without = [member for member in fallback.members if not resolvers.upstreams(member)]
    is_harmful = bool(without or fallback.lost)
    file = HOST_FILE if resolvers.engine_file is resolvers.host else RESOLVED_FILE
    yield Finding(
        subject=HOST,
        summary=sentence(
            f"{file} {_lack(resolvers)}", _consequence(fallback, without, is_island=is_island)
        ),
        evidence={
            file: _shown(resolvers.engine_file),
            f"{HOST_FILE} is a link to": resolvers.dangling or None,
            "dns of the daemon": list(resolvers.configured),
            **_servers_of(fallback.members, resolvers),
        },
        variables=_remedies(resolvers, ping, routes),
        severity=_severity(resolvers, is_harmful=is_harmful, is_island=is_island),
        touches=fallback.touches,
        signs=frozenset({"dns"}),
    )
    return None


def _severity(resolvers: Resolvers, *, is_harmful: bool, is_island: bool) -> Severity:
    if is_harmful and not is_island:
        return Severity.critical
    return Severity.advice if is_island or resolvers.only_ipv6 else Severity.warning


def _lack(resolvers: Resolvers) -> str:
    if _only_link_local(resolvers):
        return (
            f"names only {', '.join(resolvers.engine_view)}, a link-local address "
            "that no container can reach"
        )
    if resolvers.only_ipv6:
        return (
            f"names only {', '.join(resolvers.engine_view)}, "
            "and networks without IPv6 get no IPv6 server"
        )
    if resolvers.dangling:
        return f"is a dangling link: its target {resolvers.dangling} does not exist"
    return "does not exist" if isinstance(resolvers.host, Unavailable) else "names no server"


def _only_link_local(resolvers: Resolvers) -> bool:
    """Whether all servers have addresses that mean a link of the host, as routers announce them."""
    servers = resolvers.engine_view
    return bool(servers) and all(server.lower().startswith("fe80:") for server in servers)


def _consequence(fallback: _OnFallback, without: list[Container], *, is_island: bool) -> str:
    if is_island:
        return "no default route leads out"
    if without:
        return f"{listed(without)} can resolve no names but those of containers"
    if not fallback.members:
        return ""
    dead = ", which does not answer" if fallback.lost else ""
    return f"{listed(fallback.members)} got 8.8.8.8 from the engine{dead}"


_IPV6_PREFIX = "fd00:d0c:e5::/64"
"""A unique local prefix for the default network; the engine masquerades it."""
_IP6TABLES_BY_DEFAULT = 27
"""The first engine that writes IPv6 rules without being configured to."""


def _remedies(resolvers: Resolvers, ping: Ping | None, routes: Routes | None) -> dict[str, str]:
    """Which of the page's remedies suits.

    IPv6 on the default network, the router's IPv4 address, a link to mend, or a file to write.
    """
    router = routes.default.gateway if routes is not None and routes.default is not None else None
    if _only_link_local(resolvers) and router is not None:
        return {"router": router, "router_json": json.dumps({"dns": [router]})}
    if not resolvers.only_ipv6 or _only_link_local(resolvers):
        has_resolved = "systemd/resolve" in resolvers.dangling
        return {"stub_unit": "systemd-resolved"} if has_resolved else {"file": HOST_FILE}
    config: dict[str, object] = {"ipv6": True, "fixed-cidr-v6": _IPV6_PREFIX}
    major = 0 if ping is None else ping.version[0]
    if major < _IP6TABLES_BY_DEFAULT:
        config |= {"ip6tables": True, "experimental": True}
    return {"ipv6_json": json.dumps(config)}


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
    restart_helps = bool(would_be_given) or (
        bool(dead) and not _uses_fallback(container, resolvers)
    )
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
    if stale.by_engine:
        who = f"the engine's resolver of {container}"
    else:
        who = str(container)
    return Finding.about(
        container,
        sentence(
            f"{who} still asks DNS server {stale.old[0]}, which the host has replaced by {now[0]}"
            if stale.old[0] != _UNKNOWN
            else f"{who} still asks DNS servers that the host has replaced by {now[0]}",
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
    has_ipv6 = any(endpoint.global_ipv6_address for endpoint in container.endpoints.values())
    return [server for server in servers if has_ipv6 or ":" not in server]


@check("dns.search-amplified", severity=Severity.advice, posture=True)
def search_amplified(
    containers: Containers,
    resolvers: Resolvers,
    *,
    max_search: Count = Count(3),
    max_ndots: Count = Count(1),
) -> CheckResult:
    """Each name that containers look up is tried under many search domains first.

    `ndots` above 1 or a long search list multiplies queries and lets a wildcard domain answer for a
    foreign name.
    """
    yield from resolvers.unread
    many: dict[tuple[int, tuple[str, ...]], list[Container]] = {}
    for container in resolving(containers):
        conf = resolvers.inside.get(container.id)
        if conf and conf.search and (len(conf.search) > max_search or conf.ndots > max_ndots):
            many.setdefault((conf.ndots, conf.search), []).append(container)
    for (ndots, search), affected in many.items():
        verb = agree(affected, "tries", "try")
        finding = Finding(
            subject=HOST if len(affected) > 1 else affected[0].subject,
            summary=f"{listed(affected)} {verb} {count(len(search), 'search domain')} first for "
            "every name with fewer than"
            f" {count(ndots, 'dot')} (ndots:{ndots})",
            evidence={
                "options ndots": ndots,
                "search": list(search),
                "containers": [container.name for container in affected],
            },
            variables={"container": affected[0].name},
            discriminator=f"{ndots},{len(search)}",
        )
        yield finding if len(affected) > 1 else replace(finding, service=affected[0].service)
    return None
