"""What the DNS servers answer, asked the way that the host and its containers would ask them.

One question per server and way. The root's name servers are all that an upstream is ever asked for, a
container's own name is all that the embedded resolver is, and other names are those that the user gave.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers, is_loopback, resolving
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.recording.questions import Host, Question, question
from diagnose.registry import evidence

WITNESSES = 2
"""Containers that ask a server by one way, so that a fault of one is told from a fault of the way."""

EMBEDDED_LIMIT = 250
"""Containers whose own resolver is asked."""


class DnsReply(msgspec.Struct, frozen=True):
    """What came back. Any reply proves that the server is reachable, no more. icmp: refused, unreachable,
    prohibited or None."""

    answered: bool = False
    rcode: str | None = None
    answers: list[str] = []
    ms: float | None = None
    sent: int = 0
    icmp: str | None = None
    truncated: bool = False

    def __post_init__(self) -> None:
        if self.answered and self.ms is None:
            raise ValueError("an answer without its time")

    def __str__(self) -> str:
        if self.answered:
            return f"answered {self.rcode or 'something that is no DNS message'} in {self.ms or 0:.0f} ms"
        if self.icmp:
            return {
                "refused": "refused (nothing listens there)",
                "unreachable": "unreachable (no route, or a router said so)",
                "prohibited": "prohibited (the sender's own packet filter drops it)",
            }.get(self.icmp, self.icmp)
        return f"silent after {self.sent} queries"


class QueryPath(msgspec.Struct, frozen=True):
    """One server, asked from inside containers that share all of their networks; a loopback address is another server in each.

    networks: their names, those without a way out left away. asked: who asked, and what came back. members:
    all containers whose questions go this way.
    """

    networks: tuple[str, ...]
    server: str
    asked: tuple[tuple[Container, DnsReply], ...]
    members: tuple[Container, ...]

    @property
    def fails(self) -> bool:
        """Whether nobody who asked got a reply."""
        return not any(reply.answered for _, reply in self.asked)


class Lookups(msgspec.Struct, frozen=True):
    """host: replies to the host by server, over UDP; tcp: over TCP, of those that were silent. embedded: by
    container id.

    names: what the user's own names (--resolve) brought, by name and the host's server that was asked.
    closed: running containers on internal networks alone, which have no way out by design. island: the host leads nowhere and
    knows no server, so that what its containers were given for want of one is not asked.
    """

    host: dict[str, DnsReply]
    tcp: dict[str, DnsReply]
    ways: tuple[QueryPath, ...]
    embedded: dict[str, DnsReply]
    names: dict[tuple[str, str], DnsReply]
    closed: tuple[Container, ...]
    unasked: tuple[Unexamined, ...] = ()
    island: bool = False

    def __len__(self) -> int:
        return len(self.host) + len(self.ways) + len(self.embedded)

    def reaches(self, server: str) -> bool | None:
        """Whether the host itself gets a reply from this server; None if it was not asked."""
        reply = self.host.get(server)
        return None if reply is None else reply.answered


def _root(server: str, pid: int | None, transport: str = "udp") -> Question:
    return _query(server, ".", "NS", pid, transport)


def _query(server: str, name: str, kind: str, pid: int | None, transport: str = "udp") -> Question:
    return question("dns.query", server=server, port=53, name=name, type=kind, transport=transport, pid=pid, start=None)


@evidence
def lookups(
    host: Host,
    containers: Containers | Unavailable,
    networks: Networks | Unavailable,
    resolvers: Resolvers,
    routes: Routes | Unavailable,
    options: Options,
) -> Lookups | Unavailable:
    """All at once; then TCP where UDP was silent. Silence takes three seconds, a reply milliseconds."""
    running = list(resolving(containers)) if isinstance(containers, Containers) else []
    open_networks = _with_a_way_out(networks)
    groups: dict[tuple[tuple[str, ...], str, str], list[Container]] = {}
    by_host = dict.fromkeys(resolvers.host_servers)
    closed = []
    cut_off = isinstance(routes, Routes) and not routes.lead_out
    island = cut_off and not resolvers.host_unread and not resolvers.host_servers and not resolvers.configured
    for each in running:
        outward = tuple(sorted(name for name in each.endpoints if open_networks.get(name, True)))
        if not outward or (island and not resolvers.has_own_servers(each)):
            closed.append(each)
            continue
        for upstream in resolvers.upstreams(each):
            itself = is_loopback(upstream.server) and not upstream.by_host
            if not itself:
                by_host[upstream.server] = None
            if not upstream.by_host:
                groups.setdefault((outward, upstream.server, each.id if itself else ""), []).append(each)
    embedded = [each for each in running if _has_embedded(resolvers, each)]
    asked: dict[Question, list[Container]] = {}
    for server in by_host:
        asked[_root(server, None)] = []
    for key, members in groups.items():
        for each in members[:WITNESSES]:
            asked.setdefault(_root(key[1], each.state.pid), []).append(each)
    for each in embedded[:EMBEDDED_LIMIT]:
        asked.setdefault(_query(EMBEDDED, each.name, "A", each.state.pid), []).append(each)
    for name in options.resolve:
        for server in resolvers.host_servers[:1]:
            asked[_query(server, name, "A", None)] = []
    replies, failures = _ask(host, asked)
    if not replies and failures:
        return Unavailable.of(next(iter(failures.values())))
    silent = [
        server
        for server in by_host
        if (said := replies.get(_root(server, None))) and not said.answered and not said.icmp
    ]
    over_tcp, _ = _ask(host, [_root(server, None, "tcp") for server in silent])
    ways = []
    for key, members in sorted(groups.items()):
        heard = [
            (each, replies[asked_by])
            for each in members[:WITNESSES]
            if (asked_by := _root(key[1], each.state.pid)) in replies
        ]
        if heard:
            ways.append(QueryPath(key[0], key[1], tuple(heard), tuple(members)))
    missing = {
        Unexamined(each.subject, f"a query from its network: {failed}")
        for asked_by, failed in failures.items()
        for each in asked[asked_by]
        if failed.reason != "gone"
    } | {
        Unexamined(each.subject, f"only {EMBEDDED_LIMIT} containers' own resolvers are asked")
        for each in embedded[EMBEDDED_LIMIT:]
    }
    return Lookups(
        {server: reply for server in by_host if (reply := replies.get(_root(server, None)))},
        {server: reply for server in silent if (reply := over_tcp.get(_root(server, None, "tcp")))},
        tuple(ways),
        {
            each.id: reply
            for each in embedded
            if (reply := replies.get(_query(EMBEDDED, each.name, "A", each.state.pid)))
        },
        {
            (name, server): reply
            for name in options.resolve
            for server in resolvers.host_servers[:1]
            if (reply := replies.get(_query(server, name, "A", None)))
        },
        tuple(closed),
        (*resolvers.unread, *sorted(missing, key=lambda each: each.subject)),
        island,
    )


def _with_a_way_out(networks: Networks | Unavailable) -> dict[str, bool]:
    if not isinstance(networks, Networks):
        return {}
    return {each.name: not each.internal and each.driver not in ("null", "host") for each in networks}


def _has_embedded(resolvers: Resolvers, container: Container) -> bool:
    conf = resolvers.inside.get(container.id)
    return conf is not None and conf.is_embedded


def _ask(host: Host, asked: Iterable[Question]) -> tuple[dict[Question, DnsReply], dict[Question, Failed]]:
    replies: dict[Question, DnsReply] = {}
    failures: dict[Question, Failed] = {}
    for each, answer in host.ask_many(asked):
        if isinstance(answer, Failed):
            failures[each] = answer
        else:
            replies[each] = msgspec.convert(answer, DnsReply)
    return replies, failures
