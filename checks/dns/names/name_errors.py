"""Names that a container calls and that its DNS servers answer with an error, or not at all."""

from collections.abc import Sequence

from checks.dns.helpers import FAILED_CONTAINERS, scope_of_error
from diagnose.evidence.containers.addresses.proxy_settings import EngineProxy, proxy_of_engine_alone
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.dead_servers import serving
from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.forwarding_circles import ForwardingCircles
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.failing_servers import FailingServer, failures_by_error
from diagnose.evidence.dns.names.half_known_names import HalfKnownName, HalfKnownNames
from diagnose.evidence.dns.names.host_known_names import HostKnownNames
from diagnose.evidence.dns.names.hosts_file import HostsFile
from diagnose.evidence.dns.names.unchecked_names import UncheckedNames
from diagnose.evidence.dns.names.unresolved_names import (
    ServerError,
    UnresolvedName,
    unresolved_names,
)
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.network.calls.watchers import Watchers
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.first_steps.dns.name_cures import steps_for_failing_server, steps_for_name
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, first_of, names_of, present, subjects_of
from diagnose.model import HOST, CheckResult, EvidenceGroup, Finding, Severity
from diagnose.phrases import agree, and_more, joined, named, quoted, sentence
from diagnose.registry import check


class ServerHolders(EvidenceGroup, frozen=True):
    """Evidence of the program of this host that is the DNS server at an address, and of the
    names that it answers."""

    listeners: Listeners | None
    links: Interfaces | None
    forwarding_circles: ForwardingCircles | None
    unchecked_names: UncheckedNames | None


@check("dns.server-fails", severity=Severity.critical, causes=FAILED_CONTAINERS)
def server_fails(
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    holders: ServerHolders,
    hosts_file: HostsFile | None,
    half_known_names: HalfKnownNames | None,
    watchers: Watchers | None,
) -> CheckResult:
    """A DNS server answers with an error instead of looking names up.

    REFUSED: the server does not serve this host, since the host's address is not on its list or the
    host has asked too often. SERVFAIL: the server could not find out, since its own servers do not
    answer or the name's signatures are wrong (DNSSEC): it is asked once more without that check,
    and knows the name then.

    A container's log says that the name failed, and no other server of the container knows it. The
    query for the root shows whether the server answers other questions in the same way.

    An error about one name alone is a warning, and advice where only a monitor calls it, or a
    program that misses other hosts in other ways. A program that misses many names is left out: it
    may be a proxy whose users mistype them.

    A server that knows a name's IPv4 address is asked for IPv6 addresses too: musl, the library of
    Alpine, takes an error about these for the answer about the name. Where a container of this host
    is the server, the kernel's table of connections may show that its queries go round in a circle.
    """
    closed = {container.id for container in lookups.closed}
    judged = [
        failure
        for failure in unresolved_names(containers, failed_names, lookups, watchers)
        if failure.container.id not in closed and not failure.is_elsewhere(containers, hosts_file)
    ]
    for error, failures in failures_by_error(judged).items():
        yield _failing_name_finding(_failing_server(error, failures, containers, lookups, holders))
    denied = by_key(
        ((half_known.server, half_known.ipv6.rcode), half_known)
        for half_known in half_known_names or ()
    )
    for half_knowns in denied.values():
        yield _half_known_finding(half_knowns)
    yield from failed_names.unread


def _half_known_finding(half_knowns: Sequence[HalfKnownName]) -> Finding:
    """A finding about a server that errs about the IPv6 addresses of names whose IPv4 address it
    knows."""
    first = half_knowns[0]
    callers = list(
        {half_known.container.id: half_known.container for half_known in half_knowns}.values()
    )
    names = list(dict.fromkeys(half_known.name for half_known in half_knowns))
    address = first_of(first.ipv4.answers, "")
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {first.server} answers {first.ipv6.rcode} when it is asked for IPv6 "
            f"addresses (AAAA) of {_quoted_names(names)}, and gives an IPv4 address",
            "programs on musl (Alpine) take such a name for unknown",
            f"{named('container', sorted(names_of(callers)))} "
            f"{agree(callers, 'needs', 'need')} {agree(names, 'that name', 'those names')}",
        ),
        evidence={
            f"{first.name} A at {first.server}": str(first.ipv4),
            f"{first.name} AAAA at {first.server}": str(first.ipv6),
            "log": quoted(first.failure.name.line),
        },
        variables=present(
            {
                "server": first.server,
                "name": first.name,
                "container": first.container.name,
                "pinned": f"{first.name}:{address}" if address else "",
            }
        ),
        discriminator=f"{first.server} AAAA {first.ipv6.rcode}",
        touches=subjects_of(callers),
        severity=_severity_of_name([half_known.failure for half_known in half_knowns]),
        signs=frozenset({"dns"}),
        recheck=tuple(run for caller in callers for run in caller.caller_runs),
    )


def _failing_server(
    error: ServerError,
    failures: list[UnresolvedName],
    containers: Containers,
    lookups: Lookups,
    holders: ServerHolders,
) -> FailingServer:
    """The server that errs, with its evidence. failures: the names for which it gives the error."""
    server = error.server
    listeners = holders.listeners
    circles = holders.forwarding_circles
    unchecked = holders.unchecked_names
    holder = serving(containers, holders.links, server)
    return FailingServer(
        server,
        rcode=error.rcode,
        failures=failures,
        of_root=lookups.host.get(server),
        program=listeners.program_on("udp", server, DNS_PORT) if listeners is not None else "",
        holder=holder,
        circle=circles.of(holder) if circles is not None else None,
        is_validated=unchecked is not None and unchecked.holds(error),
    )


def _failing_name_finding(error: FailingServer) -> Finding:
    first = error.failures[0]
    names = error.names
    callers = error.callers
    others = [server for server in first.replies if server != error.server]
    holder_clause = f", {error.program} of this host," if error.program else ""
    holder_clause = f", which is {error.holder}," if error.holder is not None else holder_clause
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {error.server}{holder_clause} {_says(error.rcode, names)}",
            _scope(error),
            f"{joined(others)} {agree(others, 'does', 'do')} not help" if others else "",
            f"{named('container', sorted(names_of(callers)))} "
            f"{agree(callers, 'needs', 'need')} {agree(names, 'that name', 'those names')}",
        ),
        evidence=present(
            {
                **_answers(error.failures[:3]),
                f"DNS server {error.server} asked for the root": str(error.of_root or ""),
                "log": quoted(first.name.line),
            }
        ),
        variables=steps_for_failing_server(error),
        discriminator=f"{error.server} {error.rcode}",
        touches=(
            *subjects_of(filter(None, [error.holder])),
            *(
                subject
                for container in callers
                for subject in (container.subject, *container.network_subjects)
            ),
        ),
        severity=Severity.critical if error.is_general else _severity_of_name(error.failures),
        signs=frozenset({"dns"}),
        recheck=tuple(run for caller in callers for run in caller.caller_runs),
    )


def _severity_of_name(failures: Sequence[UnresolvedName]) -> Severity:
    """The severity of a name that cannot be looked up: advice if only monitors ask, which are
    there to find them."""
    return Severity.advice if all(failure.is_watched for failure in failures) else Severity.warning


def _answers(failures: Sequence[UnresolvedName]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for failure in failures:
        answers |= failure.answers
    return answers


def _quoted_names(names: list[str]) -> str:
    return and_more(f'"{name}"' for name in names)


def _says(rcode: str, names: list[str]) -> str:
    shown = _quoted_names(names)
    if rcode == "REFUSED":
        return f"refuses to look {shown} up (REFUSED)"
    return f"could not look {shown} up (SERVFAIL)"


def _scope(error: FailingServer) -> str:
    """The scope and the meaning of a DNS server's error, as a clause."""
    if error.circle is not None and error.is_general:
        return error.circle.clause
    return scope_of_error(error.rcode, is_general=error.is_general, is_validated=error.is_validated)


@check("dns.name-unknown", severity=Severity.warning, causes=FAILED_CONTAINERS)
def name_unknown(
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    hosts_file: HostsFile | None,
    resolvers: Resolvers | None,
    info: Info | None,
    watchers: Watchers | None,
    host_known_names: HostKnownNames | None,
) -> CheckResult:
    """A container calls a name that nobody knows.

    Its log shows it, its DNS servers answer that the name does not exist (NXDOMAIN), and no
    container has the name. A name is mistyped, a service was renamed or is not deployed, or the
    name belongs to a net whose DNS server the container does not ask.

    Where a search domain would complete the name, the program does not append it. nginx never does.
    musl does so only to a name with fewer dots than `ndots` asks for, and the engine writes
    `ndots:0` on networks that users made. Where only a proxy leads to the internet, most site
    servers know no outer name: a container without the engine's proxy looks such a name up itself.

    Names that the host alone knows, and names of containers, have checks of their own. It is advice
    where the program is a monitor, which finds what is gone, or misses other hosts in other ways,
    and no variable of it has the name.
    """
    known_names = host_known_names or HostKnownNames()
    for failure in unresolved_names(containers, failed_names, lookups, watchers):
        if failure.is_known or failure.is_elsewhere(containers, hosts_file):
            continue
        if known_names.of(failure.container, failure.name.name) is not None:
            continue
        completed = failure.completed(lookups)
        if completed and "." not in failure.name.name:
            yield _short_name_finding(failure, completed, resolvers)
        elif failure.decisive is not None and failure.decisive.rcode == "NXDOMAIN":
            proxy = (
                None if completed else proxy_of_engine_alone(failure.container, containers, info)
            )
            yield _unknown_name_finding(failure, completed, proxy)
    yield from failed_names.unread


def _short_name_finding(
    failure: UnresolvedName, completed: str, resolvers: Resolvers | None
) -> Finding:
    """The finding about a name of one word, which only its search domain makes known."""
    container = failure.container
    name = failure.name.name
    inside = resolvers.inside.get(container.id) if resolvers is not None else None
    by_nginx = _OF_NGINX.search(failure.name.line) is not None
    ndots_clause = (
        "" if inside is None or by_nginx else f" (ndots:{inside.ndots} in its resolv.conf)"
    )
    return Finding.about(
        container,
        f'{container} calls "{name}", which is known as "{completed}": its program does not '
        f"append the search domain{ndots_clause}",
        present(
            {
                "log": quoted(failure.name.line),
                "with its search domain": completed,
                "search": list(inside.search) if inside is not None else None,
                "options": list(inside.options) if inside is not None else None,
            }
        ),
        discriminator=name,
        severity=_severity_of_name([failure]),
        signs=frozenset({"dns"}),
        recheck=container.caller_runs,
        variables=present(
            {
                "unknown": name,
                "short": name,
                "completed": completed,
                "dots": "" if by_nginx else "1",
            }
        ),
    )


_OF_NGINX = LazyPattern(r"host not found in (?:upstream|resolver)|could not be resolved \(\d")
"""nginx has a resolver of its own, which knows no search domain."""


def _unknown_name_finding(
    failure: UnresolvedName, completed: str, proxy: EngineProxy | None
) -> Finding:
    container = failure.container
    name = failure.name.name
    servers = [server for server, reply in failure.replies.items() if reply.rcode == "NXDOMAIN"]
    servers_clause = f"DNS {agree(servers, 'server', 'servers')} {joined(servers)}"
    hint = ""
    if completed:
        hint = f'it is known as "{completed}", and the program does not append the search domain'
    elif proxy is not None:
        hint = (
            f"a name of the internet is for the proxy to look up: the engine has {proxy.https}, "
            "and the container has no proxy in its environment"
        )
    return Finding.about(
        container,
        sentence(
            f'{container} calls "{name}", a name that {servers_clause} {agree(servers, "does", "do")} not '
            "know (NXDOMAIN) and no container has",
            hint,
        ),
        present(
            {
                "log": quoted(failure.name.line),
                **failure.answers,
                "with its search domain": completed,
            }
        ),
        discriminator=name,
        severity=_severity_of_name([failure]),
        signs=frozenset({"dns"}),
        recheck=container.caller_runs,
        variables={
            "unknown": name,
            "server": servers[0],
            **steps_for_name(failure, completed, proxy),
        },
    )
