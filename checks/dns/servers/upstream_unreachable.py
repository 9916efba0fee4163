"""Queries of containers that are lost on the way to their DNS server."""

import json
from collections.abc import Iterator, Sequence

from checks.dns.helpers import container_names, severity_beside_answers, touched_subjects
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.lost_queries import LostQuery
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import HOST_FILE, Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.refusing_routes import in_words
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.first_steps.dns.lost_query_steps import query_way, steps_for_query
from diagnose.mappings import distinct, names_of, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import agree, count, joined, sentence
from diagnose.registry import check

_LOST = [
    "dns.host-broken",
    "dns.udp-blocked",
    "dns.loopback-stub",
    "dns.no-nameserver",
    "dns.stale-resolv-conf",
]
_FIREWALL = [
    "firewall.chains-missing",
    "firewall.masquerade-missing",
    "firewall.forwarding-off",
    "firewall.forward-dropped",
]
_NETWORK = [
    "network.bridge-down",
    "network.parent-down",
    "network.veth-detached",
    "network.local-net-diverted",
    "network.subnet-overlaps-route",
    "network.conntrack-full",
]


@check(
    "dns.upstream-unreachable",
    severity=Severity.critical,
    caused_by=[*_LOST, *_FIREWALL, *_NETWORK, "daemon.hung", "network.call-unanswered"],
)
def upstream_unreachable(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups,
    dns_path: DnsPath | None,
    networks: Networks | None,
    failed_names: FailedNames | None,
    listeners: Listeners | None,
) -> CheckResult:
    """Containers' queries do not reach their DNS server.

    Silence means two queries lost 1.2 s apart; any reply, also an error, proves that the server is
    reachable and no more. The host asks the same server, which shows where the query is lost.

    Containers on internal networks alone have no way out by design. A VPN client whose own routes
    or rules keep the query in is advice, unless its log says that names fail: its kill switch is
    meant to. The same holds for a container on macvlan or ipvlan whose server is the host, and for
    a rule of DOCKER-USER against one source or interface.

    The logs of containers that share its network count as its own. A server of daemon.json counts
    too that no running container asks: builds, and containers that start, ask it.

    What would fool it: a server that drops questions about the root on purpose.
    """
    groups = query_groups(containers, resolvers, lookups)
    if not groups and not lookups.unasked and not _silent_for_later(groups, resolvers, lookups):
        return _nobody_asks(lookups)
    yield from _later_finding(groups, resolvers, lookups)
    path = DnsPath({}) if dns_path is None else dns_path
    missed = FailedNames({}) if failed_names is None else failed_names
    for group in groups:
        if group.lost:
            users = _with_guests(group, containers)
            misses_names = any(missed.of(user) for user in users)
            yield _finding(
                LostQuery(
                    group,
                    resolvers=resolvers,
                    lookups=lookups,
                    path=path,
                    containers=containers,
                    networks=networks,
                    misses_names=misses_names,
                    listeners=listeners,
                ),
                users,
            )
    yield from lookups.unasked


def _silent_for_later(
    groups: Sequence[QueryGroup], resolvers: Resolvers, lookups: Lookups
) -> tuple[str, ...]:
    """The servers that the daemon gives, where no running container asks them and none answers."""
    later_servers = tuple(server for server in resolvers.configured if not is_loopback(server))
    asked_servers = {reply.upstream.server for group in groups for reply in group.replies}
    is_silent = bool(later_servers) and all(
        lookups.reaches(server) is False for server in later_servers
    )
    return later_servers if is_silent and asked_servers.isdisjoint(later_servers) else ()


def _later_finding(
    groups: Sequence[QueryGroup], resolvers: Resolvers, lookups: Lookups
) -> Iterator[Finding]:
    """Builds, and containers that start from now on, ask servers that do not answer the host."""
    later_servers = _silent_for_later(groups, resolvers, lookups)
    answering = next(filter(lookups.reaches, resolvers.host_servers), "")
    if not later_servers:
        return
    servers = joined(later_servers)
    cure = {"server": later_servers[0]}
    if answering and not is_loopback(answering):
        cure["dns_json"] = json.dumps({"dns": [answering]})
    yield Finding(
        subject=DAEMON,
        summary=sentence(
            f"builds, and containers that start from now on, ask DNS {agree(later_servers, 'server', 'servers')} "
            f"{servers}, which {agree(later_servers, 'does', 'do')} not answer this host "
            f"({lookups.host[later_servers[0]]})",
            f"it is set in {resolvers.configured_in} (dns)",
            f"{answering} answers this host" if answering else "",
        ),
        evidence={
            f"DNS server {server} asked from host": str(lookups.host[server])
            for server in (*later_servers, *([answering] if answering else []))
        },
        variables=cure,
        discriminator="later",
        severity=Severity.warning,
        signs=frozenset({"dns"}),
    )


def _with_guests(group: QueryGroup, containers: Containers) -> list[Container]:
    """The containers of a group, and those that live in the network namespace of one."""
    ids = {member.id for member in group.members}
    guests = [
        guest
        for guest in containers.namespace_guests
        if guest.id not in ids and containers.owner_of(guest).id in ids
    ]
    return [*group.members, *guests]


def _nobody_asks(lookups: Lookups) -> Skipped:
    if lookups.island:
        return Skipped(
            "this host has no default route and no DNS server, so there is no server outside to ask"
        )
    if lookups.closed:
        return Skipped("running containers are on internal networks only")
    return Skipped("no running container queries a DNS server through its own network")


def _finding(lost: LostQuery, users: Sequence[Container]) -> Finding:
    """users: the containers whose queries are lost, guests of others among them."""
    group = lost.group
    server = lost.server
    container = group.members[0]
    return Finding(
        subject=group.subject,
        summary=sentence(
            f"{container_names(group.members)} cannot reach DNS server {server} ({lost.reply})",
            _loss_clause(lost),
            _doubtful_origin(lost),
            _other_servers_clause(group),
        ),
        evidence=_evidence(lost),
        variables={
            "container": container.name,
            "server": server,
            "network": group.networks[0],
            **steps_for_query(lost),
            **query_way(lost),
        },
        discriminator=",".join(query.upstream.server for query in group.lost),
        severity=_severity(lost),
        touches=distinct(
            touched_subjects([group]), subjects_of(users), subjects_of(filter(None, [lost.serving]))
        ),
        calls=() if lost.apart else subjects_of(filter(None, [lost.serving])),
        signs=frozenset({"dns"}),
        recheck=(container.run,),
        service=container.service if group.subject.kind == "container" else "",
    )


def _other_servers_clause(group: QueryGroup) -> str:
    """The clause that counts the other servers of the containers that answer; "" if none does."""
    if not group.works:
        return ""
    others = count(len(group.replies) - len(group.lost), "other server")
    return f"{others} of {len(group.replies)} answers"


def _severity(lost: LostQuery) -> Severity:
    is_kept_back = lost.is_kept_from_host or lost.is_stopped_on_purpose
    if lost.is_own_doing or (is_kept_back and not lost.misses_names):
        return Severity.advice
    if lost.group.works and lost.origin.kind != "engine":
        return severity_beside_answers(query.reply for query in lost.group.lost)
    return Severity.critical


def _evidence(lost: LostQuery) -> dict[str, object]:
    """The answer of each server, from containers and from the host, and the rule that stops the
    query, as evidence."""
    group = lost.group
    from_host = lost.lookups.host
    evidence: dict[str, object] = {}
    for query in group.replies:
        upstream = query.upstream
        server = query.upstream.server
        asker = "host" if upstream.by_host else f"network {'+'.join(group.networks)}"
        answer = str(query.reply) if query.reply else "not asked"
        evidence[f"DNS server {server} asked from {asker}"] = answer
        if not upstream.by_host and server in from_host and not is_loopback(server):
            evidence[f"DNS server {server} asked from host"] = str(from_host[server])
    evidence["address of the server"] = str(lost.origin)
    if lost.rule or lost.rejected_by:
        evidence["stopped by"] = str(lost.rule or lost.rejected_by)
    evidence["containers"] = names_of(group.members)
    return evidence


def _doubtful_origin(lost: LostQuery) -> str:
    """The clause about the source of the server's address; "" where that is the host's own file."""
    return "" if lost.origin.kind == "host" else f"the server comes {lost.origin}"


def _loss_clause(lost: LostQuery) -> str:
    """The clause about the place where the query is lost, as far as the host's own query shows
    it."""
    if lost.upstream.by_host:
        return "the engine sends these queries from the host, so the containers are not the cause"
    return _loss_near_container(lost) or _loss_at_server(lost) or _loss_on_the_way(lost)


def _loss_near_container(lost: LostQuery) -> str:
    """The clause about an obstacle that keeps the query in the container; "" if none is known."""
    if lost.is_kept_from_host:
        return "the server is this host, which containers on macvlan and ipvlan cannot reach"
    if lost.is_own_doing and lost.reply.icmp == "prohibited":
        return "a VPN client does so on purpose (kill switch)"
    if lost.is_own_doing:
        return (
            "its own routes or rules block the query, as a VPN client does on purpose (kill switch)"
        )
    if lost.is_kept_in:
        return (
            "the host gets an answer, so the container's own routes or rules, as those of a VPN "
            "client, lead the query elsewhere"
        )
    if lost.reply.icmp == "prohibited":
        return "the query does not leave the container"
    if is_loopback(lost.server):
        return "that address is the container itself, and no DNS server runs in it"
    return ""


def _loss_at_server(lost: LostQuery) -> str:
    """The reason why no DNS server takes the query at that address; "" if one may be there."""
    if lost.apart is not None:
        return (
            f'{lost.apart.holder} has that address on network "{lost.apart.network}", and the '
            "engine lets no packets of other networks in"
        )
    hiding = lost.hiding
    if hiding is not None:
        holder = "no running container" if lost.holder is None else str(lost.holder)
        return (
            f"{hiding} has that address in its own subnet ({hiding.subnet4}), so the query stays "
            f"there, where {holder} has it; the host reaches the real server"
        )
    if lost.empty_place:
        return f'that address is in network "{lost.empty_place}", and no running container has it'
    if lost.reply.icmp != "refused" or lost.rule:
        return ""
    if lost.lookups.reaches(lost.server):
        return (
            "the host gets an answer, so a translation rule leads the container's query elsewhere"
        )
    if lost.elsewhere is not None:
        listener = lost.elsewhere
        return f"{listener.holder} of this host listens only at {listener.address}"
    return "the machine is reachable, but no DNS server runs there"


def _loss_on_the_way(lost: LostQuery) -> str:
    """Between which two places the query or its answer is lost."""
    if lost.rule:
        return f"the host's packet filter stops the query: {lost.rule}"
    if lost.rejected_by is not None:
        return f"{in_words(lost.rejected_by)} rejects the query"
    reaches = lost.lookups.reaches(lost.server)
    if reaches is None:
        return "the host did not ask that server"
    if not reaches:
        other_server_clause = (
            f", but {lost.answering} of {HOST_FILE} answers the host" if lost.answering else ""
        )
        return f"the host gets no answer from that server either{other_server_clause}"
    if lost.proxied is not None:
        return (
            f"{lost.proxied} serves that address of the host, "
            "but its answers come back through docker-proxy from another address"
        )
    network = lost.group.networks[0]
    if lost.networks is not None and network not in lost.networks.by_name:
        return f'the host gets an answer, and the engine has no network "{network}"'
    end = "that address of the host" if lost.server in lost.path.own else "the uplink"
    return f'the host gets an answer, so the query is lost between network "{network}" and {end}'
