"""The engine's own resolver, as containers on user-defined networks meet it."""

from __future__ import annotations

from collections.abc import Generator

from checks.dns._groups import unasked
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.model import DAEMON, CheckItem, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.registry import check


@check("dns.embedded-rules-missing", severity=Severity.critical, caused_by=["daemon.not-running", "daemon.hung"])
def embedded_rules_missing(
    containers: Containers,
    lookups: Lookups | Unavailable,
    namespaces: Namespaces | Unavailable,
    daemon: Daemon | Unavailable,
) -> Generator[CheckItem, None, Skipped | Unavailable | None]:
    """A container's DNS queries no longer reach the engine's resolver.

    127.0.0.11:53 is redirected to a socket of the engine by nat rules inside the container's namespace; a
    firewall script or VPN client in the container that flushes nat takes them away, and nothing listens on
    port 53 then. The socket ends with the engine: where containers outlive it, queries are refused although the rules are
    there.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    yield from lookups.unasked
    answers = isinstance(daemon, Daemon) and daemon.answers
    for each in containers.running:
        reply = lookups.embedded.get(each.id)
        if reply is None or reply.icmp != "refused" or each.host_config.runtime == "runsc":
            continue
        inside = namespaces.of(each) if isinstance(namespaces, Namespaces) else None
        listens = _listens(inside) if inside else answers
        if listens:
            why = "its nat rules are gone"
        elif inside:
            why = "the engine's resolver does not listen there"
        else:
            why = "and no engine answers whose resolver could listen there"
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} cannot resolve any name: queries to {EMBEDDED} are refused, {why}",
            evidence={
                f"{EMBEDDED}:53 asked from the container": str(reply),
                f"sockets of the engine on {EMBEDDED}": _sockets(inside) if inside else "not seen",
            },
            variables={"container": each.name},
            touches=(*(Subject("network", name) for name in each.endpoints), *(() if listens else (DAEMON,))),
            signs=frozenset({"dns"}),
            stable=(each.life,),
            service=each.service,
        )
    return None


def _sockets(inside: ContainerNetns) -> list[str]:
    return sorted({f"{one.protocol} {one.port}" for one in inside.listeners if one.address == EMBEDDED})


def _listens(inside: ContainerNetns) -> bool:
    """Whether the engine's resolver takes queries by UDP, as the one that was refused."""
    return any(one.protocol == "udp" and one.address == EMBEDDED for one in inside.listeners)
