"""Names that a container calls and that its DNS servers answer with an error, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from checks.dns._groups import unasked
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.hosts_file import HostsFile
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import names_of, present
from diagnose.model import HOST, CheckResult, Finding, Severity, Subject, Unavailable
from diagnose.phrases import agree, and_more, joined, named, sentence
from diagnose.registry import check

_ERRORS = ("REFUSED", "SERVFAIL")
"""What a server says that will not, or cannot, look a name up."""
_FAILING = ("container.restart-loop", "container.exits-at-start", "container.unhealthy")
_OF_DESKTOP = ("host.docker.internal", "gateway.docker.internal")
_DNS_PORT = 53
MOST_NAMES = 5
"""A program that misses more names calls what others name: a proxy, a crawler, a monitor."""


class _Failure(msgspec.Struct, frozen=True):
    """A name that a container cannot resolve, and what each of its servers says of it."""

    container: Container
    name: FailedName
    replies: dict[str, DnsReply]

    @property
    def known(self) -> bool:
        return any(reply.knows for reply in self.replies.values())


def _failures(
    containers: Containers, failed_names: FailedNames, lookups: Lookups
) -> Iterator[_Failure]:
    """The names that were asked again, each with the replies of the container's servers."""
    for container in containers:
        asked = lookups.failed.get(container.id, {})
        if len(failed_names.of(container)) > MOST_NAMES:
            continue
        for name in failed_names.of(container):
            replies = {
                server: reply for (other, server), reply in asked.items() if other == name.name
            }
            if any(reply.answered for reply in replies.values()):
                yield _Failure(container, name, replies)


def _is_elsewhere(failure: _Failure, containers: Containers, hosts_file: HostsFile | None) -> bool:
    """Whether the name is one that no DNS server should know: of a container, or of the host."""
    name = failure.name.name
    lowered = name.lower()
    # the engine's resolver knows NAME.NETWORK too, and tasks.SERVICE in a swarm
    first, _, network = name.partition(".")
    return (
        name in containers.by_dns_name
        or first == "tasks"
        or (first in containers.by_dns_name and network in failure.container.endpoints)
        or name in failure.container.extra_names
        or (hosts_file is not None and lowered in hosts_file.addresses)
        or lowered in _OF_DESKTOP
        or lowered.endswith(".local")
    )


@check("dns.server-fails", severity=Severity.critical, causes=_FAILING)
def server_fails(
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups | Unavailable,
    listeners: Listeners | None,
    hosts_file: HostsFile | None,
) -> CheckResult:
    """A DNS server answers with an error instead of looking names up.

    REFUSED: the server does not serve this host, since the host's address is not on its list or the
    host has asked too often. SERVFAIL: the server could not find out, since its own servers do not
    answer or the name's signatures are wrong. A container's log says that the name failed, and no
    other server of the container knows it. Whether the server answers other questions so too, the
    query for the root shows. An error about one name alone is a warning. A program that misses many
    names looks for some, such as a proxy whose users mistype them: it is left out.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    by_server: dict[tuple[str, str], list[_Failure]] = {}
    for failure in _failures(containers, failed_names, lookups):
        errors = {
            server: str(reply.rcode)
            for server, reply in failure.replies.items()
            if reply.rcode in _ERRORS
        }
        is_closed = any(closed.id == failure.container.id for closed in lookups.closed)
        if is_closed or failure.known or _is_elsewhere(failure, containers, hosts_file):
            continue
        if any(reply.denies for reply in failure.replies.values()):
            continue
        for server, rcode in list(errors.items())[:1]:
            by_server.setdefault((server, rcode), []).append(failure)
    for (server, rcode), failures in by_server.items():
        yield _fails(server, rcode, failures, lookups, listeners)
    yield from failed_names.unread
    return None


def _fails(
    server: str,
    rcode: str,
    failures: list[_Failure],
    lookups: Lookups,
    listeners: Listeners | None,
) -> Finding:
    names = list(dict.fromkeys(failure.name.name for failure in failures))
    callers = {failure.container.id: failure.container for failure in failures}
    of_root = lookups.host.get(server)
    is_general = of_root is not None and of_root.rcode in _ERRORS
    others = [other for other in failures[0].replies if other != server]
    holders = listeners.on("udp", server, _DNS_PORT) if listeners is not None else ()
    program = next((holder.comm for holder in holders if holder.comm), "")
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {server}{f', {program} of this host,' if program else ''} "
            f"{_says(rcode, names)}",
            _scope(rcode, is_general=is_general),
            f"{joined(others)} {agree(others, 'does', 'do')} not help" if others else "",
            f"{named('container', sorted(names_of(callers.values())))} "
            f"{agree(callers, 'misses', 'miss')} {agree(names, 'it', 'them')}",
        ),
        evidence=present(
            {
                **{
                    f"{failure.name.name} A at {other}": str(reply)
                    for failure in failures[:3]
                    for other, reply in failure.replies.items()
                },
                f"DNS server {server} asked for the root": str(of_root) if of_root else None,
                "log": failures[0].name.line[:300],
            }
        ),
        variables=_variables(server, rcode, names[0], program, is_general=is_general),
        discriminator=f"{server} {rcode}",
        touches=tuple(
            subject
            for container in callers.values()
            for subject in (container.subject, *_networks(container))
        ),
        severity=Severity.critical if is_general else Severity.warning,
        signs=frozenset({"dns"}),
        stable=tuple(container.life for container in callers.values()),
    )


def _networks(container: Container) -> list[Subject]:
    return [Subject("network", name) for name in container.endpoints]


def _says(rcode: str, names: list[str]) -> str:
    shown = and_more(f'"{name}"' for name in names)
    if rcode == "REFUSED":
        return f"refuses to look {shown} up (REFUSED)"
    return f"could not look {shown} up (SERVFAIL)"


def _scope(rcode: str, *, is_general: bool) -> str:
    """How far the error goes, and what it means then."""
    if rcode == "REFUSED":
        return (
            "it refuses other questions of this host too, so it does not serve this host, "
            "or was asked too often"
            if is_general
            else "it answers other questions"
        )
    if is_general:
        return "its own servers do not answer it, or it cannot reach them"
    return (
        "it answers other questions: the servers of that name do not answer, "
        "or its signatures (DNSSEC) are wrong"
    )


def _variables(
    server: str, rcode: str, name: str, program: str, *, is_general: bool
) -> dict[str, str]:
    """The case that the page has a paragraph for."""
    variables = {"server": server, "name": name}
    if program:
        return {**variables, "program": program}
    if rcode == "REFUSED":
        return {**variables, "refusing": server}
    return {**variables, "failing": server} if is_general else {**variables, "broken_name": name}


@check("dns.name-unknown", severity=Severity.warning, causes=_FAILING)
def name_unknown(
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups | Unavailable,
    hosts_file: HostsFile | None,
) -> CheckResult:
    """A container calls a name that nobody knows.

    Its log says so, its DNS servers say that the name does not exist (NXDOMAIN), and no container
    has the name. A name is mistyped, a service was renamed or is not deployed, or the name belongs
    to a net whose DNS server the container does not ask. Names that the host alone knows, and names
    of containers, have checks of their own.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    for failure in _failures(containers, failed_names, lookups):
        if failure.known or _is_elsewhere(failure, containers, hosts_file):
            continue
        # an error of a server leads a library on to the next one
        decisive = [reply for reply in failure.replies.values() if reply.knows or reply.denies]
        if decisive and decisive[0].rcode == "NXDOMAIN":
            yield _unknown(failure)
    yield from failed_names.unread
    return None


def _unknown(failure: _Failure) -> Finding:
    container, name = failure.container, failure.name.name
    servers = [server for server, reply in failure.replies.items() if reply.rcode == "NXDOMAIN"]
    where = f"DNS {agree(servers, 'server', 'servers')} {joined(servers)}"
    return Finding.about(
        container,
        f'{container} calls "{name}", a name that {where} {agree(servers, "does", "do")} not know '
        "(NXDOMAIN) and no container has",
        {
            "log": failure.name.line[:300],
            **{f"{name} A at {server}": str(reply) for server, reply in failure.replies.items()},
        },
        discriminator=name,
        signs=frozenset({"dns"}),
        stable=(container.life,) if container.is_running else (),
        unknown=name,
        server=servers[0],
    )
