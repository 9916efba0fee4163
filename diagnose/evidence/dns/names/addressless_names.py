"""Names that a server knows without an IPv4 address."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.hosts_file import HostsFile
from diagnose.evidence.dns.names.unresolved_names import (
    NameAtServer,
    UnresolvedName,
    unresolved_names,
)
from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.watchers import Watchers
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

_MOST = 8
"""Names that are asked about again."""


class AddresslessName(NameAtServer, frozen=True):
    """A name without an IPv4 address, and its server's reply for IPv6 addresses."""

    ipv6: DnsReply | None
    """None where that question got no answer."""


class AddresslessNames(Items[AddresslessName], frozen=True):
    """The names without an address, one for each name of a container, by its first such server."""


class _QuestionForIpv6(msgspec.Struct, frozen=True):
    """A name without an IPv4 address, and from where its server is asked once more."""

    failure: UnresolvedName
    server: str
    ipv4: DnsReply
    pid: int | None

    def query(self) -> QueryDns:
        return QueryDns(self.server, self.failure.name.name, "AAAA", pid=self.pid)

    def answered(self, reply: DnsReply | Failed) -> AddresslessName:
        """The name with the server's present reply."""
        ipv6 = None if isinstance(reply, Failed) else reply
        return AddresslessName(self.failure, self.server, self.ipv4, ipv6)


@evidence
def addressless_names(
    host: Host,
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    resolvers: Resolvers,
    hosts_file: HostsFile | None,
    watchers: Watchers | None,
) -> AddresslessNames:
    """The failed names that a server knows without an IPv4 address, with its reply for AAAA.

    The collector asks nothing about a name that some server of the container knows, or that another
    one denies.
    """
    failures = [
        failure
        for failure in unresolved_names(containers, failed_names, lookups, watchers)
        if not failure.is_known and not failure.is_elsewhere(containers, hosts_file)
    ]
    questions: list[_QuestionForIpv6] = []
    for failure in host.first(failures, _MOST, "names without an address"):
        decisive = failure.decisive
        if decisive is None or decisive.rcode != "NOERROR" or failure.completed(lookups):
            continue
        for upstream in resolvers.upstreams(failure.container):
            if failure.replies.get(upstream.server) is decisive:
                pid = asking_pid(failure.container, upstream)
                questions.append(_QuestionForIpv6(failure, upstream.server, decisive, pid))
                break
    answers = host.ask_about(questions, _QuestionForIpv6.query)
    return AddresslessNames(tuple(question.answered(reply) for question, reply in answers))
