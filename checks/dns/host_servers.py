"""The host's own DNS servers, and the names that a user asks about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from checks.dns.helpers import severity_beside_answers, touched, unasked
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_containers import dns_container
from diagnose.evidence.dns.filtered_queries import DnsPath, device_to
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import (
    HOST_FILE,
    Resolvers,
)
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.refusing_routes import in_words, without_refusal
from diagnose.mappings import subjects_of
from diagnose.model import (
    DAEMON,
    HOST,
    CheckResult,
    Finding,
    PageVariables,
    Severity,
    Skipped,
    Unavailable,
)
from diagnose.phrases import agree, count, joined, sentence
from diagnose.registry import check


@check(
    "dns.host-broken",
    severity=Severity.critical,
    caused_by=[
        "network.subnet-overlaps-route",
        "network.conntrack-full",
        "network.macvlan-host-unreachable",
    ],
)
def host_broken(
    resolvers: Resolvers,
    lookups: Lookups | Unavailable,
    containers: Containers | None,
    dns_path: DnsPath | None,
    routes: Routes | None,
    links: Interfaces | None,
) -> CheckResult:
    """The host's own DNS servers do not answer.

    One silent server among several is a warning: each lookup that tries it first waits five
    seconds; a server that refuses costs nothing and is advice. Names that the user says must
    resolve are asked too; only for them does an error of the server count. A name of a container is
    asked of the engine's resolver, and any other name of all servers of the host. Where the host
    has no default route, the finding says so, and which of its interfaces are down.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    if not resolvers.host_servers and not lookups.services:
        return Skipped(f"{HOST_FILE} names no server")
    dead = [server for server in resolvers.host_servers if _is_dead(server, lookups)]
    if dead:
        hit = [group for group in query_groups(containers, resolvers, lookups) if group.uses(dead)]
        path = dns_path if dns_path is not None else DnsPath({})
        serving = _serving(containers, links, dead[0])
        yield _dead_servers_finding(
            _DeadServers(
                dead, resolvers=resolvers, lookups=lookups, path=path, hit=hit, serving=serving
            ),
            routes,
            links,
        )
    yield from _unknown_names_findings(lookups)
    yield from _unknown_services_findings(lookups)
    return None


def _is_dead(server: str, lookups: Lookups) -> bool:
    """Whether a server was asked, and answers neither over UDP nor over TCP."""
    return lookups.reaches(server) is False and not lookups.answers_by_tcp(server)


class _DeadServers(msgspec.Struct, frozen=True):
    """The servers of the host that do not answer it, and who is concerned."""

    dead: list[str]
    resolvers: Resolvers
    lookups: Lookups
    path: DnsPath
    """What stops a query on this host."""
    hit: list[QueryGroup]
    """Containers that ask them."""
    serving: Container | None
    """The container that should answer at the first one's address."""

    @property
    def first(self) -> str:
        return self.dead[0]

    @property
    def rules(self) -> Mapping[str, Step]:
        """By server the rule of the host that stops the query."""
        return self.path.of_host

    @property
    def rejected_by(self) -> Step | None:
        """The route or routing rule of the host that rejects queries to the first server."""
        return self.path.rejected_of_host.get(self.first)

    @property
    def others(self) -> list[str]:
        """The host's servers that answer it."""
        queried = [server for server in self.resolvers.host_servers if server in self.lookups.host]
        return [server for server in queried if server not in self.dead]

    @property
    def is_unreachable(self) -> bool:
        """Whether no packet for one of them leaves this host."""
        return any(self.lookups.host[server].icmp == "unreachable" for server in self.dead)

    @property
    def may_be_routers(self) -> bool:
        """Whether nothing on this host explains the silence of a server beyond it."""
        return not self.rules and self.serving is None and _is_beyond(self.first)

    @property
    def severity(self) -> Severity:
        if not self.others:
            return Severity.critical
        return severity_beside_answers(self.lookups.host[server] for server in self.dead)


def _dead_servers_finding(
    servers: _DeadServers, routes: Routes | None, links: Interfaces | None
) -> Finding:
    """One finding for all servers that do not answer."""
    first, others, dead = servers.first, servers.others, servers.dead
    more = f" and {count(len(dead) - 1, 'more server')}" if len(dead) > 1 else ""
    rejected_by = servers.rejected_by
    has_no_route = routes is not None and not routes.leads_to(first)
    is_lost = servers.is_unreachable and has_no_route and rejected_by is None
    has_way = routes is not None and routes.lead_out
    down = _down(links) if is_lost and not has_way else []
    unplugged = _unplugged(first, routes, links)
    finding = Finding(
        subject=HOST,
        summary=sentence(
            f"the host gets no answer from its DNS server {first}{more} "
            f"({servers.lookups.host[first]})",
            f"{others[0]} answers" if others else _no_other(servers.resolvers),
            _filter_clause(servers.rules.get(first)),
            f"{in_words(rejected_by)} rejects the query" if rejected_by is not None else "",
            _no_way_out(down, has_way=has_way) if is_lost else "",
            f"interface {unplugged}, by which it is asked, has no carrier" if unplugged else "",
            _serves(servers.serving),
        ),
        evidence=_answers(servers),
        variables=_host_variables(first, is_lost=is_lost)
        | _start_of_server(servers.serving)
        | _file_with_living_servers(servers),
        severity=servers.severity,
        # The daemon looks registries up by the host's resolver.
        touches=(DAEMON, *touched(servers.hit), *subjects_of(filter(None, [servers.serving]))),
        signs=frozenset({"dns"}),
    )
    if rejected_by is not None:
        return replace(finding, variables={"server": first, **without_refusal(rejected_by)})
    if unplugged:
        return finding.with_variables({"unplugged": unplugged})
    if len(down) == 1:
        return finding.with_variables({"switched_off": down[0]})
    if is_lost or "better" in finding.variables or not servers.may_be_routers:
        return finding
    return finding.with_variables(_asks_router(dead, routes))


def _unplugged(server: str, routes: Routes | None, links: Interfaces | None) -> str:
    """The interface that leads to a server, where it is up and nothing is at its other end."""
    if routes is None or links is None:
        return ""
    link = links.by_name.get(device_to(server, routes, links) or "")
    return link.name if link is not None and link.up and link.lacks_carrier else ""


def _filter_clause(rule: Step | None) -> str:
    return f"the host's own packet filter stops the query: {rule}" if rule is not None else ""


def _start_of_server(serving: Container | None) -> PageVariables:
    """The variable of a start, where the container that serves the address does not run."""
    if serving is None or serving.is_running:
        return {}
    return {"stopped_server": serving.name}


def _file_with_living_servers(servers: _DeadServers) -> PageVariables:
    """The variables of a file without the dead servers, where another one answers.

    silent: the dead servers that running containers go on asking; those of IPv4 beyond this host,
    for whose queries a rule can name another server.
    """
    dead, resolvers = servers.dead, servers.resolvers
    answering = (*servers.others, *resolvers.never_asked)
    if not answering or dead[0] != resolvers.host_servers[0]:
        return {}
    better = {"better": answering[0], "dead": "\n".join(dead), "file": HOST_FILE}
    silent = [server for server in dead if _is_beyond(server)]
    if not servers.hit or not silent or not _is_beyond(answering[0]):
        return better
    return better | {"silent": "\n".join(silent)}


def _asks_router(dead: Sequence[str], routes: Routes | None) -> PageVariables:
    """The variables of a file that names the router, which may serve names too."""
    router = routes.router if routes is not None else None
    if router is None or router in dead or not _is_beyond(router):
        return {}
    return {"router": router, "all_dead": "\n".join(dead), "file": HOST_FILE}


def _is_beyond(server: str) -> bool:
    """Whether this is an IPv4 address that is no loopback address."""
    return ":" not in server and not is_loopback(server)


def _no_other(resolvers: Resolvers) -> str:
    """That nobody else is asked, in words."""
    unused = resolvers.never_asked
    if unused:
        return f"{unused[0]} behind them in {HOST_FILE} is never asked, for programs ask three"
    return "no other server is configured"


def _serves(container: Container | None) -> str:
    """How the container is that should answer at a server's address; empty where none is."""
    if container is None:
        return ""
    if container.is_running:
        return f"{container} has that address"
    return f"{container}, which serves that address, is not running"


def _answers(servers: _DeadServers) -> dict[str, object]:
    rules = servers.rules
    evidence: dict[str, object] = {
        f"query to {server} or its answer stopped by": str(rules[server])
        for server in servers.dead
        if server in rules
    }
    evidence[f"{HOST_FILE} nameserver"] = list(servers.resolvers.host_servers)
    for server, reply in servers.lookups.host.items():
        evidence[f"DNS server {server} asked from host"] = str(reply)
    return evidence


def _serving(
    containers: Containers | None, links: Interfaces | None, server: str
) -> Container | None:
    """The container, running or not, that should answer at a server's address."""
    is_of_host = is_loopback(server) or (links is not None and links.holds(server))
    return dns_container(containers, server, is_of_host=is_of_host)


def _host_variables(server: str, *, is_lost: bool) -> PageVariables:
    """What the page needs: a server of the host itself is a program that can be started again."""
    variables = {"server": server}
    if is_lost:
        variables["lost"] = server
    if server == _RESOLVED_STUB:
        variables["stub_unit"] = "systemd-resolved"
    return variables


_RESOLVED_STUB = "127.0.0.53"


def _no_way_out(down: list[str], *, has_way: bool) -> str:
    """That the host has no route to the server, and which interfaces may have had one.

    has_way: whether a default route leads to other addresses, such as those of IPv6.
    """
    if has_way:
        return "no route of this host leads to that address"
    if not down:
        return "no default route leads out"
    are = agree(down, "is", "are")
    return f"no default route leads out, {joined(down)} {are} down"


def _down(links: Interfaces | None) -> list[str]:
    """The interfaces that are down and may have led out."""
    return [link.name for link in links or () if _is_down(link)]


_UPLINKS = (None, "veth", "bond", "team", "vlan", "macvlan", "ipvlan")
"""Kinds of interfaces that lead to others; None is hardware. The kernel's own tunnels and idle
bridges are always down."""


def _is_down(link: Interface) -> bool:
    leads_out = link.kind in _UPLINKS and link.master is None and link.name != "lo"
    return leads_out and (not link.up or link.lacks_carrier)


def _unknown_names_findings(lookups: Lookups) -> Iterator[Finding]:
    """The user's names that no server of the host knows.

    Where one does, dns.servers-disagree judges.
    """
    for name, all_replies in lookups.user_names.items():
        replies = {server: reply for server, reply in all_replies.items() if reply.answered}
        if replies and not any(reply.knows for reply in replies.values()):
            answers = [f"{server} says {_denial(reply)}" for server, reply in replies.items()]
            yield Finding(
                subject=HOST,
                summary=f'"{name}" does not resolve: {joined(answers)}',
                evidence={f"{name} A at {server}": str(reply) for server, reply in replies.items()},
                variables={"name": name, "server": next(iter(replies))},
                discriminator=name,
                signs=frozenset({"dns"}),
            )


def _denial(reply: DnsReply) -> str:
    return "NOERROR, but no IPv4 address" if reply.rcode == "NOERROR" else str(reply.rcode)


def _unknown_services_findings(lookups: Lookups) -> Iterator[Finding]:
    """The user's names of containers that the engine's resolver does not know where it should."""
    for name, (witness, reply) in lookups.services.items():
        if reply.answered and not reply.knows:
            yield Finding.about(
                witness,
                f'{witness} cannot resolve "{name}", a name '
                f"of a container on its network: the engine's resolver says {_denial(reply)}",
                {f"{name} A at the engine's resolver, asked from {witness.name}": str(reply)},
                discriminator=name,
                signs=frozenset({"dns"}),
                stable=(witness.life,),
                name=name,
            )


@check("dns.udp-blocked", severity=Severity.critical)
def udp_blocked(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | None
) -> CheckResult:
    """A DNS server answers over TCP while UDP queries to it are lost.

    A firewall between the host and the server passes TCP 53 and drops UDP 53: all programs ask by
    UDP first.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    if resolvers.host_unread and not lookups.host:
        return resolvers.host_unread
    groups = query_groups(containers, resolvers, lookups)
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        is_needed = _is_needed(server, resolvers, lookups)
        yield Finding(
            subject=HOST,
            summary=f"DNS server {server} answers over TCP, but UDP queries to it are lost",
            evidence={
                f"{server} over UDP from host": str(lookups.host[server]),
                f"{server} over TCP from host": str(reply),
            },
            variables={"server": server},
            discriminator=server,
            severity=Severity.critical if is_needed else Severity.warning,
            touches=touched([group for group in groups if group.uses([server])]),
            signs=frozenset({"dns"}),
        )
    return None


def _is_needed(server: str, resolvers: Resolvers, lookups: Lookups) -> bool:
    """Whether no other server of the host answers in its place."""
    servers = resolvers.host_servers
    if server not in servers or servers == (server,):
        return True
    return not any(lookups.reaches(other) for other in servers)
