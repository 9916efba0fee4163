"""DNS servers in containers, and whether the servers that they ask themselves answer them."""

import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.questions.network import ListConnections
from diagnose.registry import evidence

_MOST = 4
"""DNS servers that are asked, and servers of one that are."""
_LEAST_SILENT = 2
"""Minimum number of silent servers of the internet, since one may be down."""
_ENCRYPTED = (443, 853)
"""Ports at which a server takes DNS over HTTPS or TLS, and leaves a plain query unanswered."""
_VARIABLE = LazyPattern(
    r"^(?:\w{0,40}(?:dns|upstream|forward|resolver)\w{0,40})=(?P<value>.+)$", re.IGNORECASE
)
_OPTION = LazyPattern(
    r"^(?:--(?:server|upstream|forward|resolver)=?|-S|-u)(?P<value>[\d.:#@,;]{7,200})?$"
)
_PLACE = LazyPattern(
    r"(?<![\w.:/])(?:udp://)?(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?:[:#@](?P<port>\d{1,5}))?(?![\w./])"
)
_IN_LOG = LazyPattern(
    r"\bforwarded \S+ to (?P<sent>\S+)$"
    r"|->(?P<tried>\d[\d.]+:\d{1,5}): (?:\w+: )?(?:i/o timeout|connection refused)"
    r"|\b(?:timed out|connection refused|unreachable) resolving '[^']+': (?P<named>\d[\d.]+#\d{1,5})"
)
"""The server that dnsmasq, CoreDNS or BIND sent a question on to, in a line of its log."""
_SETTINGS = LazyPattern(r"\.(?:conf|ya?ml|toml)$|(?:^|/)Corefile$")
_FOLDER = LazyPattern(r"^/(?:etc|opt|config|conf|data|usr/local/etc)(?:/|$)")


class AskedServer(msgspec.Struct, frozen=True):
    """A server that a DNS server in a container is configured to ask."""

    address: str
    port: int
    source: str
    """The place that names it: a variable, the command, a file, or its log."""

    def __str__(self) -> str:
        return self.address if self.port == DNS_PORT else f"{self.address}:{self.port}"


class SilentServer(msgspec.Struct, frozen=True):
    """A server that a forwarder passes queries on to, and that does not answer it."""

    server: AskedServer
    reply: DnsReply
    """The outcome of the query."""


class FailingForwarder(msgspec.Struct, frozen=True):
    """A DNS server in a container that gets no answer itself."""

    container: Container
    reply: DnsReply
    """The reply to a question about the root's name servers."""
    silent: tuple[SilentServer, ...]
    """The servers that it is configured to ask, which were asked the same from its network."""
    unanswered: tuple[str, ...] = ()
    """The servers of the internet that it asks itself, where it is configured to ask none."""


class DnsForwarders(Items[FailingForwarder], frozen=True):
    """The forwarders that fail; `asked` is the number of all that were looked at."""

    asked: int = 0


@evidence
def dns_forwarders(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    recent_logs: RecentLogs | None,
    resolvers: Resolvers | None,
) -> DnsForwarders:
    """The DNS forwarders in containers that do not answer, with their silent upstreams.

    The collector asks nothing where no container serves DNS. Each server is asked once; only of one
    that gives no answer the settings are read, and its own servers are asked.
    """
    serving = host.first(
        [container for container in containers.running if _serves(container, namespaces)],
        _MOST,
        "containers that serve DNS",
    )
    failing = []
    replies = host.ask_about(serving, lambda server: QueryDns(_address(server), ".", "NS"))
    for server, reply in replies:
        if not isinstance(reply, Failed) and not (reply.answered and reply.rcode == "NOERROR"):
            failing.append(_failing_forwarder(host, server, reply, recent_logs, resolvers))
    return DnsForwarders(tuple(filter(None, failing)), asked=len(serving))


def _serves(container: Container, namespaces: Namespaces | None) -> bool:
    """Whether a program of the container takes queries at its address."""
    netns = namespaces.of(container) if namespaces is not None else None
    sockets = netns.sockets("udp", DNS_PORT) if netns is not None else ()
    is_open = any(not is_loopback(socket.address) for socket in sockets)
    return is_open and bool(_address(container)) and not container.shares_host_network


def _address(container: Container) -> str:
    return next((end.ip_address for end in container.endpoints.values() if end.ip_address), "")


def _failing_forwarder(
    host: Host,
    container: Container,
    reply: DnsReply,
    logs: RecentLogs | None,
    resolvers: Resolvers | None,
) -> FailingForwarder | None:
    """The upstreams that keep a DNS server from answering; None where the reason is not known."""
    upstreams = list(_upstreams(host, container, logs))[:_MOST]
    if not upstreams:
        unanswered = _silent_servers(host, container, resolvers)
        return FailingForwarder(container, reply, (), unanswered) if unanswered else None
    pid = container.state.pid
    answers = host.ask_about(
        upstreams, lambda server: QueryDns(server.address, ".", "NS", port=server.port, pid=pid)
    )
    silent = []
    for server, answer in answers:
        if isinstance(answer, Failed) or answer.answered:
            return None
        silent.append(SilentServer(server, answer))
    return FailingForwarder(container, reply, tuple(silent))


def _upstreams(host: Host, container: Container, logs: RecentLogs | None) -> Iterator[AskedServer]:
    """The servers that it is configured to ask, each once: as the first place that names any."""
    for places in (
        _servers_in_settings(container),
        _servers_in_files(host, container),
        _servers_in_log(container, logs),
    ):
        own_addresses = container.ipv4_addresses
        upstreams = {
            (place.address, place.port): place
            for place in places
            if place.address not in own_addresses and not is_loopback(place.address)
        }
        if upstreams:
            yield from (place for place in upstreams.values() if place.port not in _ENCRYPTED)
            return


def _servers_in_settings(container: Container) -> Iterator[AskedServer]:
    for variable in container.config.env or ():
        match = _VARIABLE.match(variable)
        if match is not None:
            yield from _places(match["value"], f"variable {variable.partition('=')[0]}")
    yield from places_in_words(container.config.words)


def places_in_words(words: Sequence[str]) -> Iterator[AskedServer]:
    """The servers that options of a command line name."""
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        option = _OPTION.match(word)
        if option is not None:
            yield from _places(option["value"] or following, "its command")


def _servers_in_files(host: Host, container: Container) -> Iterator[AskedServer]:
    settings = mounted_settings(
        host, container, "dns upstreams", _SETTINGS, _FOLDER, with_volumes=True
    )
    for mounted in settings:
        for line in mounted.text.splitlines():
            address, _, port = line.partition(" ")
            yield AskedServer(address, int(port), mounted.path)


def _servers_in_log(container: Container, logs: RecentLogs | None) -> Iterator[AskedServer]:
    lines = logs.of_this_run(container) if logs is not None else ()
    for line in lines:
        match = _IN_LOG.search(line.text)
        if match is not None:
            yield from _places(match["sent"] or match["tried"] or match["named"], "its log")


def _places(text: str, source: str) -> Iterator[AskedServer]:
    for match in _PLACE.finditer(text):
        port = int(match["port"] or DNS_PORT)
        if port < 65536:
            yield AskedServer(match["address"], port, source)


def _silent_servers(
    host: Host, container: Container, resolvers: Resolvers | None
) -> tuple[str, ...]:
    """The servers that it asks at port 53 without any answer, by the kernel's table.

    Those in its resolv.conf are left out: the other programs of the container ask them, and the
    engine.
    """
    table = host.ask(ListConnections(protocol="udp", dport=DNS_PORT))
    own_addresses = container.ipv4_addresses
    asked_by_others = _asked_by_others(container, resolvers) if resolvers is not None else set()
    flows = [] if isinstance(table, Failed) else table.entries
    sent = [flow for flow in flows if flow.src in own_addresses and flow.dst not in asked_by_others]
    if any("seen_reply" in flow.status for flow in sent):
        return ()
    servers = distinct(flow.dst for flow in sent)
    return servers if len(servers) >= _LEAST_SILENT else ()


def _asked_by_others(container: Container, resolvers: Resolvers) -> set[str]:
    """The servers that do not concern the DNS server in the container."""
    inside = resolvers.inside.get(container.id)
    own_servers = inside.nameservers if inside is not None else ()
    return {*own_servers, *resolvers.host_servers, *resolvers.engine_view}
