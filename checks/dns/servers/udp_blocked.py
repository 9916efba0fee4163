"""dns.udp-blocked: a DNS server answers over TCP, and queries over UDP are lost."""

from checks.dns.helpers import touched_subjects
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_groups import query_groups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.model import HOST, CheckResult, Finding, Severity
from diagnose.registry import check


@check("dns.udp-blocked", severity=Severity.critical)
def udp_blocked(
    resolvers: Resolvers, lookups: Lookups, containers: Containers | None
) -> CheckResult:
    """A DNS server answers over TCP while UDP queries to it are lost.

    A firewall between the host and the server passes TCP 53 and drops UDP 53: all programs ask by
    UDP first.
    """
    if resolvers.host_unread and not lookups.host:
        return resolvers.host_unread
    groups = query_groups(containers, resolvers, lookups)
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        is_needed = _is_needed(server, resolvers, lookups)
        yield Finding(
            subject=HOST,
            summary=f"DNS server {server} answers over TCP, but UDP queries to it are lost: "
            "lookups fail, because programs ask over UDP",
            evidence={
                f"{server} over UDP from host": str(lookups.host[server]),
                f"{server} over TCP from host": str(reply),
            },
            variables={"server": server},
            discriminator=server,
            severity=Severity.critical if is_needed else Severity.warning,
            touches=touched_subjects([group for group in groups if group.uses([server])]),
            signs=frozenset({"dns"}),
        )


def _is_needed(server: str, resolvers: Resolvers, lookups: Lookups) -> bool:
    """Whether no other server of the host answers in its place."""
    servers = resolvers.host_servers
    if server not in servers or servers == (server,):
        return True
    return not any(lookups.reaches(other) for other in servers)
