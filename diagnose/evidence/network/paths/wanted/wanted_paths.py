"""Connections that containers want to open to the host and to each other, each traced.

Other connections are not traced: they may be closed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import family_of, is_loopback
from diagnose.evidence.network.calls.called_places import ContainerCall
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.wanted.called_names import CalledNames, NameSources
from diagnose.evidence.network.paths.wanted.wants import (
    Want,
    awaited,
    exposed_port,
    logged,
    wants_of,
)
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.firewall.docker import is_docker_chain
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace, trace_bridged
from diagnose.firewall.verdict import Step
from diagnose.model import Coverage
from diagnose.registry import evidence

ARRIVES = Trace("accept")
"""The trace of a connection that no rule stops."""

MOST = 400
"""Wanted connections that are walked."""


class WantedPath(msgspec.Struct, frozen=True):
    """A wanted connection and its trace."""

    kind: Literal["to the host", "between containers"]
    """The kind of its target."""
    want: Want
    network: Network
    """The network by which the packets leave the container."""
    address: str
    port: int
    """address, port: as the container calls it."""
    trace: Trace
    peer: Container | None = None
    """The container that it leads to."""
    listener: Listener | None = None
    """The host's own socket."""
    bridged: bool = False
    """Whether it stays on one bridge."""

    @property
    def comes_back(self) -> bool:
        """Whether a rule returns it to its container, with that container's own source.

        The bridge sends no packet out of the port by which it came (hairpin mode is off), and the
        container would drop one that has its own address.
        """
        is_own = self.peer is not None and self.peer.id == self.want.container.id
        return is_own and self.trace.nat is not None and self.trace.snat is None

    @property
    def hiding_rule(self) -> Step | None:
        """The rule that gives the packets another source, unless that is the engine's own."""
        if self.trace.snat is None or self.trace.nat_unknown:
            return None
        stages = (stage for stage in self.trace.stages if stage.hook == "postrouting")
        rules = [stage.verdict.nat_by for stage in stages if stage.part == "request"]
        rule = next((rule for rule in rules if rule is not None), None)
        return None if rule is None or is_docker_chain(rule.table, rule.chain) else rule

    @property
    def is_answer_of_host_lost(self) -> bool:
        """Whether the host answers, and its routes lead the answer away from the container."""
        lost = self.trace.lost_answer
        return self.kind == "to the host" and lost is not None and lost.is_routed_away

    @property
    def is_answered_past_host(self) -> bool:
        """Whether a neighbour answers directly, so that the host translates no answer back."""
        lost = self.trace.lost_answer
        if lost is None or lost.reason != "elsewhere":
            return False
        is_near = self.peer is not None and self.network.name in self.peer.endpoints
        return is_near and self.kind == "between containers" and not self.bridged


class UnservedWant(msgspec.Struct, frozen=True):
    """A wanted connection to an address and port of the host at which nothing listens."""

    want: Want
    network: Network
    address: str
    elsewhere: tuple[Listener, ...] = ()
    """The sockets of that port on other addresses of the host."""
    has_address: bool = True
    """Whether the host has the address at all; a `host-gateway` may name one that it has lost."""


class WantedPaths(Items[WantedPath], frozen=True):
    """The wanted connections that were traced."""

    why_none: str = ""
    """The reason why no path was traced; "" if one was."""
    unserved: tuple[UnservedWant, ...] = ()
    """The connections that no socket can accept."""

    @property
    def coverage(self) -> Coverage:
        """The number of traced connections to the host and between containers, for the report."""
        kinds = Counter(path.kind for path in self)
        families = frozenset(family_of(path.address) for path in self)
        return Coverage(dict(sorted(kinds.items())), families, self.why_none)


@evidence
def wanted_paths(
    sources: NameSources,
    walked_host: WalkedHost,
    listeners: Listeners | None,
    log_tails: LogTails | None,
    network_losses: NetworkLosses | None,
    logged_failures: LoggedFailures | None,
) -> WantedPaths:
    """The traces of the connections that containers should open. Pure."""
    if walked_host.why_not_inside:
        return WantedPaths((), why_none=walked_host.why_not_inside)
    names = sources.names
    containers = sources.containers
    walks = _Walks(sources.host_stack.stack, sources.networks, listeners, names)
    wants = [
        want for container in containers.running for want in wants_of(container, names, log_tails)
    ]
    wants += awaited(network_losses)
    wants += logged(logged_failures)
    paths: dict[ContainerCall, WantedPath] = {}
    unserved: dict[ContainerCall, UnservedWant] = {}
    walked = sorted(wants, key=lambda want: not want.has_failed)[:MOST]
    for want in walked:
        for path in walks.paths(want):
            paths.setdefault(ContainerCall(want.container.id, path.address, path.port), path)
    for want in (*walked, *_wants_of_restarting(containers, names, log_tails)):
        lack = walks.unserved(want)
        if lack is not None:
            unserved.setdefault(ContainerCall(want.container.id, lack.address, want.port), lack)
    return WantedPaths(tuple(paths.values()), unserved=tuple(unserved.values()))


def _wants_of_restarting(
    containers: Containers, names: CalledNames, log_tails: LogTails | None
) -> list[Want]:
    """The wanted connections of restarting containers, which have no address meanwhile."""
    restarting = (container for container in containers if container.state.status == "restarting")
    return [want for container in restarting for want in wants_of(container, names, log_tails)]


class _LeavingPoint(msgspec.Struct, frozen=True):
    """The network and source address with which a container's packets leave."""

    network: Network
    source: str
    """The container's address there; "" between two of its starts."""

    def to(self, address: str, port: int) -> Flow:
        return Flow(Origin(self.network.bridge, self.source), address, "tcp", port)


class _Walks:
    """The traces of wanted connections on this host."""

    def __init__(
        self,
        stack: NetworkStack,
        networks: Networks,
        listeners: Listeners | None,
        names: CalledNames,
    ) -> None:
        self._stack = stack
        self._networks = networks
        self._listeners = listeners
        self._names = names

    def paths(self, want: Want) -> Iterator[WantedPath]:
        """The traces of one wanted connection."""
        address = self._names.extra_hosts(want.container).get(want.host, want.host)
        if _looks_like_address(address) and self._stack.is_local(address):
            yield from self._to_host(want, address)
        else:
            yield from self._to_container(want, address)

    def _to_host(self, want: Want, address: str) -> Iterator[WantedPath]:
        """The paths of a want that goes to an address of this host, one for each port."""
        leaving = self._leaving_network(want.container)
        if leaving is None or is_loopback(address):
            return
        network = leaving.network
        for port in [want.port] if want.port else self._host_ports():
            traced = trace(self._stack, leaving.to(address, port))
            listener = self._listener_at(address, port)
            peer = self._translated_to(network, traced) or self._names.publishers.get(port)
            is_peers = peer is not None and (traced.nat is not None or listener is None)
            if is_peers or listener is not None or self._listeners is None:
                yield WantedPath(
                    "between containers" if is_peers else "to the host",
                    want=want,
                    network=network,
                    address=address,
                    port=port,
                    trace=traced,
                    peer=peer,
                    listener=None if is_peers else listener,
                )

    def _translated_to(self, network: Network, traced: Trace) -> Container | None:
        """The container of the same network to which a rule of the host leads the packets."""
        if traced.nat is None or traced.packet is None or traced.packet.dst is None:
            return None
        called = self._names.on_network(network.name, traced.packet.dst)
        return called.container if called is not None else None

    def unserved(self, want: Want) -> UnservedWant | None:
        """The wanted connection to the host that no socket accepts; None where one does or may."""
        address = self._names.extra_hosts(want.container).get(want.host, want.host)
        leaving = self._leaving_network(want.container) or self._former_network(want.container)
        if leaving is None or not _looks_like_address(address) or is_loopback(address):
            return None
        if not self._stack.is_local(address):
            is_gateway = want.host in self._names.extra_hosts(want.container, only_gateway=True)
            lost = UnservedWant(want, leaving.network, address, has_address=False)
            return lost if is_gateway else None
        if self._listeners is None or not want.port or self._is_own_port(want):
            return None
        if self._is_served(address, want.port, leaving):
            return None
        same_port = [listener for listener in self._listeners if listener.port == want.port]
        return UnservedWant(want, leaving.network, address, tuple(same_port))

    def _is_served(self, address: str, port: int, leaving: _LeavingPoint) -> bool:
        """Whether a program of the host takes connections, or a rule leads them elsewhere."""
        listeners = self._listeners
        if listeners is not None and (
            listeners.on("tcp", address, port) or listeners.on("udp", address, port)
        ):
            return True
        if not leaving.source:  # the engine itself listens at each published port, if no proxy does
            return False
        return trace(self._stack, leaving.to(address, port)).nat is not None

    def _is_own_port(self, want: Want) -> bool:
        """Whether a container wants a port that it publishes itself, or will when it runs."""
        if want.container.wants_port(want.port):
            return True
        publisher = self._names.publishers.get(want.port)
        return publisher is not None and publisher.id == want.container.id

    def _host_ports(self) -> list[int]:
        """The ports on which programs of the host listen for others than itself."""
        listeners = self._listeners or ()
        ports = {
            listener.port
            for listener in listeners
            if listener.proto.startswith("tcp")
            and not is_loopback(listener.address)
            and listener.comm != "docker-proxy"
        }
        return sorted(ports)[:8]

    def _listener_at(self, address: str, port: int) -> Listener | None:
        if self._listeners is None:
            return None
        return next((listener for listener in self._listeners.on("tcp", address, port)), None)

    def _leaving_network(self, container: Container) -> _LeavingPoint | None:
        """The network by which a container's packets to others leave.

        Its only one, or the first by name as engines choose.
        """
        endpoints = self._names.endpoints_of(container)
        for name in sorted(endpoints):
            network = self._networks.by_name.get(name)
            address = endpoints[name].ip_address
            if network is None or not address:
                continue
            if network.is_bridge and not network.internal:
                return _LeavingPoint(network, address)
        return None

    def _former_network(self, container: Container) -> _LeavingPoint | None:
        """The network of a container that the engine starts again soon, without an address."""
        if container.state.status != "restarting":
            return None
        networks_by_endpoint = (
            self._networks.by_name.get(name) for name in sorted(container.endpoints)
        )
        bridges = (
            network for network in networks_by_endpoint if network is not None and network.is_bridge
        )
        return next(
            (_LeavingPoint(network, "") for network in bridges if not network.internal), None
        )

    def _to_container(self, want: Want, address: str) -> Iterator[WantedPath]:
        """The paths of a want that goes to another container on a shared network."""
        own_ids = (want.container.id, self._names.owner_of(want.container).id)
        for name, endpoint in self._names.endpoints_of(want.container).items():
            called = self._names.on_network(name, address)
            network = self._networks.by_name.get(name)
            if called is None or network is None or not endpoint.ip_address:
                continue
            peer = called.container
            if peer.id in own_ids:
                continue
            port = want.port or exposed_port(peer)
            if port:
                flow = _LeavingPoint(network, endpoint.ip_address).to(called.address, port)
                traced = trace_bridged(self._stack, flow)
                yield WantedPath(
                    "between containers",
                    want=want,
                    network=network,
                    address=called.address,
                    port=port,
                    trace=traced,
                    peer=peer,
                    bridged=True,
                )
            return


def _looks_like_address(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(?:\.\d+){3}|[0-9a-fA-F]*:[0-9a-fA-F:]+", text))


def failing(paths: Iterable[WantedPath | UnservedWant]) -> bool:
    """Whether a connection failed in a log, or its container is not healthy."""
    return any(path.want.has_failed or path.want.container.is_unwell for path in paths)
