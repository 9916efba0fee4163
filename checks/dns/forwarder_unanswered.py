"""DNS servers in containers whose own servers do not answer them."""

import re
import shlex

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.dns.dns_forwarders import AskedServer, DnsForwarders, FailingForwarder
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.addresses import with_port as address_with_port
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import Networks, is_within
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
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
    """A server that passes queries on to others, of which none answers."""
    container = forwarder.container
    upstream, reply = forwarder.silent[0].server, forwarder.silent[0].reply
    holder = _holder(containers, upstream)
    stopped = _stopped_holder(container, containers, upstream) if holder is None else None
    ports = _ports(holder, namespaces)
    more = len(forwarder.silent) - 1
    others = f" and {count(more, 'more server')}" if more else ""
    finding = Finding.about(
        container,
        sentence(
            f"{container} is a DNS server and gets no answer from {upstream}{others}, to which it "
            f"passes queries on ({reply})",
            f"{stopped} has that address, and does not run" if stopped is not None else "",
            "" if stopped is not None else _holder_clause(holder, upstream, ports, networks),
        ),
        _silence_evidence(forwarder) | present({"UDP ports of that container": ports}),
        touches=(container.subject, *([holder.subject] if holder is not None else [])),
        calls=(holder.subject,) if holder is not None else (),
        signs=frozenset({"dns"}),
        stable=(container.life,),
        forwarder=container.name,
        upstream=upstream.address,
        upstream_port=str(upstream.port),
        upstream_end=address_with_port(upstream.address, upstream.port),
        named_in=upstream.source,
    )
    if stopped is not None:
        return finding.with_variables({"stopped_server": stopped.name})
    return finding.with_variables(_steps(container, holder, upstream, ports))


def _silence_evidence(forwarder: FailingForwarder) -> dict[str, Json]:
    """What the server answered, and what it got from those that it asks."""
    name = forwarder.container.name
    answers = {f"{asked.server} asked from {name}": str(asked.reply) for asked in forwarder.silent}
    return {
        f"DNS server {name} asked for the root": str(forwarder.reply),
        **answers,
        **present({"the address comes from": forwarder.silent[0].server.source}),
    }


def _recursing_finding(forwarder: FailingForwarder, answering: str) -> Finding:
    """A server that asks the name servers of the internet itself, of which none answers."""
    container = forwarder.container
    asked = forwarder.unanswered
    return Finding.about(
        container,
        sentence(
            f"{container} is a DNS server that asks the name servers of the internet itself, and "
            f"none of {count(len(asked), 'server')} answers it",
            f"DNS server {answering} answers this host" if answering else "",
        ),
        {
            f"DNS server {container.name} asked for the root": str(forwarder.reply),
            "without an answer": and_more(asked),
        },
        signs=frozenset({"dns"}),
        stable=(container.life,),
        forwarder=container.name,
    ).with_variables(
        {
            "upstream": asked[0],
            "upstream_port": "53",
            "upstream_end": address_with_port(asked[0], 53),
            "recursing": container.name,
        }
        | present({"host_server": answering})
    )


def _holder(containers: Containers, upstream: AskedServer) -> Container | None:
    """The running container that has the address of a server."""
    for container in containers.running:
        if upstream.address in (end.ip_address for end in container.endpoints.values()):
            return container
    return None


def _ports(holder: Container | None, namespaces: Namespaces | None) -> list[int]:
    """The UDP ports at which a container takes packets, below those that the kernel gives out."""
    netns = namespaces.of(holder) if holder is not None and namespaces is not None else None
    sockets = netns.listeners if netns is not None else ()
    return sorted(
        {
            socket.port
            for socket in sockets
            if socket.protocol == "udp" and socket.port < 32768 and not is_loopback(socket.address)
        }
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


def _stopped_holder(
    forwarder: Container, containers: Containers, upstream: AskedServer
) -> Container | None:
    """The container that had the address of a server when it ran, by its own options.

    Only on a network of the forwarder: another network may have had the same subnet.
    """
    for container in containers:
        own = {
            end.fixed_address
            for network, end in container.endpoints.items()
            if network in forwarder.endpoints
        }
        if upstream.address in own and not container.is_running:
            return container
    return None


def _steps(
    forwarder: Container, holder: Container | None, upstream: AskedServer, ports: list[int]
) -> PageVariables:
    """The one port at which the container with that address takes queries instead.

    With the variable or the command that names it, where one of them has the other port.
    """
    others = [port for port in ports if port != upstream.port]
    if holder is None or upstream.port in ports or len(others) != 1:
        return {}
    port = str(others[0])
    corrected = _with_port(forwarder, upstream, port)
    return {"server_container": holder.name, "served_port": port, **corrected}


def _with_port(forwarder: Container, upstream: AskedServer, port: str) -> PageVariables:
    """The variable or the command of a DNS server, with another port for the one that it asks."""
    address = re.compile(rf"(?<![\d.])({re.escape(upstream.address)}[:#@]){upstream.port}(?!\d)")
    with_port = rf"\g<1>{port}"
    for name, value in forwarder.config.environment:
        if upstream.source == f"variable {name}" and MARK not in value and address.search(value):
            return {"variable_with_port": f"{name}={address.sub(with_port, value)}"}
    words = forwarder.config.cmd or ()
    is_named = any(address.search(word) for word in words) and MARK not in "".join(words)
    if upstream.source == "its command" and is_named:
        return {"command_with_port": shlex.join(address.sub(with_port, word) for word in words)}
    return {}


def _answering_server(resolvers: Resolvers | None, lookups: Lookups | None) -> str:
    """A server of the host's own file that answers the host."""
    host_servers = resolvers.host_servers if resolvers is not None else ()
    for server in host_servers:
        reply = lookups.host.get(server) if lookups is not None else None
        if reply is not None and reply.answered and not is_loopback(server):
            return server
    return ""
