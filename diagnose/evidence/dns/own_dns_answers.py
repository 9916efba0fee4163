"""Answers of DNS servers in containers to their own health checks and to others."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

_ASKS = LazyPattern(
    r"(?<![\w.-])(?:nslookup|k?dig|drill|host)\s[^|&;\n]{0,200}(?:127\.0\.0\.1|[@ ]localhost)(?![\w.-])"
)
"""Programs with which health checks of DNS servers ask them, by the address of their loopback."""
_HERE = "127.0.0.1"
_DNS = 53
_MOST = 5


class OwnDnsAnswers(msgspec.Struct, frozen=True):
    """The answers of unhealthy servers whose probe asks themselves, by container id."""

    inside: dict[str, DnsReply]
    """The answers to a question from their own loopback."""
    outside: dict[str, DnsReply]
    """To the same question from this host."""

    def __len__(self) -> int:
        return len(self.inside)

    def is_shut_out(self, container: Container) -> bool:
        """Whether a server answers others, but not queries from its own loopback."""
        inside = self.inside.get(container.id)
        outside = self.outside.get(container.id)
        if inside is None or outside is None or not outside.answered:
            return False
        is_refused = inside.rcode == "REFUSED" and outside.rcode != "REFUSED"
        return is_refused or (not inside.answered and inside.icmp is None)


@evidence
def own_dns_answers(
    host: Host, containers: Containers, namespaces: Namespaces | None
) -> OwnDnsAnswers:
    """The answers of unhealthy DNS servers to their own probes, and to others.

    Both questions are about the root's name servers, which every resolver knows or refuses.
    """
    self_asking = [
        container for container in containers.running if _asks_itself(container, namespaces)
    ]
    chosen = host.first(self_asking, _MOST, "containers with a DNS server of their own")
    questions = [question for container in chosen for question in _questions(container)]
    inside: dict[str, DnsReply] = {}
    outside: dict[str, DnsReply] = {}
    for question, reply in host.ask_about(questions, lambda question: question.query):
        if not isinstance(reply, Failed):
            replies = inside if question.is_inside else outside
            replies[question.container_id] = reply
    return OwnDnsAnswers(inside, outside)


class _Question(msgspec.Struct, frozen=True):
    """A query to a server, from its own loopback or from this host."""

    container_id: str
    query: QueryDns
    is_inside: bool


def _questions(container: Container) -> Iterator[_Question]:
    inside = QueryDns(_HERE, ".", "NS", pid=container.state.pid)
    yield _Question(container.id, inside, is_inside=True)
    address = next((end.ip_address for end in container.endpoints.values()), "")
    if address:
        yield _Question(container.id, QueryDns(address, ".", "NS"), is_inside=False)


def _asks_itself(container: Container, namespaces: Namespaces | None) -> bool:
    """Whether the probe of an unhealthy container asks the DNS server in it."""
    netns = namespaces.of(container) if namespaces is not None else None
    healthcheck = container.config.healthcheck
    words = " ".join((healthcheck.test if healthcheck is not None else None) or ())
    serves = netns is not None and bool(netns.sockets("udp", _DNS))
    return container.is_unhealthy and serves and _ASKS.search(words) is not None
