"""Queries that are lost: those of containers, and the host's own."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping

from checks.dns._groups import Group, groups, names, touched, unasked
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import HOST_FILE, Resolvers, Upstream, is_loopback
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.routes import Routes
from diagnose.model import DAEMON, HOST, CheckItem, Finding, Severity, Skipped, Unavailable
from diagnose.registry import check

_LOST = ["dns.host-broken", "dns.udp-blocked", "dns.loopback-stub", "dns.no-nameserver", "dns.stale-resolv-conf"]
_FIREWALL = [
    "firewall.chains-missing",
    "firewall.masquerade-missing",
    "firewall.forwarding-off",
    "firewall.forward-dropped",
]
_NETWORK = ["network.bridge-down", "network.veth-detached", "network.subnet-overlaps-route", "network.conntrack-full"]


@check("dns.upstream-unreachable", severity=Severity.critical, caused_by=[*_LOST, *_FIREWALL, *_NETWORK, "daemon.hung"])
def upstream_unreachable(
    containers: Containers, resolvers: Resolvers, lookups: Lookups | Unavailable, dns_path: DnsPath | Unavailable
) -> Iterable[CheckItem] | Skipped | Unavailable:
    """Containers' queries do not reach their DNS server.

    Silence means two queries lost 1.2 s apart; any reply, also an error, proves that the server is reachable
    and no more. The host asks the same server, which tells where the query is lost. Containers on internal
    networks alone have no way out by design. What would fool it: a server that drops questions about the root
    on purpose.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    asked = list(groups(containers, resolvers, lookups))
    if not asked and not lookups.unasked:
        if lookups.island:
            return Skipped("this host has no default route and no DNS server: nobody outside is to be asked")
        if lookups.closed:
            return Skipped("running containers are on internal networks only")
        return Skipped("no running container queries a DNS server through its own network")
    path = dns_path if isinstance(dns_path, DnsPath) else DnsPath({})
    return (*(_unreachable(group, lookups, path) for group in asked if group.lost), *lookups.unasked)


def _unreachable(group: Group, lookups: Lookups, path: DnsPath) -> Finding:
    upstream, reply = group.lost[0]
    server = upstream.server
    who = group.members[0]
    asked = len(group.replies)
    evidence: dict[str, object] = {}
    for each, said in group.replies:
        way = "host" if each.by_host else f"network {'+'.join(group.networks)}"
        evidence[f"DNS server {each.server} asked from {way}"] = str(said) if said else "not asked"
        if not each.by_host and each.server in lookups.host and not is_loopback(each.server):
            evidence[f"DNS server {each.server} asked from host"] = str(lookups.host[each.server])
    stopped = next((rule for name in group.networks if (rule := path.blocked.get((name, server)))), None)
    if stopped:
        evidence["stopped by"] = stopped
    evidence["containers"] = [each.name for each in group.members]
    return Finding(
        subject=group.subject,
        summary=f"DNS server {server} of {names(group.members)}: {reply}; {_hop(group, upstream, reply, lookups, path, stopped)}"
        + (f"; {asked - len(group.lost)} other of its {asked} servers answers" if group.works else ""),
        evidence=evidence,
        variables={"container": who.name, "server": server, "network": group.networks[0]},
        discriminator=",".join(each.server for each, _ in group.lost),
        severity=_degraded(reply for _, reply in group.lost) if group.works else Severity.critical,
        touches=touched([group]),
        signs=frozenset({"dns"}),
        stable=(who.life,),
        service=who.service if group.subject.kind == "container" else "",
    )


def _degraded(lost: Iterable[DnsReply]) -> Severity:
    """How bad a lost server is while another answers: silence costs five seconds a look-up, a refusal nothing."""
    return Severity.warning if any(reply.icmp is None for reply in lost) else Severity.advice


def _hop(
    group: Group, upstream: Upstream, reply: DnsReply, lookups: Lookups, path: DnsPath, stopped: str | None
) -> str:
    """Where the query is lost, as far as the host's own query tells."""
    if upstream.by_host:
        return "the engine asks from the host, so the fault lies beyond the containers"
    if reply.icmp == "prohibited":
        return "it does not leave the container"
    if is_loopback(upstream.server):
        return "that address is the container itself, and no DNS server runs in it"
    if reply.icmp == "refused":
        if lookups.reaches(upstream.server):
            return "the host itself gets an answer, so the container's query is led elsewhere: look for a rule in nat"
        return "the machine is reachable"
    if stopped:
        return f"the host's packet filter stops it: {stopped}"
    reaches = lookups.reaches(upstream.server)
    if reaches is None:
        return "the host did not ask it"
    if reaches:
        end = "that address of the host" if upstream.server in path.own else "the uplink"
        return f"the host itself gets an answer, so it is lost between network {group.networks[0]} and {end}"
    return "the host itself gets no answer either"


@check(
    "dns.host-broken", severity=Severity.critical, caused_by=["network.subnet-overlaps-route", "network.conntrack-full"]
)
def host_broken(
    resolvers: Resolvers,
    lookups: Lookups | Unavailable,
    containers: Containers | Unavailable,
    dns_path: DnsPath | Unavailable,
    routes: Routes | Unavailable,
    links: Interfaces | Unavailable,
) -> Iterable[Finding] | Skipped | Unavailable:
    """The host's own DNS servers do not answer.

    One silent server among several is a warning: each look-up that tries it first waits five seconds; one that refuses costs
    nothing and is advice. Names that the user says must resolve are asked too; only for them does an error of the server count.
    Where the host has no default route, that is said, and which of its interfaces are down.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if not resolvers.host_servers:
        return Skipped(f"{HOST_FILE} names no server")
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    rules = dns_path.of_host if isinstance(dns_path, DnsPath) else {}
    return _broken(resolvers, lookups, containers, rules, _adrift(routes, links))


def _adrift(routes: Routes | Unavailable, links: Interfaces | Unavailable) -> str:
    """That no default route leads out, and through which interfaces one may have led; empty where there is one."""
    if isinstance(routes, Unavailable) or routes.lead_out:
        return ""
    down = [each.name for each in links if _is_down(each)] if isinstance(links, Interfaces) else []
    are = "is" if len(down) == 1 else "are"
    return "no default route leads out" + (f", {', '.join(down)} {are} down" if down else "")


_UPLINKS = (None, "veth", "bond", "team", "vlan", "macvlan", "ipvlan")
"""Kinds of interfaces that lead to others; None is hardware. The kernel's own tunnels and idle bridges are always down."""


def _is_down(link: Interface) -> bool:
    leads = link.kind in _UPLINKS and link.master is None and link.name != "lo"
    return leads and (not link.up or link.operstate in ("down", "lowerlayerdown"))


def _broken(
    resolvers: Resolvers,
    lookups: Lookups,
    containers: Containers | Unavailable,
    rules: Mapping[str, str],
    adrift: str,
) -> Iterator[Finding]:
    dead = [
        server
        for server in resolvers.host_servers
        if (reply := lookups.host.get(server)) and not reply.answered and not _by_tcp(lookups, server)
    ]
    asked = list(groups(containers, resolvers, lookups)) if isinstance(containers, Containers) else []
    if dead:
        others = [each for each in resolvers.host_servers if each not in dead and each in lookups.host]
        hit = [group for group in asked if any(each.server in dead for each, _ in group.replies)]
        lost = adrift if any(lookups.host[each].icmp == "unreachable" for each in dead) else ""
        yield Finding(
            subject=HOST,
            summary=f"DNS server {dead[0]} of the host: {lookups.host[dead[0]]}"
            + (f", {len(dead) - 1} more like it" if len(dead) > 1 else "")
            + (f"; {others[0]} answers" if others else "; no other is configured")
            + (f"; the host's own packet filter stops it: {rules[dead[0]]}" if dead[0] in rules else "")
            + (f"; {lost}" if lost else ""),
            evidence={
                **{f"query to {each} or its answer stopped by": rules[each] for each in dead if each in rules},
                f"{HOST_FILE} nameserver": list(resolvers.host_servers),
                **{f"DNS server {each} asked from host": str(reply) for each, reply in lookups.host.items()},
            },
            variables={"server": dead[0], **({"lost": dead[0]} if lost else {})},
            severity=_degraded(lookups.host[each] for each in dead) if others else Severity.critical,
            # The daemon looks registries up by the host's resolver.
            touches=(DAEMON, *touched(hit)),
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
        return unasked(lookups)
    if resolvers.host_unread and not lookups.host:
        return resolvers.host_unread
    asked = list(groups(containers, resolvers, lookups)) if isinstance(containers, Containers) else []
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        used_by_host = server in resolvers.host_servers
        alone = resolvers.host_servers == (server,) or not any(lookups.reaches(each) for each in resolvers.host_servers)
        hit = [group for group in asked if any(each.server == server for each, _ in group.replies)]
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
            touches=touched(hit),
            signs=frozenset({"dns"}),
        )
    return None
