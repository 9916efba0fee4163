"""The engine's own resolver, as containers on user-defined networks meet it."""

from __future__ import annotations

from collections.abc import Generator

from checks.dns._groups import unasked
from diagnose.evidence.containers import Containers
from diagnose.evidence.lookups import Lookups
from diagnose.evidence.namespaces import Namespaces
from diagnose.evidence.resolvers import EMBEDDED
from diagnose.model import Finding, Severity, Skipped, Subject, Unavailable, Yield
from diagnose.registry import check


@check("dns.embedded-rules-missing", severity=Severity.critical)
def embedded_rules_missing(
    containers: Containers, lookups: Lookups | Unavailable, namespaces: Namespaces | Unavailable
) -> Generator[Yield, None, Skipped | Unavailable | None]:
    """A container's firewall no longer redirects its DNS queries to the engine.

    127.0.0.11:53 is redirected to a socket of the engine by nat rules inside the container's namespace; a
    firewall script or VPN client in the container that flushes nat takes them away, and nothing listens on
    port 53 then.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    yield from lookups.unasked
    for each in containers.running:
        reply = lookups.embedded.get(each.id)
        if reply is None or reply.icmp != "refused" or each.host_config.runtime == "runsc":
            continue
        inside = namespaces.of(each) if isinstance(namespaces, Namespaces) else None
        sockets = (
            sorted({f"{one.protocol} {one.port}" for one in inside.listeners if one.address == EMBEDDED})
            if inside
            else []
        )
        yield Finding(
            subject=each.subject,
            summary=f"{each.short} cannot resolve any name: queries to {EMBEDDED} are refused, its nat rules are gone",
            evidence={
                f"{EMBEDDED}:53 asked from the container": str(reply),
                f"sockets of the engine on {EMBEDDED}": sockets,
            },
            variables={"container": each.short},
            touches=tuple(Subject("network", name) for name in each.endpoints),
            signs=frozenset({"dns"}),
            stable=(each.life,),
            service=each.service,
        )
    return None
