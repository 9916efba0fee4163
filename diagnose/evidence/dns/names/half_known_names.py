"""Names that a server knows by their IPv4 addresses, and denies by their IPv6 addresses."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.unresolved_names import (
    NameAtServer,
    UnresolvedName,
    unresolved_names,
)
from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import Resolvers
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
    """Names without IPv6, one for each name of a container, by its first server that errs."""


class _QuestionForIpv6(msgspec.Struct, frozen=True):
    """A name that a server knows, and the process from whose namespace it is asked once more."""

    failure: UnresolvedName
    server: str
    pid: int | None

    def query(self) -> QueryDns:
        return QueryDns(self.server, self.failure.name.name, "AAAA", pid=self.pid)


@evidence
def half_known_names(
    host: Host,
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    resolvers: Resolvers,
) -> HalfKnownNames:
    """The failed names that a server knows, but denies for IPv6.

    Such a server is asked for AAAA too. A name without IPv6 addresses gets NOERROR and nothing (RFC
    8020). musl asks for both kinds of addresses, and takes an error about one of them for the
    answer about the name.
    """
    known_names = [
        failure
        for failure in unresolved_names(containers, failed_names, lookups)
        if failure.is_known
    ]
    questions = [
        question
        for failure in host.first(known_names, _MOST, "known names that failed in a log")
        for question in _questions_for_ipv6(failure, resolvers)
    ]
    names: dict[tuple[str, str], HalfKnownName] = {}
    for question, reply in host.ask_about(questions, _QuestionForIpv6.query):
        if not isinstance(reply, Failed) and _is_error(reply):
            failure = question.failure
            server = question.server
            key = (failure.container.id, failure.name.name)
            names.setdefault(key, HalfKnownName(failure, server, failure.replies[server], reply))
    return HalfKnownNames(tuple(names.values()))


def _questions_for_ipv6(
    failure: UnresolvedName, resolvers: Resolvers
) -> Iterator[_QuestionForIpv6]:
    """The AAAA questions to each server that knows the name."""
    container = failure.container
    for upstream in resolvers.upstreams(container):
        reply = failure.replies.get(upstream.server)
        if reply is not None and reply.knows:
            yield _QuestionForIpv6(failure, upstream.server, asking_pid(container, upstream))


def _is_error(reply: DnsReply) -> bool:
    return reply.rcode is not None and reply.rcode != "NOERROR"
