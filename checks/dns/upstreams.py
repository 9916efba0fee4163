"""Queries of containers that are lost on the way to their DNS server."""

from __future__ import annotations

import msgspec

from checks.dns._groups import dns_container, listed, severity_beside_answers, touched, unasked
from checks.dns.closed_input import opening
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.failed_names import FailedNames
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import (
    HOST_FILE,
    Resolvers,
    ServerOrigin,
    Upstream,
)
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.networks import Networks, is_within
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.mappings import names_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import count, sentence
from diagnose.registry import check

_LOST = [
    "dns.host-broken",
    "dns.udp-blocked",
    "dns.loopback-stub",
    "dns.no-nameserver",
    "dns.stale-resolv-conf",
]
_FIREWALL = [
    "firewall.chains-missing",
    "firewall.masquerade-missing",
    "firewall.forwarding-off",
    "firewall.forward-dropped",
]
_NETWORK = [
    "network.bridge-down",
    "network.parent-down",
    "network.veth-detached",
    "network.subnet-overlaps-route",
    "network.conntrack-full",
]


@check(
    "dns.upstream-unreachable",
    severity=Severity.critical,
    caused_by=[*_LOST, *_FIREWALL, *_NETWORK, "daemon.hung"],
)
def upstream_unreachable(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups | Unavailable,
    dns_path: DnsPath | None,
    networks: Networks | None,
    failed_names: FailedNames | None,
    listeners: Listeners | None,
) -> CheckResult:
    """Containers' queries do not reach their DNS server.

    Silence means two queries lost 1.2 s apart; any reply, also an error, proves that the server is
    reachable and no more. The host asks the same server, which tells where the query is lost.
    Containers on internal networks alone have no way out by design. A VPN client whose own routes
    or rules keep the query in is advice, unless its log says that names fail: its kill switch is
    meant to. What would fool it: a server that drops questions about the root on purpose.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    groups = query_groups(containers, resolvers, lookups)
    if not groups and not lookups.unasked:
        if lookups.island:
            return Skipped(
                "this host has no default route and no DNS server, "
                "so there is nobody outside to ask"
            )
        if lookups.closed:
            return Skipped("running containers are on internal networks only")
        return Skipped("no running container queries a DNS server through its own network")
    path = dns_path or DnsPath({})
    for group in groups:
        if group.lost:
            misses_names = failed_names is not None and any(
                failed_names.of(member) for member in group.members
            )
            yield _unreachable(
                _LostQuery(
                    group, resolvers, lookups, path, containers, networks, misses_names, listeners
                )
            )
    yield from lookups.unasked
    return None


class _LostQuery(msgspec.Struct, frozen=True):
    """Containers with a DNS server that does not answer, and what is known of the server."""

    group: QueryGroup
    resolvers: Resolvers
    lookups: Lookups
    path: DnsPath
    containers: Containers
    networks: Networks | None
    misses_names: bool
    """Whether the log of a member says that names cannot be resolved."""
    listeners: Listeners | None

    @property
    def is_own_doing(self) -> bool:
        """Whether only the container's own routes or rules can keep the query in, and nobody misses
        the answer."""
        return (
            self.group.goes_its_own_way
            and not self.misses_names
            and not self.rule
            and self.lookups.reaches(self.server) is True
        )

    @property
    def proxied(self) -> Container | None:
        """The running container to which docker-proxy hands queries for this address."""
        if self.server not in self.path.own:
            return None
        container = dns_container(self.containers, self.server, is_of_host=True)
        return container if container is not None and container.is_running else None

    @property
    def empty_place(self) -> str:
        """The network in whose subnet the server's address lies while no running container has it.

        Empty if that is not so.
        """
        in_use = self.containers.addresses_in_use
        if self.server in in_use or is_loopback(self.server) or self.server in self.path.own:
            return ""
        networks = () if self.networks is None else self.networks.bridges
        for network in networks:
            is_gateway = self.server in network.gateways
            if not is_gateway and any(is_within(self.server, subnet) for subnet in network.subnets):
                return network.name
        return ""

    @property
    def upstream(self) -> Upstream:
        return self.group.lost[0][0]

    @property
    def reply(self) -> DnsReply:
        return self.group.lost[0][1]

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
        named = self.networks.by_name if self.networks is not None else {}
        return frozenset(
            gateway
            for name in self.group.networks
            if name in named
            for gateway in named[name].gateways
        )

    @property
    def rule(self) -> Step | None:
        """The rule of the host that stops the query; None if none is known."""
        rules = (self.path.blocked.get((network, self.server)) for network in self.group.networks)
        return next(filter(None, rules), None)

    @property
    def elsewhere(self) -> Listener | None:
        """The DNS server of this host, where it is asked at an address that it does not serve."""
        is_refused = self.reply.icmp == "refused" and not self.upstream.by_host
        if self.listeners is None or not is_refused or self.server not in self.path.own:
            return None
        for listener in self.listeners:
            serves_dns = listener.port == 53 and listener.proto == "udp"
            is_of_host = listener.pid is not None and listener.comm != "docker-proxy"
            if serves_dns and is_of_host:
                return listener
        return None

    @property
    def answering(self) -> str:
        """A server of the host that does answer the host; empty if there is none."""
        others = (server for server in self.resolvers.host_servers if server != self.server)
        return next((server for server in others if self.lookups.reaches(server)), "")


def _unreachable(lost: _LostQuery) -> Finding:
    group, server = lost.group, lost.server
    container = group.members[0]
    degraded = ""
    severity = Severity.critical
    if group.works:
        others = count(len(group.replies) - len(group.lost), "other server")
        degraded = f"{others} of {len(group.replies)} answers"
        if lost.origin.kind != "engine":
            severity = severity_beside_answers(reply for _, reply in group.lost)
    if lost.is_own_doing:
        severity = Severity.advice
    return Finding(
        subject=group.subject,
        summary=sentence(
            f"{listed(group.members)} cannot reach DNS server {server} ({lost.reply})",
            _where_it_is_lost(lost),
            _doubtful_origin(lost),
            degraded,
        ),
        evidence=_evidence(lost),
        variables={
            "container": container.name,
            "server": server,
            "network": group.networks[0],
            **_cure(lost),
        },
        discriminator=",".join(upstream.server for upstream, _ in group.lost),
        severity=severity,
        touches=touched([group]),
        signs=frozenset({"dns"}),
        stable=(container.life,),
        service=container.service if group.subject.kind == "container" else "",
    )


def _evidence(lost: _LostQuery) -> dict[str, object]:
    group = lost.group
    from_host = lost.lookups.host
    evidence: dict[str, object] = {}
    for upstream, reply in group.replies:
        server = upstream.server
        way = "host" if upstream.by_host else f"network {'+'.join(group.networks)}"
        answer = str(reply) if reply else "not asked"
        evidence[f"DNS server {server} asked from {way}"] = answer
        if not upstream.by_host and server in from_host and not is_loopback(server):
            evidence[f"DNS server {server} asked from host"] = str(from_host[server])
    evidence["the server comes"] = str(lost.origin)
    if lost.rule:
        evidence["stopped by"] = str(lost.rule)
    evidence["containers"] = names_of(group.members)
    return evidence


def _doubtful_origin(lost: _LostQuery) -> str:
    """Where the server comes from, in words, where that is not simply the host's own file."""
    return "" if lost.origin.kind == "host" else f"the server comes {lost.origin}"


def _cure(lost: _LostQuery) -> dict[str, str]:
    """What the page needs to name another server, or to let the container take the host's."""
    origin = lost.origin.kind
    hairpin = _hairpin(lost)
    if hairpin:
        return hairpin
    if lost.rule and lost.server in lost.path.own:
        return opening(lost.rule, lost.path.bridges.get(lost.group.networks[0], ""))
    if origin in ("earlier", "edited") and lost.answering:
        return {"restarted": lost.group.members[0].name}
    if origin == "container":
        return {"own_server": lost.group.members[0].name}
    if lost.elsewhere is not None:
        return {"dns_program": lost.elsewhere.comm or "the DNS server"}
    if origin == "daemon" and lost.answering and not is_loopback(lost.answering):
        return {"dns_json": f'{{"dns": ["{lost.answering}"]}}'}
    return {}


def _hairpin(lost: _LostQuery) -> dict[str, str]:
    """What leads the queries straight to the container that docker-proxy hands them to."""
    reaches = lost.lookups.reaches(lost.server)
    if lost.proxied is None or lost.networks is None or lost.reply.icmp or not reaches:
        return {}
    network = lost.networks.by_name.get(lost.group.networks[0])
    endpoints = lost.proxied.endpoints.values()
    addresses = [endpoint.ip_address for endpoint in endpoints if endpoint.ip_address]
    if network is None or not network.is_bridge or not addresses:
        return {}
    return {"hairpin_bridge": network.bridge, "dns_address": addresses[0]}


def _where_it_is_lost(lost: _LostQuery) -> str:
    """Where the query is lost, as far as the host's own query tells."""
    if lost.upstream.by_host:
        return "the engine asks from the host, so the fault lies beyond the containers"
    return _near_the_container(lost) or _at_the_server(lost) or _on_the_way(lost)


def _near_the_container(lost: _LostQuery) -> str:
    """What keeps the query in the container; "" if nothing is known to."""
    if lost.is_own_doing:
        return "its own routes or rules keep the query in, as those of a VPN client are meant to"
    if lost.reply.icmp == "prohibited":
        return "the query does not leave the container"
    if is_loopback(lost.server):
        return "that address is the container itself, and no DNS server runs in it"
    return ""


def _at_the_server(lost: _LostQuery) -> str:
    """Why no DNS server takes the query at that address; "" if one may be there."""
    if lost.empty_place:
        return f'that address is in network "{lost.empty_place}", and no running container has it'
    if lost.reply.icmp != "refused":
        return ""
    if lost.lookups.reaches(lost.server):
        return "the host gets an answer, so a nat rule leads the container's query elsewhere"
    if lost.elsewhere is not None:
        listener = lost.elsewhere
        return f"{listener.holder} of this host listens at {listener.address} alone"
    return "the machine is reachable, but no DNS server runs there"


def _on_the_way(lost: _LostQuery) -> str:
    """Between which two places the query or its answer is lost."""
    if lost.rule:
        return f"the host's packet filter stops the query: {lost.rule}"
    reaches = lost.lookups.reaches(lost.server)
    if reaches is None:
        return "the host did not ask that server"
    if not reaches:
        own = f", but {lost.answering} of {HOST_FILE} answers the host" if lost.answering else ""
        return f"the host gets no answer from that server either{own}"
    if lost.proxied is not None:
        return (
            f"{lost.proxied} serves that address of the host, "
            "and its answers come back by docker-proxy from another address"
        )
    network = lost.group.networks[0]
    if lost.networks is not None and network not in lost.networks.by_name:
        return f'the host gets an answer, and the engine has no network "{network}"'
    end = "that address of the host" if lost.server in lost.path.own else "the uplink"
    return f'the host gets an answer, so the query is lost between network "{network}" and {end}'
