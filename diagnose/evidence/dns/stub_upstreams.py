"""The servers behind the host's own DNS server at its loopback, which containers can ask."""

import msgspec

from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.dns_forwarders import AskedServer
from diagnose.evidence.dns.host_forwarder import servers_behind
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import QueryDns
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 3
"""Servers that are asked."""
_LISTS = (
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
    "/run/dnsmasq/resolv.conf",
    "/etc/resolv.dnsmasq",
    "/etc/resolv.conf.upstream",
)
"""Files in which programs keep the servers of a network for the host's own resolver."""


class StubUpstreams(msgspec.Struct, frozen=True):
    """A server behind the stub that answers, and where it is named; None where none is known."""

    server: AskedServer | None = None


@evidence
def stub_upstreams(host: Host, resolvers: Resolvers, listeners: Listeners | None) -> StubUpstreams:
    """The servers behind the host's loopback resolver.

    The collector asks nothing unless the host names loopback servers alone, and the engine knows no
    other. A server at another port than 53 is of no use to a container.
    """
    has_others = resolvers.engine_view or resolvers.configured
    if has_others or not resolvers.host_servers:
        return StubUpstreams()
    if not all(map(is_loopback, resolvers.host_servers)):
        return StubUpstreams()
    first = resolvers.host_servers[0]
    holders = listeners.on("udp", first, DNS_PORT) if listeners is not None else ()
    places = [
        server for holder in holders if holder.comm for server in servers_behind(host, holder)
    ]
    usable = [server for server in places or _listed_servers(host) if server.port == DNS_PORT]
    replies = host.ask_about(usable[:MOST], lambda server: QueryDns(server.address, ".", "NS"))
    for server, reply in replies:
        if not isinstance(reply, Failed) and reply.answered:
            return StubUpstreams(server)
    return StubUpstreams()


def _listed_servers(host: Host) -> list[AskedServer]:
    """The servers of the first list that has any."""
    for path in _LISTS:
        text = host.ask(ReadFile(path))
        lines = () if isinstance(text, Failed) else text.text.splitlines()
        words = [line.split() for line in lines if line.startswith("nameserver")]
        addresses = [parts[1] for parts in words if len(parts) > 1 and ":" not in parts[1]]
        servers = [address for address in addresses if not is_loopback(address)]
        if servers:
            return [AskedServer(address, DNS_PORT, path) for address in servers]
    return []
