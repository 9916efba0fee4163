"""Names that a server knows by their IPv4 addresses, and denies by their IPv6 addresses."""

from __future__ import annotations

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.failed_names import FailedNames
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.dns.unresolved_names import NameAtServer, UnresolvedName, unresolved_names
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

_MOST = 12
"""Names that are asked about again."""


class HalfKnownName(NameAtServer, frozen=True):
    """A name that a container cannot resolve, though its server gives it an IPv4 address."""

    ipv6: DnsReply
    """The error that it answers to the same question for IPv6 addresses (AAAA)."""


class HalfKnownNames(Items[HalfKnownName], frozen=True):
    """One for each name of a container, by the first of its servers that errs so."""


@evidence
def half_known_names(
    host: Host,
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    resolvers: Resolvers,
) -> HalfKnownNames:
    """A server that knows a failed name is asked for its IPv6 addresses too.

    A name without any answers NOERROR and nothing (RFC 8020). musl asks for both kinds of
    addresses, and takes an error about one of them for the answer about the name.
    """
    known = [
        failure
        for failure in unresolved_names(containers, failed_names, lookups)
        if failure.is_known
    ]
    queries = {
        QueryDns(server, failure.name.name, "AAAA", pid=pid): (failure, server)
        for failure in host.first(known, _MOST, "known names that failed in a log")
        for server, pid in _ways(failure, resolvers)
    }
    found: dict[tuple[str, str], HalfKnownName] = {}
    for query, reply in host.ask_about(list(queries), lambda query: query):
        failure, server = queries[query]
        if not isinstance(reply, Failed) and _is_error(reply):
            key = (failure.container.id, failure.name.name)
            found.setdefault(key, HalfKnownName(failure, server, failure.replies[server], reply))
    return HalfKnownNames(tuple(found.values()))


def _ways(failure: UnresolvedName, resolvers: Resolvers) -> Iterator[tuple[str, int | None]]:
    """The servers that know the name, each with the process from whose network they are asked."""
    container = failure.container
    for upstream in resolvers.upstreams(container):
        reply = failure.replies.get(upstream.server)
        if reply is not None and reply.knows:
            yield upstream.server, asking_pid(container, upstream)


def _is_error(reply: DnsReply) -> bool:
    return reply.rcode is not None and reply.rcode != "NOERROR"
