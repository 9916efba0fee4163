"""Replies of the DNS servers, asked from the host and from container networks.

Each server takes one question per path. An upstream is asked for the root's name servers, the
embedded resolver for names of containers. Other names are those that the user gave, and those that
a container asked itself and could not resolve. The servers are also sent several queries each: one
that answers some of them is not silent (see `samples`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.query_plan import (
    EMBEDDED_LIMIT,
    WITNESSES,
    QueryPlan,
    name_query,
    plan_queries,
    root_query,
)
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.run.options import Options
from diagnose.mappings import Key, first_of
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.questions import Host, Question
from diagnose.questions.dns import DnsReply, DnsSample, QueryDns, SampleDns
from diagnose.registry import evidence

__all__ = ["DnsReply", "Lookups", "QueryPath", "lookups"]


class QueryPath(msgspec.Struct, frozen=True):
    """A server, asked from inside containers that share all of their networks.

    A loopback address is another server in each.
    """

    networks: tuple[str, ...]
    """The names of the networks, without those that have no way out."""
    server: str
    replies: tuple[tuple[Container, DnsReply], ...]
    """The askers and their replies."""
    members: tuple[Container, ...]
    """All containers whose questions take this path."""

    @property
    def fails(self) -> bool:
        """Whether no asker got a reply."""
        return not any(reply.answered for _, reply in self.replies)

    @property
    def may_be_changed(self) -> bool:
        """Whether a container on this way may change its own routes."""
        return any(member.may_route_itself for member in self.members)


class ServiceLookup(msgspec.Struct, frozen=True):
    """The reply of the engine's resolver for a container's name."""

    witness: Container
    """The container from whose network the name was asked."""
    reply: DnsReply


class Lookups(msgspec.Struct, frozen=True):
    """The replies of DNS servers, by server, container and name."""

    host: dict[str, DnsReply] = {}
    """Replies to the host by server, over UDP."""
    tcp: dict[str, DnsReply] = {}
    """The replies over TCP of servers that were silent over UDP."""
    ways: tuple[QueryPath, ...] = ()
    embedded: dict[str, DnsReply] = {}
    """The replies of the engine's resolver, by container id."""
    names: dict[tuple[str, str], DnsReply] = {}
    """The replies for the user's own names (--resolve), by name and the host's server that was
    asked."""
    closed: tuple[Container, ...] = ()
    """Running containers on internal networks alone, which have no way out by design."""
    unasked: tuple[Unexamined, ...] = ()
    island: bool = False
    """Whether the host leads nowhere and knows no server, so that the engine's fallback servers are
    not asked."""
    services: dict[str, ServiceLookup] = {}
    """The user's names that are names of containers."""
    failed: dict[str, dict[tuple[str, str], DnsReply]] = {}
    """Names that a container's log says it could not resolve, by container id, name and server."""
    forwarded: dict[str, DnsReply] = {}
    """The replies of the engine's resolver to a query that it can only forward, by container id,
    where the engine does not write down which server it asks."""
    probes: tuple[QueryPath, ...] = ()
    """Queries from networks whose containers ask the engine's resolver, sent past that resolver,
    where the engine writes no rules or the network is macvlan: only they show whether the network
    has a way out."""
    wildcards: dict[str, DnsReply] = {}
    """The replies of the host's first server to `*` in search domains of containers that call a
    short name which no container near them has: every name there has an address (RFC 4592)."""

    tcp_for_large: dict[str, DnsReply] = {}
    """Replies over TCP of servers that cut an answer about a failed name short."""

    def __len__(self) -> int:
        return len(self.host) + len(self.ways) + len(self.embedded)

    def reached_from(self, network: str) -> bool | None:
        """Whether some DNS server answers queries that leave through this network alone.

        None where no such query was sent.
        """
        paths = [path for path in (*self.ways, *self.probes) if path.networks == (network,)]
        tried = [path for path in paths if path.replies]
        return not all(path.fails for path in tried) if tried else None

    @property
    def silent_networks(self) -> frozenset[str]:
        """The networks from which no DNS server has answered any container that asked."""
        paths = (*self.ways, *self.probes)
        answered = {name for path in paths if not path.fails for name in path.networks}
        networks_with_replies = {name for path in paths if path.replies for name in path.networks}
        return frozenset(networks_with_replies - answered)

    def failed_by_name(self, container: Container) -> dict[str, dict[str, DnsReply]]:
        """The reply of each server for the names that a container could not resolve."""
        return _by_name(self.failed.get(container.id, {}))

    @property
    def user_names(self) -> dict[str, dict[str, DnsReply]]:
        """The reply of each server of the host for the names that the user gave."""
        return _by_name(self.names)

    def answers_by_tcp(self, server: str) -> bool:
        """Whether a server that was silent over UDP answers the host over TCP."""
        reply = self.tcp.get(server)
        return reply is not None and reply.answered

    def reaches(self, server: str) -> bool | None:
        """Whether the host itself gets a reply from this server; None if it was not asked."""
        reply = self.host.get(server)
        return None if reply is None else reply.answered


def _by_name(replies: Mapping[tuple[str, str], DnsReply]) -> dict[str, dict[str, DnsReply]]:
    by_name: dict[str, dict[str, DnsReply]] = {}
    for (name, server), reply in replies.items():
        by_name.setdefault(name, {})[server] = reply
    return by_name


def _reason_unasked(failure: Failed) -> Unavailable:
    """The reason why there is no reply at all.

    Without probes no lookup applies, as the user requested.
    """
    if failure.reason == "not allowed":
        return Unavailable("not applicable", failure.detail)
    return Unavailable.of(failure)


@evidence
def lookups(
    host: Host,
    containers: Containers | None,
    networks: Networks | None,
    resolvers: Resolvers,
    routes: Routes | None,
    options: Options,
    failed_names: FailedNames | None,
    config: DaemonConfig | None,
) -> Lookups | Unavailable:
    """The replies of all planned queries, at once; then those over TCP where UDP was silent.

    Silence takes three seconds, a reply milliseconds.
    """
    writes_rules = config is None or config.writes_rules
    plan = plan_queries(
        containers,
        networks,
        resolvers=resolvers,
        routes=routes,
        options=options,
        failed_names=failed_names,
        writes_rules=writes_rules,
    )
    queries = plan.questions(options.resolve)
    answers = _ask(host, [*queries, *plan.samples()])
    _answer_by_samples(answers.replies, answers.samples)
    answers.replies |= _asked_from_host(host, plan, answers.failures)
    if not answers.replies and answers.failures:
        return _reason_unasked(first_of(answers.failures.values()))
    unasked = (*resolvers.unread, *_unasked_containers(plan, queries, answers.failures))
    return _lookups_of_plan(host, plan, options.resolve, answers.replies, unasked)


def _lookups_of_plan(
    host: Host,
    plan: QueryPlan,
    wanted_names: tuple[str, ...],
    replies: dict[QueryDns, DnsReply],
    unasked: tuple[Unexamined, ...],
) -> Lookups:
    """The replies, sorted by the purpose of their queries.

    wanted_names: the names that the user asks about.
    """
    failed = _failed_replies(plan, replies)
    by_host = _answered_queries(
        replies, {server: root_query(server, None) for server in plan.servers}
    )
    forwarding = {
        member.id: root_query(EMBEDDED, member.state.pid) for member in plan.forwarding[:WITNESSES]
    }
    return Lookups(
        by_host,
        tcp=_tcp_replies(host, by_host),
        ways=tuple(_paths(plan, replies)),
        embedded=_answered_queries(
            replies, {member.id: _own_name(member) for member in plan.embedded}
        ),
        names=_answered_queries(replies, dict(_names_of_user(wanted_names, plan.resolvers))),
        closed=tuple(plan.closed),
        unasked=unasked,
        island=plan.island,
        services=_services(plan, replies),
        failed=failed,
        forwarded=_answered_queries(replies, forwarding),
        probes=tuple(_probes(plan, replies)),
        wildcards=_answered_queries(replies, plan.wildcards()),
        tcp_for_large=_tcp_replies_for_large(host, failed),
    )


def _asked_from_host(
    host: Host, plan: QueryPlan, failures: Mapping[QueryDns, Failed]
) -> dict[QueryDns, DnsReply]:
    """The host's replies for queries of containers whose run has ended meanwhile."""
    queries = {
        failed.query: name_query(failed.server, failed.name, None)
        for failed in plan.failed
        if failed.may_ask_from_host and failed.query in failures
        if failures[failed.query].reason == "gone"
    }
    return _answered_queries(_ask(host, queries.values()).replies, queries)


def _answered_queries(
    replies: Mapping[QueryDns, DnsReply], queries: Mapping[Key, QueryDns]
) -> dict[Key, DnsReply]:
    """The replies by the purpose of their queries; queries without any reply are left out."""
    return {key: replies[query] for key, query in queries.items() if query in replies}


def _tcp_replies(host: Host, by_host: Mapping[str, DnsReply]) -> dict[str, DnsReply]:
    """The replies over TCP of servers that were silent over UDP."""
    silent = [server for server, reply in by_host.items() if not reply.answered and not reply.icmp]
    queries = {server: root_query(server, None, "tcp") for server in silent}
    return _answered_queries(_ask(host, queries.values()).replies, queries)


def _tcp_replies_for_large(
    host: Host, failed: Mapping[str, Mapping[tuple[str, str], DnsReply]]
) -> dict[str, DnsReply]:
    """The replies over TCP of servers whose answer about a failed name was too large for UDP."""
    servers = {
        server
        for replies in failed.values()
        for (_, server), reply in replies.items()
        if reply.truncated and server != EMBEDDED
    }
    queries = {server: root_query(server, None, "tcp") for server in sorted(servers)}
    return _answered_queries(_ask(host, queries.values()).replies, queries) if queries else {}


def _own_name(container: Container) -> QueryDns:
    """The query of a container for its own name, which the engine's resolver knows."""
    return name_query(EMBEDDED, container.name, container.state.pid)


def _names_of_user(
    names: Iterable[str], resolvers: Resolvers
) -> Iterator[tuple[tuple[str, str], QueryDns]]:
    """The query of the host for each name of the user, by name and server."""
    for name in names:
        for server in resolvers.host_servers:
            yield (name, server), name_query(server, name, None)


def _services(plan: QueryPlan, replies: Mapping[QueryDns, DnsReply]) -> dict[str, ServiceLookup]:
    queries = {
        name: name_query(EMBEDDED, name, container.state.pid)
        for name, container in plan.services.items()
    }
    by_name = _answered_queries(replies, queries)
    return {name: ServiceLookup(plan.services[name], reply) for name, reply in by_name.items()}


def _probes(plan: QueryPlan, replies: Mapping[QueryDns, DnsReply]) -> Iterator[QueryPath]:
    for (networks, server), container in plan.probes.items():
        reply = replies.get(root_query(server, container.state.pid))
        if reply is not None:
            yield QueryPath(networks, server, ((container, reply),), (container,))


def _answer_by_samples(
    replies: dict[QueryDns, DnsReply], samples: dict[SampleDns, DnsSample]
) -> None:
    """Marks silent servers as answered where others of several queries came back."""
    by_server: dict[str, DnsSample] = {}
    for sent, sample in samples.items():
        if sample.loses_some:
            by_server.setdefault(sent.server, sample)
    for query, reply in replies.items():
        is_for_root = query.name == "." and query.transport == "udp"
        if not is_for_root or reply.answered or reply.icmp:
            continue
        own_sample = samples.get(SampleDns(query.server, query.pid), by_server.get(query.server))
        if own_sample is not None and own_sample.answered:
            replies[query] = DnsReply(
                answered=True,
                rcode=own_sample.rcode,
                ms=own_sample.ms or 0.0,
                sent=reply.sent + own_sample.sent,
            )


def _paths(plan: QueryPlan, replies: dict[QueryDns, DnsReply]) -> Iterator[QueryPath]:
    for way, members in sorted(plan.groups.items(), key=lambda entry: entry[0]):
        witnesses = [
            (member, reply)
            for member in members[:WITNESSES]
            if (reply := replies.get(root_query(way.server, member.state.pid)))
        ]
        if witnesses:
            yield QueryPath(way.networks, way.server, tuple(witnesses), tuple(members))


def _failed_replies(
    plan: QueryPlan, replies: dict[QueryDns, DnsReply]
) -> dict[str, dict[tuple[str, str], DnsReply]]:
    """The replies of servers for the names that logs report as failed, by container id."""
    failed_replies: dict[str, dict[tuple[str, str], DnsReply]] = {}
    for failed in plan.failed:
        reply = replies.get(failed.query)
        if reply is not None:
            of_container = failed_replies.setdefault(failed.container.id, {})
            of_container[(failed.name, failed.server)] = reply
    return failed_replies


def _unasked_containers(
    plan: QueryPlan, queries: dict[QueryDns, list[Container]], failures: dict[QueryDns, Failed]
) -> list[Unexamined]:
    """The containers whose query was not sent, or went unanswered for a reason of this host."""
    missing = {
        Unexamined(container.subject, f"a query from its network: {failed}")
        for query, failed in failures.items()
        for container in queries[query]
        if failed.reason != "gone"
    } | {
        Unexamined(container.subject, f"only {EMBEDDED_LIMIT} containers' own resolvers are asked")
        for container in plan.embedded[EMBEDDED_LIMIT:]
    }
    return sorted(missing, key=lambda unexamined: (unexamined.subject, unexamined.why))


def _ask(host: Host, queries: Iterable[QueryDns | SampleDns]) -> _Answers:
    """All replies, samples and failures, by their query."""
    answers = _Answers(replies={}, samples={}, failures={})
    for query, answer in host.ask_in_order(queries, _as_question):
        match query, answer:
            case QueryDns(), Failed():
                answers.failures[query] = answer
            case QueryDns(), DnsReply():
                answers.replies[query] = answer
            case SampleDns(), DnsSample():
                answers.samples[query] = answer
    return answers


class _Answers(msgspec.Struct):
    """The replies, samples and failures, by query."""

    replies: dict[QueryDns, DnsReply]
    samples: dict[SampleDns, DnsSample]
    failures: dict[QueryDns, Failed]


def _as_question(query: QueryDns | SampleDns) -> Question[DnsReply | DnsSample]:
    """A query of either kind: both kinds are asked at once."""
    return cast("Question[DnsReply | DnsSample]", query)
