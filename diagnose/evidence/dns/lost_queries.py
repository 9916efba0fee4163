"""Queries of containers that get no answer, and the facts about their server. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_containers import DNS_PORT, dns_container
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.query_groups import QueryGroup
from diagnose.evidence.dns.resolvers import Resolvers, ServerOrigin, Upstream
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Network, Networks, is_within
from diagnose.evidence.network.paths.dropped_ways import is_for_one
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.sockets.listeners import Listener, Listeners

_OVERLAY = "overlay"


class ServerApart(msgspec.Struct, frozen=True):
    """A DNS server in a container, on a bridge that the engine keeps apart from those that ask."""

    network: str
    holder: Container


class LostQuery(msgspec.Struct, frozen=True):
    """Containers with a DNS server that does not answer, and the known facts of the server."""

    group: QueryGroup
    resolvers: Resolvers
    lookups: Lookups
    path: DnsPath
    containers: Containers
    networks: Networks | None
    misses_names: bool
    """Whether the log of a member says that names cannot be resolved, or that of a container that
    shares the network of one."""
    listeners: Listeners | None

    @property
    def is_kept_in(self) -> bool:
        """Whether only the container's own routes or rules can keep the query in."""
        if self.is_kept_from_host:
            return False
        is_own_way = self.group.goes_its_own_way and not self.rule
        return is_own_way and self.lookups.reaches(self.server) is True

    @property
    def is_kept_from_host(self) -> bool:
        """Whether the server is the host itself, from which the kernel keeps these containers.

        Those on macvlan and ipvlan networks reach every machine of the wire but their own host.
        """
        if self.networks is None or self.server not in self.path.own:
            return False
        by_name = self.networks.by_name
        drivers = {by_name[name].driver for name in self.group.networks if name in by_name}
        return bool(drivers) and drivers <= {"macvlan", "ipvlan"}

    @property
    def is_stopped_on_purpose(self) -> bool:
        """Whether a rule of DOCKER-USER against one source or interface stops the query."""
        return self.rule is not None and is_for_one(self.rule)

    @property
    def is_own_doing(self) -> bool:
        """Whether the container's own routes keep the query in, and it needs no answer."""
        return self.is_kept_in and not self.misses_names

    @property
    def proxied(self) -> Container | None:
        """The running container to which docker-proxy hands queries for this address."""
        if self.server not in self.path.own:
            return None
        container = self.serving
        return container if container is not None and container.is_running else None

    @property
    def serving(self) -> Container | None:
        """The container that should answer at this address."""
        is_of_host = self.server in self.path.own
        return dns_container(self.containers, self.server, is_of_host=is_of_host)

    @property
    def empty_place(self) -> str:
        """The network with the server's address, but without a running container there; or ""."""
        in_use = self.containers.addresses_in_use
        if self.server in in_use or is_loopback(self.server) or self.server in self.path.own:
            return ""
        bridges = self.networks.bridges if self.networks is not None else ()
        for network in bridges:
            if _covers(network, self.server) and self.server not in network.gateways:
                return network.name
        return ""

    @property
    def hiding(self) -> Network | None:
        """The overlay network whose subnet holds the address of a server that the host reaches.

        Such a network has no route on the host, so that the host's query goes to another machine
        than that of a container. None where the address is that of a machine outside alone.
        """
        if self.networks is None or self.upstream.by_host or not self.lookups.reaches(self.server):
            return None
        networks = [self.networks.by_name.get(name) for name in self.group.networks]
        overlays = [
            network for network in networks if network is not None and network.driver == _OVERLAY
        ]
        hiding = (network for network in overlays if _covers(network, self.server))
        return next(hiding, None)

    @property
    def holder(self) -> Container | None:
        """The container of that network which has the server's address."""
        hiding = self.hiding
        if hiding is None:
            return None
        for container in self.containers.running:
            endpoint = container.endpoints.get(hiding.name)
            if endpoint is not None and endpoint.ip_address == self.server:
                return container
        return None

    @property
    def apart(self) -> ServerApart | None:
        """The container that has the server's address, on a bridge of no container that asks."""
        if self.networks is None or self.upstream.by_host:
            return None
        for (name, address), container in self.containers.by_place.items():
            network = self.networks.by_name.get(name)
            is_there = address == self.server and network is not None and network.is_bridge
            if is_there and name not in self.group.networks:
                return ServerApart(name, container)
        return None

    @property
    def upstream(self) -> Upstream:
        return self.group.lost[0].upstream

    @property
    def reply(self) -> DnsReply:
        reply = self.group.lost[0].reply
        assert reply is not None
        return reply

    @property
    def server(self) -> str:
        return self.upstream.server

    @property
    def origin(self) -> ServerOrigin:
        origin = self.resolvers.origin(self.group.members[0], self.server)
        if origin.kind == "earlier" and self.server in self.gateways:
            place = "the engine, whose own resolver there knows the names of containers"
            return ServerOrigin("engine", place)
        return origin

    @property
    def gateways(self) -> frozenset[str]:
        """The host's addresses on the networks of these containers: Podman's resolver is there."""
        if self.networks is None:
            return frozenset()
        networks_of_group = [
            network for network in self.networks if network.name in self.group.networks
        ]
        return frozenset(gateway for network in networks_of_group for gateway in network.gateways)

    @property
    def rule(self) -> Step | None:
        """The rule of the host that stops the query; None if none is known."""
        rules = (self.path.blocked.get((network, self.server)) for network in self.group.networks)
        return next(filter(None, rules), None)

    @property
    def rejected_by(self) -> Step | None:
        """The route or routing rule of the host that rejects the query; None if none does."""
        routes = (self.path.rejected.get((network, self.server)) for network in self.group.networks)
        return next(filter(None, routes), None)

    @property
    def elsewhere(self) -> Listener | None:
        """The DNS server of this host that does not serve the queried address; or None."""
        is_refused = self.reply.icmp == "refused" and not self.upstream.by_host
        if not is_refused or self.server not in self.path.own:
            return None
        return next(filter(_is_dns_of_host, self.listeners or ()), None)

    @property
    def answering(self) -> str:
        """A server of the host that does answer the host; empty if there is none."""
        other_servers = (server for server in self.resolvers.host_servers if server != self.server)
        return next((server for server in other_servers if self.lookups.reaches(server)), "")


def _covers(network: Network, address: str) -> bool:
    return any(is_within(address, subnet) for subnet in network.subnets)


def _is_dns_of_host(listener: Listener) -> bool:
    """Whether a program of the host itself takes DNS queries here."""
    is_of_host = listener.pid is not None and listener.comm != "docker-proxy"
    return listener.port == DNS_PORT and listener.proto == "udp" and is_of_host
