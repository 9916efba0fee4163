"""The DNS servers of the host that do not answer it, and the reason on this host. Pure."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.dns_containers import dns_container
from diagnose.evidence.dns.filtered_queries import DnsPath, device_to
from diagnose.evidence.dns.forwarding_circles import ForwardingCircle
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_groups import QueryGroup
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.absent_machine import AbsentMachine
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.routes import Routes

_UPLINKS = (None, "veth", "bond", "team", "vlan", "macvlan", "ipvlan")
"""Kinds of interfaces that lead to others; None is hardware. The kernel's own tunnels and idle
bridges are always down."""


class DeadServers(msgspec.Struct, frozen=True):
    """The servers of the host that do not answer it, and the containers that use them."""

    dead: list[str]
    resolvers: Resolvers
    lookups: Lookups
    path: DnsPath
    """The obstacle to a query on this host."""
    hit: list[QueryGroup]
    """The containers that ask them."""
    serving: Container | None
    """The container that should answer at the first one's address."""
    circle: ForwardingCircle | None
    """The circle of servers that ask that container and are asked by it."""
    routes: Routes | None
    links: Interfaces | None
    absent: AbsentMachine | None
    """The first server, where the host asks for it on a link without an answer."""

    @property
    def first(self) -> str:
        return self.dead[0]

    @property
    def rules(self) -> Mapping[str, Step]:
        """By server the rule of the host that stops the query."""
        return self.path.of_host

    @property
    def rejected_by(self) -> Step | None:
        """The route or routing rule of the host that rejects queries to the first server."""
        return self.path.rejected_of_host.get(self.first)

    @property
    def others(self) -> list[str]:
        """The host's servers that answer it."""
        queried = [server for server in self.resolvers.host_servers if server in self.lookups.host]
        return [server for server in queried if server not in self.dead]

    @property
    def has_way_out(self) -> bool:
        """Whether a default route leads to other addresses, such as those of IPv6."""
        return self.routes is not None and bool(self.routes.lead_out)

    @property
    def is_lost(self) -> bool:
        """Whether queries do not leave this host, because no route leads to the first server."""
        if self.rejected_by is not None or self.routes is None:
            return False
        is_unreachable = any(
            self.lookups.host[server].icmp == "unreachable" for server in self.dead
        )
        return is_unreachable and not self.routes.leads_to(self.first)

    @property
    def switched_off(self) -> list[str]:
        """The interfaces that are down and may have led out, on a host without a way out."""
        if not self.is_lost or self.has_way_out:
            return []
        return [link.name for link in self.links or () if _is_idle_uplink(link)]

    @property
    def unplugged(self) -> str:
        """The interface to the first server, where it is up and has nothing at its other end."""
        if self.routes is None or self.links is None:
            return ""
        link = self.links.by_name.get(device_to(self.first, self.routes, self.links) or "")
        return link.name if link is not None and link.up and link.lacks_carrier else ""

    @property
    def may_be_routers(self) -> bool:
        """Whether nothing on this host explains the silence of a server beyond it."""
        return not self.rules and self.serving is None and is_beyond(self.first)


def is_dead(server: str, lookups: Lookups) -> bool:
    """Whether a server was asked, and answers neither over UDP nor over TCP."""
    return lookups.reaches(server) is False and not lookups.answers_by_tcp(server)


def is_beyond(server: str) -> bool:
    """Whether this is an IPv4 address that is not a loopback address."""
    return ":" not in server and not is_loopback(server)


def serving(
    containers: Containers | None, links: Interfaces | None, server: str
) -> Container | None:
    """The container, running or not, that should answer at a server's address."""
    is_of_host = is_loopback(server) or (links is not None and links.holds(server))
    return dns_container(containers, server, is_of_host=is_of_host)


def _is_idle_uplink(link: Interface) -> bool:
    """Whether an interface of a kind that leads to others is down."""
    leads_out = link.kind in _UPLINKS and link.master is None and link.name != "lo"
    return leads_out and (not link.up or link.lacks_carrier)
