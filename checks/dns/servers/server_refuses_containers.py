"""Servers that answer the host and refuse its containers."""

from collections.abc import Iterator

from checks.dns.helpers import container_names, touched_subjects
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.mappings import names_of
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.registry import check

_REFUSED = "REFUSED"


@check("dns.server-refuses-containers", severity=Severity.critical)
def server_refuses_containers(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups,
    networks: Networks | None,
    listeners: Listeners | None,
) -> CheckResult:
    """A DNS server answers the host but refuses its containers.

    Unbound, BIND and routers serve the addresses of a list. A server on the host itself sees the
    container's own address, which is not on the list; the host's is. A server that refuses the same
    question of the host too says nothing about the list.
    """
    groups = query_groups(containers, resolvers, lookups)
    if not groups:
        return Skipped("no running container queries a DNS server through its own network")
    for group in groups:
        refusing = list(_refusing_servers(group, lookups))
        if refusing:
            yield _finding(group, refusing, lookups, networks, listeners)


def _refusing_servers(group: QueryGroup, lookups: Lookups) -> Iterator[str]:
    """The servers that refuse this group's queries and answer the host's."""
    for reply in group.replies:
        server = reply.upstream.server
        of_host = lookups.host.get(server)
        is_refused = not reply.upstream.by_host and _is_refusal(reply.reply)
        host_is_answered = of_host is not None and of_host.answered and not _is_refusal(of_host)
        if is_refused and host_is_answered:
            yield server


def _is_refusal(reply: DnsReply | None) -> bool:
    return reply is not None and reply.rcode == _REFUSED


def _finding(
    group: QueryGroup,
    refusing: list[str],
    lookups: Lookups,
    networks: Networks | None,
    listeners: Listeners | None,
) -> Finding:
    server = refusing[0]
    place = group.networks[0]
    subnet = _subnet(networks, place)
    program = listeners.program_on("udp", server, DNS_PORT) if listeners is not None else ""
    holder_clause = f", {program} of this host," if program else ""
    variables = {"server": server, "network": place}
    if program == "unbound" and subnet:
        variables = {"unbound_subnet": subnet, "server": server}
    has_other_server = len(group.replies) > len(refusing)
    return Finding(
        subject=group.subject,
        summary=(
            f"DNS server {server}{holder_clause} refuses the queries of {container_names(group.members)} (REFUSED) "
            f"and answers the host: {subnet or 'their network'} is not among the addresses "
            "that it serves"
        ),
        evidence={
            f"DNS server {server} asked from network {'+'.join(group.networks)}": _REFUSED,
            f"DNS server {server} asked from host": str(lookups.host[server]),
            "containers": names_of(group.members),
        },
        variables=variables,
        discriminator=",".join(refusing),
        severity=Severity.warning if has_other_server else None,
        touches=touched_subjects([group]),
        signs=frozenset({"dns"}),
        recheck=(group.members[0].run,),
    )


def _subnet(networks: Networks | None, name: str) -> str:
    """A network's IPv4 subnet; empty where it is not known."""
    network = networks.by_name.get(name) if networks is not None else None
    return network.subnet4 if network is not None else ""
