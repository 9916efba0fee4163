"""DNS servers that answer questions for IPv4 addresses, and none for IPv6 addresses."""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.questions import Host, Question
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

_FIRST = "."
_SECOND = "com."
"""Two names that every resolver knows, or refuses at once: a server that is silent about both does
not answer the kind of question."""
_MOST = 12
"""Ways on which servers are asked."""


_Replies = dict[Question[DnsReply], DnsReply]
"""The replies; queries that could not be sent are left out."""


class IgnoredQuestions(msgspec.Struct, frozen=True):
    """A DNS server that leaves AAAA questions without an answer."""

    server: str
    ipv4: DnsReply
    """The reply to a question for IPv4 addresses (A)."""
    ipv6: DnsReply
    """The lack of a reply to the same question for IPv6 addresses (AAAA)."""


class ServersWithoutAaaa(Items[IgnoredQuestions], frozen=True):
    """The servers that were asked twice, about two names."""


@evidence
def servers_without_aaaa(host: Host, lookups: Lookups) -> ServersWithoutAaaa:
    """The servers that answer a question for A and leave one for AAAA unanswered.

    A server that answers is asked for AAAA once; one that is silent then, for three things more.
    Programs ask for both kinds of addresses, and wait for both answers: 5 s in glibc and musl.
    """
    answering = host.first(
        list(dict.fromkeys(_answering_ways(lookups))), _MOST, "DNS servers that answer for A"
    )
    first = _ask(host, (_query(way, _FIRST, "AAAA") for way in answering))
    suspects = [way for way in answering if _is_silent(first.get(_query(way, _FIRST, "AAAA")))]
    if not suspects:
        return ServersWithoutAaaa()
    kinds = ((_FIRST, "A"), (_SECOND, "A"), (_SECOND, "AAAA"))
    more = _ask(host, (_query(way, *kind) for way in suspects for kind in kinds))
    return ServersWithoutAaaa(tuple(_ignored_questions(suspects, first | more)))


class _QueryWay(msgspec.Struct, frozen=True):
    """A server, and the namespace from which it is asked."""

    server: str
    pid: int | None
    """The process in whose network namespace it is asked; None for the host's."""


def _answering_ways(lookups: Lookups) -> Iterator[_QueryWay]:
    """The servers that answered the host, and those that answered a container."""
    for server, reply in lookups.host.items():
        if reply.answered:
            yield _QueryWay(server, pid=None)
    for path in lookups.ways:
        for container, reply in path.replies:
            if reply.answered:
                yield _QueryWay(path.server, pid=container.state.pid)


def _query(way: _QueryWay, name: str, kind: str) -> QueryDns:
    return QueryDns(way.server, name, kind, pid=way.pid)


def _ask(host: Host, queries: Iterable[QueryDns]) -> _Replies:
    answers = host.ask_many(queries)
    return {query: reply for query, reply in answers if not isinstance(reply, Failed)}


def _is_silent(reply: DnsReply | None) -> bool:
    return reply is not None and not reply.answered and reply.icmp is None


def _ignored_questions(
    suspects: Iterable[_QueryWay], replies: _Replies
) -> Iterator[IgnoredQuestions]:
    """The ways on which a server answers for IPv4, and is silent to the same names for IPv6."""
    for way in suspects:
        of = {
            (name, kind): replies.get(_query(way, name, kind))
            for name in (_FIRST, _SECOND)
            for kind in ("A", "AAAA")
        }
        ipv4 = of[_SECOND, "A"]
        ipv6 = of[_SECOND, "AAAA"]
        answers_both = all(
            (reply := of[name, "A"]) and reply.answered for name in (_FIRST, _SECOND)
        )
        if ipv4 is None or ipv6 is None:
            continue
        if answers_both and _is_silent(ipv6):
            yield IgnoredQuestions(way.server, ipv4, ipv6)
