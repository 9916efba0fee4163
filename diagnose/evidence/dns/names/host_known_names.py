"""Names that containers cannot resolve, and that the host's own DNS servers give the host."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.unresolved_names import unresolved_names
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import family_of, is_address
from diagnose.evidence.network.calls.watchers import Watchers
from diagnose.evidence.network.host_stack import HostStack
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.trace import trace
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import QueryDns
from diagnose.registry import evidence

_HERE = "127.0.0.1"
"""The target of a redirection of the host's own packets."""
_MOST = 4
"""Names that are asked for."""


class Redirect(msgspec.Struct, frozen=True):
    """The target of a rule that redirects the host's own queries, and the rule."""

    address: str
    port: int
    rule: str


class HostAnswer(msgspec.Struct, frozen=True):
    """The server and the address with which the host resolves a name."""

    server: str
    address: str
    redirect: Redirect | None = None
    """The translation of the host's own queries to that server; containers' queries have none."""


class HostKnownName(msgspec.Struct, frozen=True):
    """A name that a container cannot resolve, and its host can."""

    answer: HostAnswer
    denied_by: tuple[str, ...]
    """The servers of the container that deny the name."""
    is_without_address: bool = False
    """Whether these servers know the name, and give no address for it."""

    @property
    def is_of_one_server(self) -> bool:
        """Whether one server gives the host an answer that it denies the container."""
        return self.answer.server in self.denied_by


class HostKnownNames(msgspec.Struct, frozen=True):
    """The names that the host's servers know, of those that a container's servers deny."""

    by_caller: Mapping[tuple[str, str], HostKnownName] = {}
    """By the id of the container, and the name."""

    def of(self, container: Container, name: str) -> HostKnownName | None:
        return self.by_caller.get((container.id, name))


@evidence
def host_known_names(
    host: Host,
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    resolvers: Resolvers,
    watchers: Watchers | None,
    host_stack: HostStack | None,
) -> HostKnownNames:
    """The host's servers are asked, as its own programs do, only for names that were denied.

    Names that a monitor or a crawler has found gone are left out: the server of the container may
    deny them on purpose.
    """
    denied = [
        failure
        for failure in unresolved_names(containers, failed_names, lookups, watchers)
        if failure.is_denied and not (failure.is_known or failure.is_watched)
    ]
    names = dict.fromkeys(failure.name.name for failure in denied if "." in failure.name.name)
    denied_names = host.first(list(names), _MOST, "names that were denied")
    answers = _host_answers(host, denied_names, resolvers.host_servers)
    known_names = {}
    for failure in denied:
        answer = answers.get(failure.name.name)
        if answer is not None:
            denials = {server: reply for server, reply in failure.replies.items() if reply.denies}
            known_name = _known_name(answer, tuple(denials), host_stack)
            place = (failure.container.id, failure.name.name)
            is_without_address = all(reply.rcode == "NOERROR" for reply in denials.values())
            known_names[place] = msgspec.structs.replace(
                known_name, is_without_address=is_without_address
            )
    return HostKnownNames(known_names)


def _host_answers(
    host: Host, names: Sequence[str], servers: Sequence[str]
) -> dict[str, HostAnswer]:
    """The host's answers for these names, without names that the host does not know either."""
    queries = [QueryDns(server, name, "A") for name in names for server in servers]
    replies = dict(host.ask_many(queries))
    answers = {}
    for name in names:
        replies_by_server = (
            (server, replies.get(QueryDns(server, name, "A"))) for server in servers
        )
        answer = _first_decision(replies_by_server)
        if answer is not None:
            answers[name] = answer
    return answers


def _known_name(
    answer: HostAnswer, refusing: tuple[str, ...], host_stack: HostStack | None
) -> HostKnownName:
    """A name with the rule that redirects the host's queries away from a refusing server."""
    known_name = HostKnownName(answer, refusing)
    if not known_name.is_of_one_server:
        return known_name
    redirect = _redirect(host_stack, answer.server)
    return HostKnownName(msgspec.structs.replace(answer, redirect=redirect), refusing)


def _first_decision(
    replies_by_server: Iterable[tuple[str, DnsReply | Failed | None]],
) -> HostAnswer | None:
    """The address that the first server gives which decides; a denial ends a program's search."""
    for server, reply in replies_by_server:
        if reply is None or isinstance(reply, Failed):
            continue
        if reply.denies:
            return None
        address = next(filter(is_address, reply.answers), "")
        if reply.knows and address:
            return HostAnswer(server, address)
    return None


def _redirect(host_stack: HostStack | None, server: str) -> Redirect | None:
    """The rule that redirects the host's own queries for this server to another one."""
    if host_stack is None or family_of(server) != "ip":
        return None
    traced = trace(host_stack.stack, Flow(Origin(), server, "udp", DNS_PORT))
    if traced.nat is None or traced.nat_by is None or traced.nat_unknown:
        return None
    stays = _HERE if traced.nat.kind == "redirect" else server
    address = traced.nat.address or stays
    port = traced.nat.port or DNS_PORT
    return Redirect(address, port, str(traced.nat_by))
