"""DNS servers in containers whose own servers do not answer them."""

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_forwarders import AskedServer, DnsForwarders, FailingForwarder
from diagnose.evidence.dns.forwarder_holders import (
    holder_of_server,
    stopped_holder_of_server,
    udp_ports_of,
)
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.addresses import with_port as address_with_port
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Networks, is_within
from diagnose.first_steps.dns.forwarder_steps import steps_to_served_port
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import and_more, count, sentence
from diagnose.registry import check


@check(
    "dns.forwarder-unanswered",
    severity=Severity.critical,
    caused_by=[
        "firewall.chains-missing",
        "firewall.masquerade-missing",
        "firewall.forwarding-off",
        "firewall.forward-dropped",
        "network.bridge-down",
    ],
    causes=(
        "dns.host-broken",
        "dns.upstream-unreachable",
        "dns.server-fails",
        "network.call-unanswered",
        *FAILED_CONTAINERS,
    ),
)
def forwarder_unanswered(
    dns_forwarders: DnsForwarders,
    containers: Containers,
    namespaces: Namespaces | None,
    networks: Networks | None,
    resolvers: Resolvers | None,
    lookups: Lookups | None,
) -> CheckResult:
    """A DNS server in a container gets no answer from the servers that it asks.

    It is asked for the root's name servers first, and each server that it passes queries on to is
    asked the same from its network: silence means two lost queries. A server that passes nothing on
    asks name servers of the internet itself; the kernel's table of connections shows whether any
    has answered. What would fool it: servers that drop questions about the root on purpose.
    """
    if not dns_forwarders.asked:
        return Skipped("no running container is a DNS server")
    for forwarder in dns_forwarders:
        if forwarder.silent:
            yield _forwarding_finding(forwarder, containers, namespaces, networks)
        else:
            yield _recursing_finding(forwarder, _answering_server(resolvers, lookups))


def _forwarding_finding(
    forwarder: FailingForwarder,
    containers: Containers,
    namespaces: Namespaces | None,
    networks: Networks | None,
) -> Finding:
    """The finding about a server that passes queries on to others, of which none answers."""
    container = forwarder.container
    upstream = forwarder.silent[0].server
    reply = forwarder.silent[0].reply
    holder = holder_of_server(containers, upstream)
    stopped = stopped_holder_of_server(container, containers, upstream) if holder is None else None
    ports = udp_ports_of(holder, namespaces)
    further = len(forwarder.silent) - 1
    others = f" and {count(further, 'more server')}" if further else ""
    finding = Finding.about(
        container,
        sentence(
            f"{container} is a DNS server and gets no answer from {upstream}{others}, to which it "
            f"passes queries on ({reply})",
            f"{stopped} has that address, and is not running" if stopped is not None else "",
            "" if stopped is not None else _holder_clause(holder, upstream, ports, networks),
        ),
        _silence_evidence(forwarder) | present({"UDP ports of that container": ports}),
        touches=(container.subject, *([holder.subject] if holder is not None else [])),
        calls=subjects_of([holder]),
        signs=frozenset({"dns"}),
        recheck=(container.run,),
        variables={
            "forwarder": container.name,
            "upstream": upstream.address,
            "upstream_port": str(upstream.port),
            "upstream_end": address_with_port(upstream.address, upstream.port),
            "named_in": upstream.source,
        },
    )
    if stopped is not None:
        return finding.with_variables({"stopped_server": stopped.name})
    return finding.with_variables(steps_to_served_port(container, holder, upstream, ports))


def _silence_evidence(forwarder: FailingForwarder) -> dict[str, Json]:
    """The answer of the server, and of each server to which it forwards queries, as evidence."""
    name = forwarder.container.name
    answers = {
        f"{silent_server.server} asked from {name}": str(silent_server.reply)
        for silent_server in forwarder.silent
    }
    return {
        f"DNS server {name} asked for the root": str(forwarder.reply),
        **answers,
        **present({"the address comes from": forwarder.silent[0].server.source}),
    }


def _recursing_finding(forwarder: FailingForwarder, answering: str) -> Finding:
    """The finding about a server that asks the name servers of the internet itself, of which none
    answers."""
    container = forwarder.container
    unanswered = forwarder.unanswered
    return Finding.about(
        container,
        sentence(
            f"{container} is a DNS server that asks the name servers of the internet itself, and "
            f"none of {count(len(unanswered), 'server')} answers it",
            f"DNS server {answering} answers this host" if answering else "",
        ),
        {
            f"DNS server {container.name} asked for the root": str(forwarder.reply),
            "without an answer": and_more(unanswered),
        },
        signs=frozenset({"dns"}),
        recheck=(container.run,),
        variables={
            "forwarder": container.name,
            "upstream": unanswered[0],
            "upstream_port": "53",
            "upstream_end": address_with_port(unanswered[0], 53),
            "recursing": container.name,
            **present({"host_server": answering}),
        },
    )


def _holder_clause(
    holder: Container | None, upstream: AskedServer, ports: list[int], networks: Networks | None
) -> str:
    if holder is not None:
        at = and_more([str(port) for port in ports])
        takes = f"takes UDP at port {at}" if ports else "takes nothing over UDP"
        return f"{holder} has that address and {takes}"
    bridges = networks.bridges if networks is not None else ()
    for network in bridges:
        if any(is_within(upstream.address, subnet) for subnet in network.subnets):
            return f"no running container of {network} has that address"
    return ""


def _answering_server(resolvers: Resolvers | None, lookups: Lookups | None) -> str:
    """A server of the host's own file that answers the host."""
    host_servers = resolvers.host_servers if resolvers is not None else ()
    for server in host_servers:
        reply = lookups.host.get(server) if lookups is not None else None
        if reply is not None and reply.answered and not is_loopback(server):
            return server
    return ""
