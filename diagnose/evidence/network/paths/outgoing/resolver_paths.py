"""The paths of containers' DNS queries to each of their servers, by the kernel's routes."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import family_of, is_address, is_loopback
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.paths.walks import address_of, leads_out
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.mappings import by_key
from diagnose.registry import evidence


class ResolverPath(msgspec.Struct, frozen=True):
    """The way of one container's queries to one server."""

    container: Container
    network: Network
    server: str
    device: str
    """The interface by which they leave the host; "" at the host itself."""
    trace: Trace
    rivals: int
    """How many servers the container may ask in all."""

    @property
    def is_untranslated(self) -> bool:
        """Whether packets certainly leave with the address that the engine should hide."""
        traced = self.trace
        obstacle = self.trace.obstacle
        gets_out = traced.outcome == "accept" or (obstacle is not None and obstacle.part == "reply")
        leaves = gets_out and traced.to not in ("", None, "lo", self.network.bridge)
        is_hidden = traced.nat_unknown or traced.snat is not None
        return leaves and self.network.masquerades and not is_hidden


class ResolverPaths(Items[ResolverPath], frozen=True):
    """The paths to DNS servers, one for each container and server that its own packets go to."""

    untranslated: tuple[ResolverPath, ...] = ()
    """The paths without an answer, for any rule, because the source is not hidden."""

    @property
    def cut_off(self) -> tuple[ResolverPath, ...]:
        """The ways of those containers that reach none of their servers."""
        blocked: dict[str, int] = {}
        for path in self:
            if path.trace.is_blocked:
                blocked[path.container.id] = blocked.get(path.container.id, 0) + 1
        return tuple(
            path
            for path in self
            if path.trace.is_blocked and blocked[path.container.id] == path.rivals
        )


@evidence
def resolver_paths(
    host_stack: HostStack,
    resolvers: Resolvers,
    containers: Containers,
    networks: Networks,
    walked_host: WalkedHost,
) -> ResolverPaths:
    """The paths of DNS queries, one trace for each network and server.

    Containers of the network share it unless a rule distinguishes them.
    """
    if walked_host.why_not_inside:
        return ResolverPaths(())
    walked: dict[tuple[str, str], Trace] = {}
    bridges = {network.name for network in networks.bridges}
    homes = by_key((address, name) for name, address in containers.by_place if name in bridges)
    paths = [
        path
        for container in containers.running
        for path in _paths_of_container(
            host_stack.stack,
            container,
            networks=networks,
            resolvers=resolvers,
            walked=walked,
            homes=homes,
        )
    ]
    return ResolverPaths(
        tuple(path for path in paths if not (path.is_untranslated and path.trace.is_blocked)),
        tuple(path for path in paths if path.is_untranslated),
    )


def _paths_of_container(
    stack: NetworkStack,
    container: Container,
    networks: Networks,
    resolvers: Resolvers,
    walked: dict[tuple[str, str], Trace],
    homes: Mapping[str, Sequence[str]],
) -> Iterator[ResolverPath]:
    """The path of a container's queries to each server that it asks itself.

    A server that is a container of another bridge is left out: the engine keeps networks apart, and
    not a foreign rule. walked: the traces that are known, by network and server. homes: the bridge
    networks on which a server's address is a container's.
    """
    upstreams = resolvers.upstreams(container)
    network = _network_out(container, networks)
    if network is None:
        return
    source = container.endpoints[network.name].ip_address
    for upstream in upstreams:
        if upstream.by_host or is_loopback(upstream.server) or not is_address(upstream.server):
            continue
        home = homes.get(upstream.server, ())
        if home and not container.endpoints.keys() & set(home):
            continue
        family = family_of(upstream.server)
        address = source if family == "ip" else address_of(container.endpoints[network.name], "ip6")
        if not address:
            continue
        key = (network.name, upstream.server)
        traced = walked.get(key)
        if traced is None or not traced.is_decided:
            flow = Flow(Origin(network.bridge, address), upstream.server, "udp", 53, family)
            traced = walked[key] = trace(stack, flow)
        device = stack.routing.look_up(upstream.server, address, network.bridge).oif
        yield ResolverPath(
            container,
            network=network,
            server=upstream.server,
            device=device,
            trace=traced,
            rivals=len(upstreams),
        )


def _network_out(container: Container, networks: Networks) -> Network | None:
    """The network by which its packets leave: its only one that leads out, or the first by name."""
    for network in networks.of(container):
        if container.endpoints[network.name].ip_address and leads_out(network):
            return network
    return None
