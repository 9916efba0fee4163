"""What resolv.conf says, on the host and in containers."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from checks.dns._groups import Group, groups, names, touched
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import (
    FALLBACK,
    HOST_FILE,
    MAX_SERVERS,
    RESOLVED_FILE,
    ResolvConf,
    Resolvers,
    resolving,
)
from diagnose.model import HOST, CheckItem, Count, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check


def _on_fallback(container: Container, resolvers: Resolvers) -> bool:
    """Whether the engine gave it its public fallback, or nothing, for want of a server of the host's."""
    conf = resolvers.inside.get(container.id)
    if conf is None or resolvers.has_own_servers(container):
        return False
    servers = resolvers.upstreams(container)
    foreign = [each.server in FALLBACK and each.server not in resolvers.engine_view for each in servers]
    return conf.none_left or not servers or all(foreign)


def _lost(ways: Iterable[Group], resolvers: Resolvers) -> list[Group]:
    """The groups that live on the fallback and get no answer from it."""
    return [
        group
        for group in ways
        if group.lost and not group.works and any(_on_fallback(each, resolvers) for each in group.members)
    ]


def _reached(lost: Iterable[Group], affected: Iterable[Container]) -> tuple[Subject, ...]:
    """Those on the fallback; whole networks only where it is dead, for others on them may fail by servers of their own."""
    return tuple(dict.fromkeys((*touched(lost), *(each.subject for each in affected))))


@check("dns.loopback-stub", severity=Severity.critical)
def loopback_stub(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterable[CheckItem] | Skipped | Unavailable:
    """The host's resolv.conf names only loopback servers, useless to containers.

    Engines then give containers 8.8.8.8. Harmless with systemd-resolved where its own file of real servers is
    there, with `dns` in the daemon's configuration, and on user-defined networks from engine 26 on, which ask
    the host's loopback from the host. It is critical where the fallback does not answer; advice where it
    does, since names of the company still fail.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(resolvers.host, Unavailable) or not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if resolvers.host.beyond_loopback or resolvers.engine_view or resolvers.configured:
        return ()
    return _stub(resolvers, lookups, containers)


def _stub(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterator[CheckItem]:
    yield from resolvers.unread
    listed = list(resolving(containers)) if isinstance(containers, Containers) else []
    affected = [each for each in listed if _on_fallback(each, resolvers)]
    if listed and not affected:
        return
    dead: list[Group] = []
    if isinstance(lookups, Lookups) and isinstance(containers, Containers):
        dead = _lost(groups(containers, resolvers, lookups), resolvers)
    servers = [each.server for one in affected for each in resolvers.upstreams(one)]
    given = f"{names(affected)} got {servers[0]} instead" if servers else "the next container gets 8.8.8.8 instead"
    yield Finding(
        subject=HOST,
        summary=f"{HOST_FILE} names only {', '.join(resolvers.host_servers)}: {given}"
        + (", which does not answer" if dead else ""),
        evidence={
            f"{HOST_FILE} nameserver": list(resolvers.host_servers),
            RESOLVED_FILE: _shown(resolvers.resolved),
            "dns of the daemon": list(resolvers.configured),
            **{
                f"resolv.conf of {each.name}": [one.server for one in resolvers.upstreams(each)]
                for each in affected[:10]
            },
        },
        variables={"server": resolvers.host_servers[0]},
        severity=Severity.critical if dead else Severity.advice,
        touches=_reached(dead, affected),
        signs=frozenset({"dns"}) if affected else frozenset(),
    )


def _shown(conf: ResolvConf | Unavailable) -> object:
    return list(conf.nameservers) if isinstance(conf, ResolvConf) else str(conf)


@check("dns.no-nameserver", severity=Severity.critical)
def no_nameserver(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterable[CheckItem] | Unavailable:
    """The host's resolv.conf is missing, empty, or a link to nothing.

    Engines before 28 hide it by 8.8.8.8, newer ones do so on the default bridge only: it is critical where
    containers are left without an answer, else a warning. On a host without any default route it is advice: it may be an island on
    purpose. A file of IPv6 servers alone names none to a container whose network has no IPv6; as the host itself resolves, it is
    advice where the fallback answers.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if resolvers.configured or (resolvers.host_servers and not resolvers.only_ipv6):
        return ()
    if resolvers.only_ipv6 and isinstance(containers, Unavailable):
        return containers
    return _nobody_to_ask(resolvers, lookups, containers)


def _nobody_to_ask(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterator[CheckItem]:
    yield from resolvers.unread
    listed = list(resolving(containers)) if isinstance(containers, Containers) else []
    affected = [each for each in listed if _on_fallback(each, resolvers)]
    if resolvers.only_ipv6 and not affected:
        return
    empty = [each for each in affected if not resolvers.upstreams(each)]
    dead: list[Group] = []
    if isinstance(lookups, Lookups) and isinstance(containers, Containers):
        dead = _lost(groups(containers, resolvers, lookups), resolvers)
    file = HOST_FILE if resolvers.engine_file is resolvers.host else RESOLVED_FILE
    if resolvers.only_ipv6:
        what = f"names only {', '.join(resolvers.engine_view)}, and networks without IPv6 get no IPv6 server"
    else:
        what = "does not exist" if isinstance(resolvers.host, Unavailable) else "names no server"
    then = ""
    if empty:
        then = f": {names(empty)} cannot resolve any name but those of containers"
    elif affected:
        then = f": 8.8.8.8 was given to {names(affected)}" + (", which does not answer" if dead else "")
    island = isinstance(lookups, Lookups) and lookups.island
    mild = Severity.advice if island or resolvers.only_ipv6 else Severity.warning
    yield Finding(
        subject=HOST,
        summary=f"{file} {what}" + (", and no default route leads out" if island else then),
        evidence={
            file: _shown(resolvers.engine_file),
            "dns of the daemon": list(resolvers.configured),
            **{f"servers of {each.name}": [one.server for one in resolvers.upstreams(each)] for each in affected[:10]},
        },
        severity=Severity.critical if (empty or dead) and not island else mild,
        touches=_reached(dead, affected),
        signs=frozenset({"dns"}),
    )


@check("dns.stale-resolv-conf", severity=Severity.warning)
def stale_resolv_conf(
    containers: Containers, resolvers: Resolvers, lookups: Lookups | Unavailable
) -> Generator[CheckItem, None, Unavailable | None]:
    """Running containers still use DNS servers that the host has since replaced.

    On the default bridge the engine copies the host's file when a container starts. It is a warning where an
    old server does not answer any more, else advice, and then no cause of anything. A container that edits its own file looks
    the same if the host's file changed after its start. Where a restart would give it none of the host's new servers, because
    they are IPv6 and its network is not, it is better off with an old one that answers; so it is where a new one does not.
    """
    now = resolvers.engine_view
    read = resolvers.engine_file
    changed = read.mtime if isinstance(read, ResolvConf) else None
    if not now or resolvers.configured or changed is None:
        return resolvers.host_unread
    yield from resolvers.unread
    ways = {(way.networks, way.server): way for way in lookups.ways} if isinstance(lookups, Lookups) else {}
    for each in resolving(containers):
        conf = resolvers.inside.get(each.id)
        if conf is None or conf.is_embedded or resolvers.has_own_servers(each) or not conf.nameservers:
            continue
        old = [server for server in conf.nameservers if server not in now]
        if not old or each.started_at is None or changed <= each.started_at:
            continue
        networks = tuple(sorted(each.endpoints))
        lost = [
            server for server in conf.nameservers[:MAX_SERVERS] if (way := ways.get((networks, server))) and way.fails
        ]
        dead = [server for server in old if server in lost]
        if (lost and not dead) or (not _usable(each, now) and (not dead or _on_fallback(each, resolvers))):
            continue
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} still asks DNS server {old[0]}, which the host replaced by {now[0]}"
            + ("; it does not answer any more" if dead else ""),
            evidence={
                "ResolvConfPath nameserver": list(conf.nameservers),
                f"{HOST_FILE} nameserver": list(now),
                "State.StartedAt": each.state.started_at,
            },
            variables={"container": each.name},
            severity=Severity.warning if dead else Severity.advice,
            signs=frozenset({"dns"}) if dead else None,
            stable=(each.life,),
            service=each.service,
        )
    return None


def _usable(container: Container, servers: Iterable[str]) -> list[str]:
    """Those that its networks can reach: IPv6 servers only with an IPv6 address."""
    has_ipv6 = any(each.global_ipv6_address for each in container.endpoints.values())
    return [each for each in servers if has_ipv6 or ":" not in each]


@check("dns.search-amplified", severity=Severity.advice, posture=True)
def search_amplified(
    containers: Containers, resolvers: Resolvers, *, max_search: Count = Count(3), max_ndots: Count = Count(1)
) -> Iterable[CheckItem]:
    """Each name that containers look up is tried under many search domains first.

    `ndots` above 1 or a long search list multiplies queries and lets a wildcard domain answer for a foreign
    name.
    """
    yield from resolvers.unread
    many: dict[tuple[int, tuple[str, ...]], list[Container]] = {}
    for each in resolving(containers):
        conf = resolvers.inside.get(each.id)
        if conf and conf.search and (len(conf.search) > max_search or conf.ndots > max_ndots):
            many.setdefault((conf.ndots, conf.search), []).append(each)
    for (ndots, search), affected in many.items():
        yield Finding(
            subject=HOST if len(affected) > 1 else affected[0].subject,
            summary=f"{names(affected)} try {len(search)} search domains for each name of up to {ndots} dots",
            evidence={"options ndots": ndots, "search": list(search), "containers": [each.name for each in affected]},
            variables={"container": affected[0].name},
            discriminator=f"{ndots},{len(search)}",
        )
