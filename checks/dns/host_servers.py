"""The host's own DNS servers, and the names that a user asks about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from checks.dns._groups import dns_container, severity_beside_answers, touched, unasked
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.filtered_queries import DnsPath
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
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity, Skipped, Unavailable
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
    rules = dns_path.of_host if dns_path is not None else {}
    dead = [server for server in resolvers.host_servers if _is_dead(server, lookups)]
    if dead:
        hit = [group for group in query_groups(containers, resolvers, lookups) if group.uses(dead)]
        serving = _serving(containers, links, dead[0])
        finding = _dead_servers(
            dead, resolvers, lookups, rules, _no_way_out(routes, links), hit, serving
        )
        down = _down(routes, links)
        if len(down) == 1 and "lost" in finding.variables:
            finding = finding.with_variables({"switched_off": down[0]})
        is_beyond = not rules and serving is None and _is_beyond(dead[0])
        if is_beyond and not {"better", "lost"} & finding.variables.keys():
            finding = finding.with_variables(_asks_router(dead, routes))
        yield finding
    yield from _unknown_names(lookups)
    yield from _unknown_services(lookups)
    return None


def _is_dead(server: str, lookups: Lookups) -> bool:
    """Whether a server was asked, and answers neither over UDP nor over TCP."""
    reply = lookups.host.get(server)
    return reply is not None and not reply.answered and not _by_tcp(lookups, server)


def _dead_servers(
    dead: list[str],
    resolvers: Resolvers,
    lookups: Lookups,
    rules: Mapping[str, Step],
    no_way_out: str,
    hit: list[QueryGroup],
    serving: Container | None,
) -> Finding:
    """One finding for all servers that do not answer.

    rules: by server the rule of the host that stops the query. hit: containers that ask them.
    serving: the container that should answer at the first one's address.
    """
    first = dead[0]
    others = [
        server for server in resolvers.host_servers if server not in dead and server in lookups.host
    ]
    more = f" and {count(len(dead) - 1, 'more server')}" if len(dead) > 1 else ""
    is_unreachable = any(lookups.host[server].icmp == "unreachable" for server in dead)
    lost_way = no_way_out if is_unreachable else ""
    severity = Severity.critical
    if others:
        severity = severity_beside_answers(lookups.host[server] for server in dead)
    return Finding(
        subject=HOST,
        summary=sentence(
            f"the host gets no answer from its DNS server {first}{more} ({lookups.host[first]})",
            f"{others[0]} answers" if others else _no_other(resolvers),
            _filtered(rules.get(first)),
            lost_way,
            _serves(serving),
        ),
        evidence=_answers(dead, resolvers, lookups, rules),
        variables=_host_variables(first, is_lost=bool(lost_way))
        | _stopped(serving)
        | _better(dead, others, resolvers, hit),
        severity=severity,
        # The daemon looks registries up by the host's resolver.
        touches=(DAEMON, *touched(hit), *([serving.subject] if serving is not None else ())),
        signs=frozenset({"dns"}),
    )


def _filtered(rule: Step | None) -> str:
    return f"the host's own packet filter stops the query: {rule}" if rule is not None else ""


def _stopped(serving: Container | None) -> dict[str, str]:
    """The variable of a start, where the container that serves the address does not run."""
    if serving is None or serving.is_running:
        return {}
    return {"stopped_server": serving.name}


def _better(
    dead: Sequence[str], others: Sequence[str], resolvers: Resolvers, hit: Sequence[QueryGroup]
) -> dict[str, str]:
    """The variables of a file without the dead servers, where another one answers.

    silent: the dead servers that running containers go on asking; those of IPv4 beyond this host,
    for whose queries a rule can name another server.
    """
    answering = (*others, *resolvers.never_asked)
    if not answering or dead[0] != resolvers.host_servers[0]:
        return {}
    better = {"better": answering[0], "dead": "\n".join(dead), "file": HOST_FILE}
    silent = [server for server in dead if _is_beyond(server)]
    if not hit or not silent or not _is_beyond(answering[0]):
        return better
    return better | {"silent": "\n".join(silent)}


def _asks_router(dead: Sequence[str], routes: Routes | None) -> dict[str, str]:
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


def _answers(
    dead: list[str], resolvers: Resolvers, lookups: Lookups, rules: Mapping[str, Step]
) -> dict[str, object]:
    evidence: dict[str, object] = {
        f"query to {server} or its answer stopped by": str(rules[server])
        for server in dead
        if server in rules
    }
    evidence[f"{HOST_FILE} nameserver"] = list(resolvers.host_servers)
    for server, reply in lookups.host.items():
        evidence[f"DNS server {server} asked from host"] = str(reply)
    return evidence


def _serving(
    containers: Containers | None, links: Interfaces | None, server: str
) -> Container | None:
    """The container, running or not, that should answer at a server's address."""
    is_of_host = is_loopback(server) or (links is not None and links.holds(server))
    return dns_container(containers, server, is_of_host=is_of_host)


def _host_variables(server: str, *, is_lost: bool) -> dict[str, str]:
    """What the page needs: a server of the host itself is a program that can be started again."""
    variables = {"server": server}
    if is_lost:
        variables["lost"] = server
    if server == _RESOLVED_STUB:
        variables["stub_unit"] = "systemd-resolved"
    return variables


_RESOLVED_STUB = "127.0.0.53"


def _no_way_out(routes: Routes | None, links: Interfaces | None) -> str:
    """That the host has no default route, and which interfaces may have had it.

    Empty where there is one.
    """
    if routes is None or routes.lead_out:
        return ""
    down = _down(routes, links)
    if not down:
        return "no default route leads out"
    are = agree(down, "is", "are")
    return f"no default route leads out, {joined(down)} {are} down"


def _down(routes: Routes | None, links: Interfaces | None) -> list[str]:
    """The interfaces that are down and may have led out, where nothing else does."""
    if routes is None or routes.lead_out or links is None:
        return []
    return [link.name for link in links if _is_down(link)]


_UPLINKS = (None, "veth", "bond", "team", "vlan", "macvlan", "ipvlan")
"""Kinds of interfaces that lead to others; None is hardware. The kernel's own tunnels and idle
bridges are always down."""


def _is_down(link: Interface) -> bool:
    leads_out = link.kind in _UPLINKS and link.master is None and link.name != "lo"
    return leads_out and (not link.up or link.operstate in ("down", "lowerlayerdown"))


def _unknown_names(lookups: Lookups) -> Iterator[Finding]:
    """The user's names that no server of the host knows.

    Where one does, dns.servers-disagree judges.
    """
    by_name: dict[str, dict[str, DnsReply]] = {}
    for (name, server), reply in lookups.names.items():
        if reply.answered:
            by_name.setdefault(name, {})[server] = reply
    for name, replies in by_name.items():
        if not any(reply.knows for reply in replies.values()):
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


def _unknown_services(lookups: Lookups) -> Iterator[Finding]:
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


def _by_tcp(lookups: Lookups, server: str) -> bool:
    reply = lookups.tcp.get(server)
    return reply is not None and reply.answered


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
    nobody_answers = not any(lookups.reaches(server) for server in resolvers.host_servers)
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        is_needed = (
            server not in resolvers.host_servers
            or resolvers.host_servers == (server,)
            or nobody_answers
        )
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
