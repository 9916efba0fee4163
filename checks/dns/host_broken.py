"""dns.host-broken: the host's own DNS servers do not answer, or do not know a name."""

from collections.abc import Iterator

from msgspec.structs import replace

from checks.dns.helpers import severity_beside_answers, touched_subjects
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dead_servers import DeadServers, is_dead, serving
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.forwarding_circles import ForwardingCircles
from diagnose.evidence.dns.host_forwarder import HostForwarder
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.query_groups import query_groups
from diagnose.evidence.dns.resolvers import HOST_FILE, Resolvers
from diagnose.evidence.network.absent_machine import HostLinks, absent_machine
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.refusing_routes import in_words
from diagnose.first_steps.dns.dead_server_steps import dead_server_steps
from diagnose.mappings import by_key, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON, HOST
from diagnose.phrases import agree, count, joined, sentence
from diagnose.registry import check


@check(
    "dns.host-broken",
    severity=Severity.critical,
    caused_by=[
        "network.local-net-diverted",
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
    host_links: HostLinks,
    forwarding_circles: ForwardingCircles | None,
    host_forwarder: HostForwarder | None,
) -> CheckResult:
    """The host's own DNS servers do not answer.

    One silent server among several is a warning: each lookup that tries it first waits five
    seconds; a server that refuses costs nothing and is advice.

    Names that the user says must resolve are asked too; only for them does an error of the server
    count. A name of a container is asked of the engine's resolver, and any other name of all
    servers of the host.

    Where the host has no default route, the finding names that, and the interfaces that are down. A
    route to the bridge of another program, such as that of a Kubernetes node, may lead away from
    the server. A server at the host's loopback, such as dnsmasq or systemd-resolved, passes queries
    on: those whom it asks are asked too.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(lookups, Unavailable):
        return lookups
    if not resolvers.host_servers and not lookups.services:
        return Skipped(f"{HOST_FILE} names no server")
    dead = [server for server in resolvers.host_servers if is_dead(server, lookups)]
    if dead:
        affected_groups = [
            group for group in query_groups(containers, resolvers, lookups) if group.uses(dead)
        ]
        holder = serving(containers, host_links.links, dead[0])
        servers = DeadServers(
            dead,
            resolvers=resolvers,
            lookups=lookups,
            path=dns_path if dns_path is not None else DnsPath({}),
            hit=affected_groups,
            serving=holder,
            circle=forwarding_circles.silent_of(holder) if forwarding_circles is not None else None,
            routes=host_links.routes,
            links=host_links.links,
            absent=absent_machine(dead[0], host_links),
        )
        yield _forwarded_finding(_dead_servers_finding(servers), servers, host_forwarder)
    yield from _unknown_names_findings(lookups)
    yield from _unknown_services_findings(lookups)


def _dead_servers_finding(servers: DeadServers) -> Finding:
    """A finding for all servers of the host that do not answer."""
    first = servers.first
    others = servers.others
    dead = servers.dead
    others_clause = f" and {count(len(dead) - 1, 'more server')}" if len(dead) > 1 else ""
    return Finding(
        subject=HOST,
        summary=sentence(
            f"the host gets no answer from its DNS server {first}{others_clause} "
            f"({servers.lookups.host[first]})",
            f"{others[0]} answers" if others else _no_other_server_clause(servers.resolvers),
            _filter_clause(servers.rules.get(first)),
            _rejection_clause(servers.rejected_by),
            _no_way_out(servers),
            _carrier_clause(servers.unplugged),
            _server_container_clause(servers.serving),
            servers.circle.clause if servers.circle is not None else "",
            str(servers.absent or ""),
        ),
        evidence=_answers(servers),
        variables=dead_server_steps(servers),
        severity=_severity(servers),
        # The daemon looks registries up by the host's resolver.
        touches=(
            DAEMON,
            *touched_subjects(servers.hit),
            *subjects_of(filter(None, [servers.serving])),
        ),
        signs=frozenset({"dns"}),
    )


def _forwarded_finding(
    finding: Finding, servers: DeadServers, forwarder: HostForwarder | None
) -> Finding:
    """The finding with the silent servers that the host's own one asks, where they are known."""
    if forwarder is None or not forwarder.silent or forwarder.address != servers.first:
        return finding
    asked_server = forwarder.silent[0].server
    silent_servers = joined([str(silent.server) for silent in forwarder.silent])
    clause = (
        f"that is {forwarder.program} on this host, which passes queries on to {silent_servers} "
        f"({asked_server.source}) and gets no answer either"
    )
    summary = sentence(finding.summary, clause)
    replies = {
        f"DNS server {silent.server} asked from host": str(silent.reply)
        for silent in forwarder.silent
    }
    changed = replace(finding, summary=summary, evidence={**finding.evidence, **replies})
    return changed.with_variables(
        {
            "forwarding": forwarder.program,
            "upstream": str(asked_server),
            "named_in": asked_server.source,
        }
    )


def _severity(servers: DeadServers) -> Severity:
    if not servers.others:
        return Severity.critical
    return severity_beside_answers(servers.lookups.host[server] for server in servers.dead)


def _rejection_clause(rejected_by: Step | None) -> str:
    return f"{in_words(rejected_by)} rejects the query" if rejected_by is not None else ""


def _carrier_clause(unplugged: str) -> str:
    return f"interface {unplugged}, by which it is asked, has no carrier" if unplugged else ""


def _filter_clause(rule: Step | None) -> str:
    return f"the host's own packet filter stops the query: {rule}" if rule is not None else ""


def _no_other_server_clause(resolvers: Resolvers) -> str:
    """The clause that says that no other server is asked, or only one behind the third."""
    unused = resolvers.never_asked
    if unused:
        return (
            f"{unused[0]} behind them in {HOST_FILE} is never asked: programs use the first three"
        )
    return "no other server is configured"


def _server_container_clause(container: Container | None) -> str:
    """The clause about the state of the container that should answer at a server's address; ""
    without one."""
    if container is None:
        return ""
    if container.is_running:
        return f"{container} has that address"
    if container.state.status == "restarting":
        return f"{container}, which serves that address, ends and is restarted again and again"
    return f"{container}, which serves that address, is not running"


def _answers(servers: DeadServers) -> dict[str, object]:
    """The answer of each of the host's servers, and the rule that stops a query, as evidence."""
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


def _no_way_out(servers: DeadServers) -> str:
    """The clause that says that the host has no route to the server, with interfaces that are
    down; "" if it has one."""
    if not servers.is_lost:
        return ""
    if servers.has_way_out:
        return "no route of this host leads to that address"
    down = servers.switched_off
    if not down:
        return "no default route leads out"
    return f"no default route leads out, {joined(down)} {agree(down, 'is', 'are')} down"


def _unknown_names_findings(lookups: Lookups) -> Iterator[Finding]:
    """Findings about the user's names that no server of the host knows.

    Where one server does, dns.servers-disagree judges.
    """
    for name, all_replies in lookups.user_names.items():
        replies = {server: reply for server, reply in all_replies.items() if reply.answered}
        if replies and not any(reply.knows for reply in replies.values()):
            servers_by_denial = by_key(
                (_denial(reply), server) for server, reply in replies.items()
            )
            answers = [
                f"{joined(servers)} {agree(servers, 'says', 'say')} {denial}"
                for denial, servers in servers_by_denial.items()
            ]
            yield Finding(
                subject=HOST,
                summary=f'"{name}" does not resolve: {joined(answers)}',
                evidence={f"{name} A at {server}": str(reply) for server, reply in replies.items()},
                variables={"unknown_name": name},
                discriminator=name,
                signs=frozenset({"dns"}),
            )


def _denial(reply: DnsReply) -> str:
    if reply.rcode == "NXDOMAIN":
        return "that there is no such name (NXDOMAIN)"
    return "NOERROR, but no IPv4 address" if reply.rcode == "NOERROR" else str(reply.rcode)


def _unknown_services_findings(lookups: Lookups) -> Iterator[Finding]:
    """Findings about the user's names of containers that the engine's resolver does not know where
    it should."""
    for name, lookup in lookups.services.items():
        witness = lookup.witness
        reply = lookup.reply
        if reply.answered and not reply.knows:
            yield Finding.about(
                witness,
                f'{witness} cannot resolve "{name}", a name '
                f"of a container on its network: the engine's resolver says {_denial(reply)}",
                {f"{name} A at the engine's resolver, asked from {witness.name}": str(reply)},
                discriminator=name,
                signs=frozenset({"dns"}),
                recheck=(witness.run,),
                variables={"name": name},
            )
