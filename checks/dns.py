"""Name resolution: the host's own, and the way from containers to the servers they ask."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.dns_path import DnsPath
from diagnose.evidence.lookups import Lookups, Reply
from diagnose.evidence.namespaces import Namespaces
from diagnose.evidence.resolvers import (
    EMBEDDED,
    FALLBACK,
    HOST_FILE,
    RESOLVED_FILE,
    ResolvConf,
    Resolvers,
    Upstream,
    resolving,
)
from diagnose.model import DAEMON, HOST, Count, Finding, Severity, Skipped, Subject, Unavailable, Yield
from diagnose.registry import check

_LOST = ["dns.host-broken", "dns.udp-blocked", "dns.loopback-stub", "dns.no-nameserver", "dns.stale-resolv-conf"]
_FIREWALL = [
    "firewall.chains-missing",
    "firewall.masquerade-missing",
    "firewall.forwarding-off",
    "firewall.forward-dropped",
]
_NETWORK = ["network.bridge-down", "network.veth-detached", "network.subnet-overlaps-route", "network.conntrack-full"]


@dataclass(frozen=True)
class _Group:
    """Containers whose questions take the same way to the same servers. replies: what came back from each,
    None if not asked."""

    subject: Subject
    networks: tuple[str, ...]
    members: tuple[Container, ...]
    replies: tuple[tuple[Upstream, Reply | None], ...]

    @property
    def lost(self) -> tuple[tuple[Upstream, Reply], ...]:
        return tuple((each, reply) for each, reply in self.replies if reply is not None and not reply.answered)

    @property
    def works(self) -> bool:
        """Whether some server answers."""
        return any(reply is not None and reply.answered for _, reply in self.replies)


def _groups(containers: Containers, resolvers: Resolvers, lookups: Lookups) -> Iterator[_Group]:
    """The running containers with a way out, by network and servers; one with servers of its own stands
    alone."""
    inside = {(way.networks, way.server): way for way in lookups.ways}
    closed = {each.id for each in lookups.closed}
    outward = {each.id: way.networks for way in lookups.ways for each in way.members}
    found: dict[tuple[Subject, tuple[str, ...], tuple[Upstream, ...]], list[Container]] = {}
    for each in resolving(containers):
        servers = resolvers.upstreams(each)
        if each.id in closed or not servers:
            continue
        networks = outward.get(each.id, tuple(sorted(each.endpoints)))
        subject = each.subject if resolvers.has_own_servers(each) else Subject("network", networks[0])
        found.setdefault((subject, networks, servers), []).append(each)
    for (subject, networks, servers), members in found.items():
        replies: list[tuple[Upstream, Reply | None]] = []
        for server in servers:
            way = inside.get((networks, server.server))
            if server.by_host:
                replies.append((server, lookups.host.get(server.server)))
            elif way is not None:
                best = next((reply for _, reply in way.asked if reply.answered), way.asked[0][1])
                replies.append((server, best))
            else:
                replies.append((server, None))
        yield _Group(subject, networks, tuple(members), tuple(replies))


def _unasked(why: Unavailable) -> Skipped | Unavailable:
    """What a check says that stands on replies when there are none: without probes it does not apply, by the user's own wish."""
    return Skipped(why.detail) if why.reason == "not allowed" else why


def _names(containers: Sequence[Container], most: int = 3) -> str:
    listed = [each.short for each in containers]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _touched(groups: Iterable[_Group]) -> tuple[Subject, ...]:
    """The networks and containers of these groups: what a fault of their servers reaches."""
    found: dict[Subject, None] = {}
    for group in groups:
        found |= dict.fromkeys(Subject("network", each) for each in group.networks)
        found |= dict.fromkeys(each.subject for each in group.members)
    return tuple(found)


@check("dns.upstream-unreachable", severity=Severity.critical, caused_by=[*_LOST, *_FIREWALL, *_NETWORK, "daemon.hung"])
def upstream_unreachable(
    containers: Containers, resolvers: Resolvers, lookups: Lookups | Unavailable, dns_path: DnsPath | Unavailable
) -> Iterable[Yield] | Skipped | Unavailable:
    """Queries of containers do not reach their DNS server.

    Silence means two queries lost 1.2 s apart; any reply, also an error, proves that the server is reachable
    and no more. The host asks the same server, which tells where the query is lost. Containers on internal
    networks alone have no way out by design.
    """
    if isinstance(lookups, Unavailable):
        return _unasked(lookups)
    groups = list(_groups(containers, resolvers, lookups))
    if not groups and not lookups.unasked:
        if lookups.closed:
            return Skipped("running containers are on internal networks only")
        return Skipped("no running container asks a DNS server by a network of its own")
    rules = dns_path.blocked if isinstance(dns_path, DnsPath) else {}
    return (*(_unreachable(group, lookups, rules) for group in groups if group.lost), *lookups.unasked)


def _unreachable(group: _Group, lookups: Lookups, rules: Mapping[tuple[str, str], str]) -> Finding:
    upstream, reply = group.lost[0]
    server = upstream.server
    who = group.members[0]
    asked = len(group.replies)
    evidence: dict[str, object] = {}
    for each, said in group.replies:
        way = "host" if each.by_host else f"network {'+'.join(group.networks)}"
        evidence[f"DNS server {each.server} asked from {way}"] = str(said) if said else "not asked"
        if not each.by_host and each.server in lookups.host:
            evidence[f"DNS server {each.server} asked from host"] = str(lookups.host[each.server])
    stopped = next((rule for name in group.networks if (rule := rules.get((name, server)))), None)
    if stopped:
        evidence["stopped by"] = stopped
    evidence["containers"] = [each.short for each in group.members]
    return Finding(
        subject=group.subject,
        summary=f"DNS server {server} of {_names(group.members)}: {reply}; {_hop(group, upstream, reply, lookups, stopped)}"
        + (f"; {asked - len(group.lost)} other of its {asked} servers answers" if group.works else ""),
        evidence=evidence,
        variables={"container": who.short, "server": server, "network": group.networks[0]},
        discriminator=",".join(each.server for each, _ in group.lost),
        severity=_degraded(reply for _, reply in group.lost) if group.works else Severity.critical,
        touches=_touched([group]),
        signs=frozenset({"dns"}),
        stable=(who.life,),
        service=who.service if group.subject.kind == "container" else "",
    )


def _degraded(lost: Iterable[Reply]) -> Severity:
    """How bad a lost server is while another answers: silence costs five seconds a look-up, a refusal nothing."""
    return Severity.warning if any(reply.icmp is None for reply in lost) else Severity.advice


def _hop(group: _Group, upstream: Upstream, reply: Reply, lookups: Lookups, stopped: str | None) -> str:
    """Where the query is lost, as far as the host's own query tells."""
    if upstream.by_host:
        return "the engine asks from the host, so the fault lies beyond the containers"
    if reply.icmp == "refused":
        return "the machine is reachable"
    if stopped:
        return f"the host's packet filter stops it: {stopped}"
    reaches = lookups.reaches(upstream.server)
    if reaches is None:
        return "the host did not ask it"
    if reaches:
        return f"the host itself gets an answer, so it is lost between network {group.networks[0]} and the uplink"
    return "the host itself gets no answer either"


@check(
    "dns.host-broken", severity=Severity.critical, caused_by=["network.subnet-overlaps-route", "network.conntrack-full"]
)
def host_broken(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterable[Finding] | Skipped | Unavailable:
    """The host's own DNS servers do not answer it.

    One silent server among several is a warning: each look-up that tries it first waits five seconds; one that refuses costs
    nothing and is advice. Names
    that the user says must resolve are asked too; only for them does an error of the server count.
    """
    if not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if isinstance(lookups, Unavailable):
        return _unasked(lookups)
    return _broken(resolvers, lookups, containers)


def _broken(resolvers: Resolvers, lookups: Lookups, containers: Containers | Unavailable) -> Iterator[Finding]:
    dead = [
        server
        for server in resolvers.host_servers
        if (reply := lookups.host.get(server)) and not reply.answered and not _by_tcp(lookups, server)
    ]
    groups = list(_groups(containers, resolvers, lookups)) if isinstance(containers, Containers) else []
    if dead:
        others = [each for each in resolvers.host_servers if each not in dead and each in lookups.host]
        hit = [group for group in groups if any(each.server in dead for each, _ in group.replies)]
        yield Finding(
            subject=HOST,
            summary=f"DNS server {dead[0]} of the host: {lookups.host[dead[0]]}"
            + (f", {len(dead) - 1} more like it" if len(dead) > 1 else "")
            + (f"; {others[0]} answers" if others else "; no other is configured"),
            evidence={
                f"{HOST_FILE} nameserver": list(resolvers.host_servers),
                **{f"DNS server {each} asked from host": str(reply) for each, reply in lookups.host.items()},
            },
            variables={"server": dead[0]},
            severity=_degraded(lookups.host[each] for each in dead) if others else Severity.critical,
            # The daemon looks registries up by the host's resolver.
            touches=(DAEMON, *_touched(hit)),
            signs=frozenset({"dns"}),
        )
    for (name, server), reply in lookups.names.items():
        if reply.answered and not (reply.rcode == "NOERROR" and reply.answers):
            yield Finding(
                subject=HOST,
                summary=f"{name} does not resolve: {server} says {reply.rcode}"
                + ("" if reply.answers else ", no address"),
                evidence={f"{name} A at {server}": str(reply)},
                variables={"server": server},
                discriminator=name,
                signs=frozenset({"dns"}),
            )


def _by_tcp(lookups: Lookups, server: str) -> bool:
    reply = lookups.tcp.get(server)
    return reply is not None and reply.answered


@check("dns.udp-blocked", severity=Severity.critical)
def udp_blocked(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Generator[Finding, None, Skipped | Unavailable | None]:
    """A DNS server answers over TCP while UDP queries to it are lost.

    A firewall between the host and the server passes TCP 53 and drops UDP 53: all programs ask by UDP first.
    """
    if isinstance(lookups, Unavailable):
        return _unasked(lookups)
    groups = list(_groups(containers, resolvers, lookups)) if isinstance(containers, Containers) else []
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        used_by_host = server in resolvers.host_servers
        alone = resolvers.host_servers == (server,) or not any(lookups.reaches(each) for each in resolvers.host_servers)
        hit = [group for group in groups if any(each.server == server for each, _ in group.replies)]
        yield Finding(
            subject=HOST,
            summary=f"DNS server {server} answers over TCP, but UDP queries to it are lost",
            evidence={
                f"{server} by UDP from host": str(lookups.host[server]),
                f"{server} by TCP from host": str(reply),
            },
            variables={"server": server},
            discriminator=server,
            severity=Severity.critical if not used_by_host or alone else Severity.warning,
            touches=_touched(hit),
            signs=frozenset({"dns"}),
        )
    return None


def _on_fallback(container: Container, resolvers: Resolvers) -> bool:
    """Whether the engine gave it its public fallback, or nothing, for want of a server of the host's."""
    conf = resolvers.inside.get(container.id)
    if conf is None or resolvers.has_own_servers(container):
        return False
    servers = resolvers.upstreams(container)
    return conf.none_left or not servers or all(each.server in FALLBACK for each in servers)


def _fallback(groups: Iterable[_Group], resolvers: Resolvers) -> tuple[list[_Group], bool]:
    """The groups that live on the fallback, and whether one of them gets no answer from it."""
    hit = [group for group in groups if any(_on_fallback(each, resolvers) for each in group.members)]
    return hit, any(group.lost and not group.works for group in hit)


@check("dns.loopback-stub", severity=Severity.critical)
def loopback_stub(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterable[Yield] | Skipped:
    """The host's resolv.conf names only loopback servers, useless to containers.

    Engines then give containers 8.8.8.8. Harmless with systemd-resolved where its own file of real servers is
    there, with `dns` in the daemon's configuration, and on user-defined networks from engine 26 on, which ask
    the host's loopback from the host. It is critical where the fallback does not answer; advice where it
    does, since names of the company still fail.
    """
    if isinstance(resolvers.host, Unavailable) or not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if resolvers.host.beyond_loopback or resolvers.engine_view or resolvers.configured:
        return ()
    return _stub(resolvers, lookups, containers)


def _stub(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterator[Yield]:
    yield from resolvers.unread
    listed = list(resolving(containers)) if isinstance(containers, Containers) else []
    affected = [each for each in listed if _on_fallback(each, resolvers)]
    if listed and not affected:
        return
    hit: list[_Group] = []
    dead = False
    if isinstance(lookups, Lookups) and isinstance(containers, Containers):
        hit, dead = _fallback(_groups(containers, resolvers, lookups), resolvers)
    servers = [each.server for one in affected for each in resolvers.upstreams(one)]
    given = f"{_names(affected)} got {servers[0]} instead" if servers else "the next container gets 8.8.8.8 instead"
    yield Finding(
        subject=HOST,
        summary=f"{HOST_FILE} names only {', '.join(resolvers.host_servers)}: {given}"
        + (", which does not answer" if dead else ""),
        evidence={
            f"{HOST_FILE} nameserver": list(resolvers.host_servers),
            RESOLVED_FILE: _shown(resolvers.resolved),
            "dns of the daemon": list(resolvers.configured),
            **{
                f"resolv.conf of {each.short}": [one.server for one in resolvers.upstreams(each)]
                for each in affected[:10]
            },
        },
        variables={"server": resolvers.host_servers[0]},
        severity=Severity.critical if dead else Severity.advice,
        touches=_touched(hit) or tuple(each.subject for each in affected),
        signs=frozenset({"dns"}) if affected else frozenset(),
    )


def _shown(conf: ResolvConf | Unavailable) -> object:
    return list(conf.nameservers) if isinstance(conf, ResolvConf) else str(conf)


@check("dns.no-nameserver", severity=Severity.critical)
def no_nameserver(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterable[Yield] | Unavailable:
    """The host's resolv.conf is missing, empty, or a link to nothing.

    Engines before 28 hide it by 8.8.8.8, newer ones do so on the default bridge only: it is critical where
    containers are left without an answer, else a warning.
    """
    if isinstance(resolvers.host, Unavailable) and resolvers.host.reason != "missing":
        return resolvers.host
    if resolvers.host_servers or resolvers.configured:
        return ()
    return _nobody_to_ask(resolvers, lookups, containers)


def _nobody_to_ask(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | Unavailable
) -> Iterator[Yield]:
    yield from resolvers.unread
    listed = list(resolving(containers)) if isinstance(containers, Containers) else []
    affected = [each for each in listed if _on_fallback(each, resolvers)]
    empty = [each for each in affected if not resolvers.upstreams(each)]
    hit: list[_Group] = []
    dead = False
    if isinstance(lookups, Lookups) and isinstance(containers, Containers):
        hit, dead = _fallback(_groups(containers, resolvers, lookups), resolvers)
    what = "does not exist" if isinstance(resolvers.host, Unavailable) else "names no server"
    then = ""
    if empty:
        then = f": {_names(empty)} cannot resolve any name but those of containers"
    elif affected:
        then = f": 8.8.8.8 was given to {_names(affected)}" + (", which does not answer" if dead else "")
    yield Finding(
        subject=HOST,
        summary=f"{HOST_FILE} {what}{then}",
        evidence={
            HOST_FILE: _shown(resolvers.host),
            "dns of the daemon": list(resolvers.configured),
            **{f"servers of {each.short}": [one.server for one in resolvers.upstreams(each)] for each in affected[:10]},
        },
        severity=Severity.critical if empty or dead else Severity.warning,
        touches=_touched(hit) or tuple(each.subject for each in affected),
        signs=frozenset({"dns"}),
    )


@check("dns.stale-resolv-conf", severity=Severity.warning)
def stale_resolv_conf(containers: Containers, resolvers: Resolvers, lookups: Lookups | Unavailable) -> Iterable[Yield]:
    """Running containers still have DNS servers that the host has replaced since.

    On the default bridge the engine copies the host's file when a container starts. It is a warning where an
    old server does not answer any more, else advice. A container that edits its own file looks the same if
    the host's file changed after its start.
    """
    now = resolvers.engine_view
    read = resolvers.engine_file
    changed = read.mtime if isinstance(read, ResolvConf) else None
    if not now or resolvers.configured or changed is None:
        return
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
        dead = [server for server in old if (way := ways.get((networks, server))) and way.fails]
        yield Finding(
            subject=each.subject,
            summary=f"{each.short} still asks DNS server {old[0]}, which the host replaced by {now[0]}"
            + ("; it does not answer any more" if dead else ""),
            evidence={
                "ResolvConfPath nameserver": list(conf.nameservers),
                f"{HOST_FILE} nameserver": list(now),
                "State.StartedAt": each.state.started_at,
            },
            variables={"container": each.short},
            severity=Severity.warning if dead else Severity.advice,
            touches=tuple(Subject("network", name) for name in networks),
            signs=frozenset({"dns"}),
            stable=(each.life,),
            service=each.service,
        )


@check("dns.embedded-rules-missing", severity=Severity.critical)
def embedded_rules_missing(
    containers: Containers, lookups: Lookups | Unavailable, namespaces: Namespaces | Unavailable
) -> Generator[Yield, None, Skipped | Unavailable | None]:
    """The redirection to the engine's DNS is gone from a container's firewall.

    127.0.0.11:53 is redirected to a socket of the engine by nat rules inside the container's namespace; a
    firewall script or VPN client in the container that flushes nat takes them away, and nothing listens on
    port 53 then.
    """
    if isinstance(lookups, Unavailable):
        return _unasked(lookups)
    yield from lookups.unasked
    for each in containers.running:
        reply = lookups.embedded.get(each.id)
        if reply is None or reply.icmp != "refused" or each.host_config.runtime == "runsc":
            continue
        inside = namespaces.of(each) if isinstance(namespaces, Namespaces) else None
        sockets = (
            sorted({f"{one.protocol} {one.port}" for one in inside.listeners if one.address == EMBEDDED})
            if inside
            else []
        )
        yield Finding(
            subject=each.subject,
            summary=f"{each.short} cannot resolve any name: queries to {EMBEDDED} are refused, its nat rules are gone",
            evidence={
                f"{EMBEDDED}:53 asked from the container": str(reply),
                f"sockets of the engine on {EMBEDDED}": sockets,
            },
            variables={"container": each.short},
            touches=tuple(Subject("network", name) for name in each.endpoints),
            signs=frozenset({"dns"}),
            stable=(each.life,),
            service=each.service,
        )
    return None


@check("dns.search-amplified", severity=Severity.advice, posture=True)
def search_amplified(
    containers: Containers, resolvers: Resolvers, *, max_search: Count = Count(3), max_ndots: Count = Count(1)
) -> Iterable[Yield]:
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
            summary=f"{_names(affected)} try {len(search)} search domains for each name of up to {ndots} dots",
            evidence={"options ndots": ndots, "search": list(search), "containers": [each.short for each in affected]},
            variables={"container": affected[0].short},
            discriminator=f"{ndots},{len(search)}",
        )
