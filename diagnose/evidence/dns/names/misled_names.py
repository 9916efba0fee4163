"""Names that lead a container to itself, to nowhere, or to the wrong neighbour.

A container's own host name is in its hosts file, a DNS filter answers with 0.0.0.0, and a container
with the name of a site hides that site from its neighbours: each call is refused, and the log says
no more than that.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.configured_names import places_in
from diagnose.evidence.dns.names.failed_names import referenced_names
from diagnose.evidence.dns.names.pinned_names import NameComplaints
from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import Resolvers, Upstream
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import (
    BROWSED_PORTS,
    is_address,
    is_everywhere,
    is_loopback,
)
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import DnsReply, QueryDns
from diagnose.registry import evidence

Kind = Literal["itself", "filtered", "hidden"]
"""itself: the container has the host name of its neighbour. filtered: its DNS server gives a
useless address. hidden: a neighbour has the name of a machine that DNS knows."""

MOST = 8
"""Names that DNS servers are asked for."""
_REFUSED = frozenset({"refused", "certificate", "tls"})
_LOG = "its log"


class MisledName(msgspec.Struct, frozen=True):
    """A name that leads a container to another machine than the intended one."""

    container: Container
    """The container that calls the name."""
    name: str
    kind: Kind
    source: str
    """The source of the name."""
    peer: Container | None = None
    """The intended neighbour (itself), or the one that is called in its place (hidden)."""
    port: int = 0
    """The port at which the peer does not serve (hidden)."""
    server: str = ""
    addresses: tuple[str, ...] = ()
    """The answer of that DNS server for the name."""
    line: str = ""
    """The line by which the container complains."""

    @property
    def is_sure(self) -> bool:
        """Whether a setting has this name as the target of a call, and the container complains.

        A filter blocks on purpose the default calls of programs, and a container may have a host
        name of another one as its own label.
        """
        return bool(self.line) and self.source not in ("", _LOG)


class MisledNames(Items[MisledName], frozen=True):
    """The misled names, at most one for each name of a container."""


class _CalledName(msgspec.Struct, frozen=True):
    """A name that a container calls, and its last complaint."""

    container: Container
    name: str
    port: int
    source: str
    line: str


@evidence
def misled_names(
    host: Host,
    containers: Containers,
    namespaces: Namespaces | None,
    resolvers: Resolvers | None,
    complaints: NameComplaints,
) -> MisledNames:
    """The names of refused calls that resolve to another machine than the intended one.

    DNS servers are asked for names of several words that containers call and that are refused.
    """
    complaint_lines = complaints.said
    called: list[_CalledName] = []
    names: list[MisledName | None] = []
    for container in containers.running:
        if container.endpoints.keys() - {DEFAULT_NETWORK}:
            names.append(_own_host_name(container, containers, complaint_lines))
        lines = complaint_lines.get(container.id, ())
        if refused := [line for line in lines if signs(line) & _REFUSED]:
            called += _called_names(container, containers, refused)
    hidden = _hidden_names(host, called, containers, namespaces, resolvers)
    names += [*_filtered_names(host, called, resolvers), *hidden]
    by_name = {(misled.container.id, misled.name): misled for misled in filter(None, names)}
    return MisledNames(tuple(by_name.values()))


def _own_host_name(
    container: Container, containers: Containers, complaint_lines: Mapping[str, Sequence[str]]
) -> MisledName | None:
    """A neighbour that the container calls by a name which is its own host name."""
    host_name = container.config.hostname
    sources = {name.lower(): source for name, source in referenced_names(container).items()}
    is_its_own = host_name in (container.name, container.compose_service)
    # containers that share an alias, as blue and green ones do, replace each other
    is_shared = host_name in _own_aliases(container)
    if is_its_own or is_shared or host_name.lower() not in sources:
        return None
    peer = _holder(container, host_name, containers)
    if peer is None:
        return None
    line = next(reversed(complaint_lines.get(container.id, ())), "")
    return MisledName(container, host_name, "itself", sources[host_name.lower()], peer, line=line)


def _own_aliases(container: Container) -> Iterator[str]:
    """The aliases that a person gave a container; engines up to 24 add its id and host name."""
    for end in container.endpoints.values():
        yield from itertools.takewhile(lambda alias: alias != container.id[:12], end.aliases or ())


def _holder(container: Container, name: str, containers: Containers) -> Container | None:
    """The only other running container that has a name on a network of this one."""
    networks = container.endpoints.keys() - {DEFAULT_NETWORK}
    holders = {
        other.id: other
        for network in networks
        for other in containers.called(network, name)
        if other.id != container.id and other.is_running
    }
    return only(list(holders.values()))


def _called_names(
    container: Container, containers: Containers, lines: Sequence[str]
) -> Iterator[_CalledName]:
    """The names of several words in its variables, its command and its complaints.

    Where it gives none, those of its neighbours: its code may have the name.
    """
    texts = [
        *((f"environment variable {name}", value) for name, value in container.config.environment),
        *(("its command", word) for word in container.command),
        *((_LOG, line) for line in lines[-3:]),
    ]
    places: dict[str, _CalledName] = {}
    for source, text in texts:
        for place in places_in(text):
            name, _, port = place.partition(":")
            called = _CalledName(container, name, int(port), source=source, line=lines[-1])
            places.setdefault(place, called)
    fitting = [call for call in places.values() if _may_be_about(call)]
    yield from fitting
    if places or referenced_names(container) or place_in(lines[-1]).host:
        return
    for other in containers.beside(container):
        for name in sorted(other.dns_names):
            if "." in name and other.is_running:
                for web_port in BROWSED_PORTS:
                    yield _CalledName(container, name, web_port, source="", line=lines[-1])


def _may_be_about(call: _CalledName) -> bool:
    """Whether the complaint of a container may be about this name.

    Its line has the name, or an address of the container itself; or the line has no target, and the
    container calls no other host.
    """
    if call.name in call.line:
        return True
    host = place_in(call.line).host
    if host:
        return is_address(host) and (is_everywhere(host) or is_loopback(host))
    return len(referenced_names(call.container)) <= 1


class _Query(msgspec.Struct, frozen=True):
    """A name, and the DNS server to ask for it."""

    called: _CalledName
    upstream: Upstream

    def question(self) -> QueryDns:
        pid = asking_pid(self.called.container, self.upstream)
        return QueryDns(self.upstream.server, self.called.name, "A", pid=pid)


def _replies(
    host: Host, called: Sequence[_CalledName], resolvers: Resolvers | None
) -> Iterator[tuple[_Query, DnsReply]]:
    """The reply of each container's first server for a name."""
    queries: list[_Query] = []
    for call in {(call.container.id, call.name): call for call in called}.values():
        upstreams = resolvers.upstreams(call.container) if resolvers is not None else ()
        queries += [_Query(call, upstream) for upstream in upstreams[:1]]
    chosen = host.first(queries, MOST, "names whose calls are refused")
    for query, reply in host.ask_about(chosen, _Query.question):
        if not isinstance(reply, Failed):
            yield query, reply


def _filtered_names(
    host: Host, called: Sequence[_CalledName], resolvers: Resolvers | None
) -> Iterator[MisledName]:
    """Names for which the server gives nothing but 0.0.0.0 or a loopback address."""
    traced_calls = [
        call for call in called if call.source and call.name not in call.container.extra_names
    ]
    for query, reply in _replies(host, traced_calls, resolvers):
        addresses = tuple(reply.answers)
        if addresses and all(
            is_everywhere(address) or is_loopback(address) for address in addresses
        ):
            yield _misled_name(query, "filtered", addresses)


def _misled_name(
    query: _Query, kind: Kind, addresses: tuple[str, ...], peer: Container | None = None
) -> MisledName:
    """The name of a query, and the address to which it resolves."""
    call = query.called
    return MisledName(
        call.container,
        call.name,
        kind,
        call.source,
        peer,
        port=call.port,
        server=query.upstream.server,
        addresses=addresses,
        line=call.line,
    )


def _hidden_names(
    host: Host,
    called: Sequence[_CalledName],
    containers: Containers,
    namespaces: Namespaces | None,
    resolvers: Resolvers | None,
) -> Iterator[MisledName]:
    """Names of machines that DNS knows, and of a neighbour that does not serve the port."""
    peer_by_name: dict[str, Container] = {}
    hiding = []
    for call in called:
        peer = _holder(call.container, call.name, containers)
        netns = namespaces.of(peer) if namespaces is not None and peer is not None else None
        if peer is None or netns is None or netns.serves_others("tcp", call.port):
            continue
        peer_by_name[call.name] = peer
        hiding.append(call)
    for query, reply in _replies(host, hiding, resolvers):
        peer = peer_by_name[query.called.name]
        peer_addresses = {end.ip_address for end in peer.endpoints.values()}
        if reply.knows and peer_addresses.isdisjoint(reply.answers):
            yield _misled_name(query, "hidden", tuple(reply.answers), peer)
