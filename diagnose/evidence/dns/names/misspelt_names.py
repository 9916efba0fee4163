"""Names in settings that nothing resolves, while a neighbour has almost that name."""

from collections.abc import Iterator

import msgspec

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.peers.unknown_names import VARIABLE, neighbour_named_like
from diagnose.evidence.dns.names.failed_names import FailedNames, stray_names
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import QueryDns
from diagnose.registry import evidence

MOST = 8
"""Names that the engine's resolver is asked for."""
_MOST_DOMAINS = 2
LEAST = 3
_OWN = LazyPattern(
    r"(?i)^(?:HOST|HOSTNAME|(?:\w{1,40}_)?(?:VIRTUAL|LETSENCRYPT|ACME|DEFAULT|PUBLIC|EXTERNAL|ADVERTISED)_HOST"
    r"|(?:APP|NODE|SERVER|SITE|WEB|BIND|LISTEN)_(?:HOST|HOSTNAME|ADDR|ADDRESS))$"
)
"""Variables that hold the own name of a program."""
_WAITS = LazyPattern(
    r"(?i)\bwait(?:ing|s)?\b|\bretr(?:y|ies|ying)\b|\bunavailable\b|\bnot (?:yet )?(?:ready|available|reachable|up)\b"
    r"|\bsleeping\b|\bunreachable\b|\btry(?:ing)? again\b"
)
"""Words of a program that waits: Waiting for database connection, db is unavailable - sleeping."""


class MisspeltName(msgspec.Struct, frozen=True):
    """A name in the settings of a container that nothing resolves, and the similar neighbour."""

    container: Container
    name: str
    source: str
    """Its place: `environment variable DB_HOST`, or `its command`."""
    meant: str
    """The name of the neighbour."""
    peer: Container
    reply: str
    """The answer of the engine's resolver."""
    line: str = ""
    """The last line by which the program says that it waits, or that a call failed; "" for none."""

    @property
    def variable(self) -> str:
        """The variable with the name; "" where it stands in the command."""
        is_variable = self.source.startswith(VARIABLE)
        return self.source.removeprefix(VARIABLE) if is_variable else ""


class MisspeltNames(Items[MisspeltName], frozen=True):
    """The misspelt names, those of one container together."""


class _Candidate(msgspec.Struct, frozen=True):
    container: Container
    name: str
    source: str
    meant: str


@evidence
def misspelt_names(
    host: Host,
    containers: Containers,
    resolvers: Resolvers,
    failed_names: FailedNames,
    recent_logs: RecentLogs,
    clock: Clock,
) -> MisspeltNames:
    """The names that the engine's resolver does not know, and that a neighbour almost has.

    It is asked for names alone that no running container has, and that are like one on the
    container's networks. A name that the log itself calls unknown is left out: the finding about
    that line has it.
    """
    candidates = [
        candidate
        for container in containers.running
        for candidate in _candidates(container, containers, resolvers, failed_names)
    ]
    names = []
    for candidate in host.first(candidates, MOST, "names that no container has"):
        reply = _denial(host, candidate, resolvers)
        peers = containers.by_dns_name.get(candidate.meant, ())
        if reply and peers:
            container = candidate.container
            names.append(
                MisspeltName(
                    container,
                    candidate.name,
                    candidate.source,
                    candidate.meant,
                    peer=peers[0],
                    reply=reply,
                    line=_line_that_waits(container, recent_logs, clock),
                )
            )
    return MisspeltNames(tuple(names))


def _candidates(
    container: Container, containers: Containers, resolvers: Resolvers, failed_names: FailedNames
) -> Iterator[_Candidate]:
    """The names that its settings call, that no container has, and that are like a neighbour's."""
    conf = resolvers.inside.get(container.id)
    if conf is None or not conf.is_embedded:
        return
    logged = {failed.name for failed in failed_names.of(container) if failed.is_by_log}
    for name, source in stray_names(container, containers.names_by_network).items():
        variable = source.removeprefix(VARIABLE)
        if name in logged or name in containers.by_dns_name or _OWN.search(variable):
            continue
        meant = neighbour_named_like(name, container, containers)
        if meant and name.lower() != meant.lower():
            yield _Candidate(container, name, source, meant)


def _denial(host: Host, candidate: _Candidate, resolvers: Resolvers) -> str:
    """The answer of the engine's resolver that the name has no address; "" where it has one.

    A search domain may have the name.
    """
    pid = candidate.container.state.pid
    conf = resolvers.inside[candidate.container.id]
    domains = [domain.strip(".") for domain in conf.search if domain.strip(".")]
    names = [candidate.name, *(f"{candidate.name}.{domain}" for domain in domains[:_MOST_DOMAINS])]
    queries = [QueryDns(EMBEDDED, name, "A", pid=pid) for name in names]
    replies = []
    for _, reply in host.ask_about(queries, lambda query: query):
        if isinstance(reply, Failed) or reply.knows:
            return ""
        replies.append(str(reply))
    return replies[0] if len(domains) <= _MOST_DOMAINS else ""


def _line_that_waits(container: Container, recent_logs: RecentLogs, clock: Clock) -> str:
    """The last line that reports a failed call or a wait; "" where it is not repeated."""
    lines = recent_logs.repeated(container, _waits, clock, LEAST)
    return lines[-1].text if lines else ""


def _waits(text: str) -> bool:
    return bool(signs(text) & CALL_FAILED) or _WAITS.search(text) is not None
