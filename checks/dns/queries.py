"""Queries that are lost: those of containers, and the host's own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from checks.dns._groups import Group, dns_container, groups, listed, touched, unasked
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import (
    HOST_FILE,
    Resolvers,
    ServerOrigin,
    Upstream,
    is_loopback,
)
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.routes import Routes
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import count, joined, sentence
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
) -> CheckResult:
    """Containers' queries do not reach their DNS server.

    Silence means two queries lost 1.2 s apart; any reply, also an error, proves that the server is
    reachable and no more. The host asks the same server, which tells where the query is lost.
    Containers on internal networks alone have no way out by design. What would fool it: a server
    that drops questions about the root on purpose.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    asked = groups(containers, resolvers, lookups)
    if not asked and not lookups.unasked:
        if lookups.island:
            return Skipped(
                "this host has no default route and no DNS server, "
                "so there is nobody outside to ask"
            )
        if lookups.closed:
            return Skipped("running containers are on internal networks only")
        return Skipped("no running container queries a DNS server through its own network")
    path = dns_path or DnsPath({})
    for group in asked:
        if group.lost:
            yield _unreachable(_LostQuery(group, resolvers, lookups, path, containers, networks))
    yield from lookups.unasked
    return None


class _LostQuery(msgspec.Struct, frozen=True):
    """Containers with a DNS server that does not answer, and what is known of the server."""

    group: Group
    resolvers: Resolvers
    lookups: Lookups
    path: DnsPath
    containers: Containers
    networks: Networks | None

    @property
    def proxied(self) -> Container | None:
        """The running container to which docker-proxy hands queries for this address."""
        is_of_host = self.server in self.path.own
        if is_of_host:
            found = dns_container(self.containers, self.server, is_of_host=is_of_host)
        else:
            found = None
        return found if found is not None and found.is_running else None

    @property
    def empty_place(self) -> str:
        """The network in whose subnet the server's address lies while no running container has it.

        Empty if that is not so.
        """
        held = self.containers.addresses_in_use
        if self.server in held or is_loopback(self.server) or self.server in self.path.own:
            return ""
        for network in self.networks.bridges if self.networks is not None else ():
            is_gateway = self.server in network.gateways
            if not is_gateway and any(_is_in(self.server, subnet) for subnet in network.subnets):
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
        return self.resolvers.origin(self.group.members[0], self.server)

    @property
    def rule(self) -> str:
        """The rule of the host that stops the query; empty if none is known."""
        rules = (self.path.blocked.get((network, self.server)) for network in self.group.networks)
        return next(filter(None, rules), "")

    @property
    def answering(self) -> str:
        """A server of the host that does answer the host; empty if there is none."""
        others = (server for server in self.resolvers.host_servers if server != self.server)
        return next((server for server in others if self.lookups.reaches(server)), "")


def _is_in(server: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(server) in subnet
    except ValueError:
        return False


def _unreachable(lost: _LostQuery) -> Finding:
    group, server = lost.group, lost.server
    evidence: dict[str, object] = {}
    for upstream, reply in group.replies:
        way = "host" if upstream.by_host else f"network {'+'.join(group.networks)}"
        evidence[f"DNS server {upstream.server} asked from {way}"] = (
            str(reply) if reply else "not asked"
        )
        if (
            not upstream.by_host
            and upstream.server in lost.lookups.host
            and not is_loopback(upstream.server)
        ):
            evidence[f"DNS server {upstream.server} asked from host"] = str(
                lost.lookups.host[upstream.server]
            )
    evidence["the server comes"] = str(lost.origin)
    evidence |= {"stopped by": lost.rule} if lost.rule else {}
    evidence["containers"] = [member.name for member in group.members]
    others = len(group.replies) - len(group.lost)
    degraded = (
        f"{count(others, 'other server')} of {len(group.replies)} answers" if group.works else ""
    )
    finding = Finding(
        subject=group.subject,
        summary=sentence(
            f"{listed(group.members)} cannot reach DNS server {server} ({lost.reply})",
            _where_it_is_lost(lost),
            _doubtful_origin(lost),
            degraded,
        ),
        evidence=evidence,
        variables={
            "container": group.members[0].name,
            "server": server,
            "network": group.networks[0],
        },
        discriminator=",".join(upstream.server for upstream, _ in group.lost),
        severity=_degraded(reply for _, reply in group.lost) if group.works else Severity.critical,
        touches=touched([group]),
        signs=frozenset({"dns"}),
        stable=(group.members[0].life,),
        service=group.members[0].service if group.subject.kind == "container" else "",
    )
    return replace(finding, variables={**finding.variables, **_cure(lost)})


def _doubtful_origin(lost: _LostQuery) -> str:
    """Where the server comes from, in words, where that is not simply the host's own file."""
    return "" if lost.origin.kind == "host" else f"the server comes {lost.origin}"


def _cure(lost: _LostQuery) -> dict[str, str]:
    """What the page needs to name another server, or to let the container take the host's."""
    origin = lost.origin.kind
    hairpin = _hairpin(lost)
    if hairpin:
        return hairpin
    if origin in ("earlier", "edited") and lost.answering:
        return {"restarted": lost.group.members[0].name}
    if origin == "container":
        return {"own_server": lost.group.members[0].name}
    if origin == "daemon" and lost.answering and not is_loopback(lost.answering):
        return {"dns_json": f'{{"dns": ["{lost.answering}"]}}'}
    return {}


def _hairpin(lost: _LostQuery) -> dict[str, str]:
    """What leads the queries straight to the container that docker-proxy hands them to."""
    if (
        lost.proxied is None
        or lost.reply.icmp
        or not lost.lookups.reaches(lost.server)
        or lost.networks is None
    ):
        return {}
    network = lost.networks.by_name.get(lost.group.networks[0])
    target = next(
        (
            endpoint.ip_address
            for endpoint in lost.proxied.endpoints.values()
            if endpoint.ip_address
        ),
        "",
    )
    if network is None or not network.is_bridge or not target:
        return {}
    return {"hairpin_bridge": network.bridge, "dns_address": target}


def _degraded(lost: Iterable[DnsReply]) -> Severity:
    """How bad a lost server is while another answers.

    Silence costs five seconds a look-up, a refusal nothing.
    """
    return Severity.warning if any(reply.icmp is None for reply in lost) else Severity.advice


def _where_it_is_lost(lost: _LostQuery) -> str:
    """Where the query is lost, as far as the host's own query tells."""
    if lost.upstream.by_host:
        return "the engine asks from the host, so the fault lies beyond the containers"
    if lost.reply.icmp == "prohibited":
        return "the query does not leave the container"
    if is_loopback(lost.server):
        return "that address is the container itself, and no DNS server runs in it"
    reaches = lost.lookups.reaches(lost.server)
    if lost.empty_place:
        return f'that address is in network "{lost.empty_place}", and no running container has it'
    if lost.reply.icmp == "refused":
        if reaches:
            return "the host gets an answer, so a nat rule leads the container's query elsewhere"
        return "the machine is reachable, but no DNS server runs there"
    if lost.rule:
        return f"the host's packet filter stops the query: {lost.rule}"
    if reaches is None:
        return "the host did not ask that server"
    if reaches and lost.proxied is not None:
        return (
            f'container "{lost.proxied.name}" serves that address of the host, '
            "and its answers come back by docker-proxy from another address"
        )
    if reaches:
        end = "that address of the host" if lost.server in lost.path.own else "the uplink"
        return (
            "the host gets an answer, "
            f'so the query is lost between network "{lost.group.networks[0]}" and {end}'
        )
    own = f", but {lost.answering} of {HOST_FILE} answers the host" if lost.answering else ""
    return f"the host gets no answer from that server either{own}"


@check(
    "dns.host-broken",
    severity=Severity.critical,
    caused_by=["network.subnet-overlaps-route", "network.conntrack-full"],
)
def host_broken(
    resolvers: Resolvers,
    lookups: Lookups | Unavailable,
    containers: Containers | None,
    dns_path: DnsPath | None,
    routes: Routes | None,
    links: Interfaces | None,
) -> CheckResult:
    """The host's own DNS servers do not answer.

    One silent server among several is a warning: each look-up that tries it first waits five
    seconds; a server that refuses costs nothing and is advice. Names that the user says must
    resolve are asked too; only for them does an error of the server count. A name of a container is
    asked of the engine's resolver, and any other name of all servers of the host. Where the host
    has no default route, the finding says so, and which of its interfaces are down.
    """
    if resolvers.host_unread:
        return resolvers.host_unread
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    if not resolvers.host_servers and not lookups.services:
        return Skipped(f"{HOST_FILE} names no server")
    rules = dns_path.of_host if dns_path is not None else {}
    dead = [
        server
        for server in resolvers.host_servers
        if (reply := lookups.host.get(server))
        and not reply.answered
        and not _by_tcp(lookups, server)
    ]
    if dead:
        hit = [group for group in groups(containers, resolvers, lookups) if group.uses(dead)]
        stopped = _stopped_server(containers, links, dead[0])
        yield _dead_servers(
            dead, resolvers, lookups, rules, _no_way_out(routes, links), hit, stopped
        )
    yield from _unknown_names(lookups)
    yield from _unknown_services(lookups)
    return None


def _dead_servers(
    dead: list[str],
    resolvers: Resolvers,
    lookups: Lookups,
    rules: Mapping[str, str],
    no_way_out: str,
    hit: list[Group],
    stopped: Container | None,
) -> Finding:
    first = dead[0]
    others = [
        server for server in resolvers.host_servers if server not in dead and server in lookups.host
    ]
    is_unreachable = any(lookups.host[server].icmp == "unreachable" for server in dead)
    more = f" and {count(len(dead) - 1, 'more server')}" if len(dead) > 1 else ""
    return Finding(
        subject=HOST,
        summary=sentence(
            f"the host gets no answer from its DNS server {first}{more} ({lookups.host[first]})",
            f"{others[0]} answers" if others else "no other server is configured",
            f"the host's own packet filter stops the query: {rules[first]}"
            if first in rules
            else "",
            no_way_out if is_unreachable else "",
            f'container "{stopped.name}", which serves that address, is not running'
            if stopped is not None
            else "",
        ),
        evidence={
            **{
                f"query to {server} or its answer stopped by": rules[server]
                for server in dead
                if server in rules
            },
            f"{HOST_FILE} nameserver": list(resolvers.host_servers),
            **{
                f"DNS server {server} asked from host": str(reply)
                for server, reply in lookups.host.items()
            },
        },
        variables=_host_variables(first, is_lost=bool(no_way_out) and is_unreachable)
        | ({"stopped_server": stopped.name} if stopped is not None else {}),
        severity=_degraded(lookups.host[server] for server in dead)
        if others
        else Severity.critical,
        # The daemon looks registries up by the host's resolver.
        touches=(DAEMON, *touched(hit), *([stopped.subject] if stopped is not None else [])),
        signs=frozenset({"dns"}),
    )


def _stopped_server(
    containers: Containers | None, links: Interfaces | None, server: str
) -> Container | None:
    """The container that is to answer at a server's address and does not run."""
    is_of_host = is_loopback(server) or (links is not None and links.holds(server))
    container = dns_container(containers, server, is_of_host=is_of_host)
    return container if container is not None and not container.is_running else None


def _host_variables(server: str, *, is_lost: bool) -> dict[str, str]:
    """What the page needs: a server of the host itself is a program that can be started again."""
    found = {"server": server}
    if is_lost:
        found["lost"] = server
    if server == _RESOLVED_STUB:
        found["stub_unit"] = "systemd-resolved"
    return found


_RESOLVED_STUB = "127.0.0.53"


def _no_way_out(routes: Routes | None, links: Interfaces | None) -> str:
    """That the host has no default route, and which interfaces may have had it.

    Empty where there is one.
    """
    if routes is None or routes.lead_out:
        return ""
    down = [] if links is None else [link.name for link in links if _is_down(link)]
    are = "is" if len(down) == 1 else "are"
    return "no default route leads out" + (f", {joined(down)} {are} down" if down else "")


_UPLINKS = (None, "veth", "bond", "team", "vlan", "macvlan", "ipvlan")
"""Kinds of interfaces that lead to others; None is hardware. The kernel's own tunnels and idle
bridges are always down."""


def _is_down(link: Interface) -> bool:
    leads_out = link.kind in _UPLINKS and link.master is None and link.name != "lo"
    return leads_out and (not link.up or link.operstate in ("down", "lowerlayerdown"))


def _unknown_names(lookups: Lookups) -> Iterator[Finding]:
    """The user's names that no server of the host knows.

    Where one does, dns.servers-disagree judges.
    """
    by_name: dict[str, dict[str, DnsReply]] = {}
    for (name, server), reply in lookups.names.items():
        if reply.answered:
            by_name.setdefault(name, {})[server] = reply
    for name, replies in by_name.items():
        if not any(reply.knows for reply in replies.values()):
            answers = [f"{server} says {_denial(reply)}" for server, reply in replies.items()]
            yield Finding(
                subject=HOST,
                summary=f'"{name}" does not resolve: {joined(answers)}',
                evidence={f"{name} A at {server}": str(reply) for server, reply in replies.items()},
                variables={"name": name, "server": next(iter(replies))},
                discriminator=name,
                signs=frozenset({"dns"}),
            )


def _denial(reply: DnsReply) -> str:
    return "NOERROR, but no IPv4 address" if reply.rcode == "NOERROR" else str(reply.rcode)


def _unknown_services(lookups: Lookups) -> Iterator[Finding]:
    """The user's names of containers that the engine's resolver does not know where it should."""
    for name, (witness, reply) in lookups.services.items():
        if reply.answered and not reply.knows:
            yield Finding.about(
                witness,
                f'container "{witness.name}" cannot resolve "{name}", a name '
                f"of a container on its network: the engine's resolver says {_denial(reply)}",
                {f"{name} A at the engine's resolver, asked from {witness.name}": str(reply)},
                discriminator=name,
                signs=frozenset({"dns"}),
                stable=(witness.life,),
                name=name,
            )


def _by_tcp(lookups: Lookups, server: str) -> bool:
    reply = lookups.tcp.get(server)
    return reply is not None and reply.answered


@check("dns.udp-blocked", severity=Severity.critical)
def udp_blocked(
    resolvers: Resolvers, lookups: Lookups | Unavailable, containers: Containers | None
) -> CheckResult:
    """A DNS server answers over TCP while UDP queries to it are lost.

    A firewall between the host and the server passes TCP 53 and drops UDP 53: all programs ask by
    UDP first.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    if resolvers.host_unread and not lookups.host:
        return resolvers.host_unread
    asked = groups(containers, resolvers, lookups)
    nobody_answers = not any(lookups.reaches(server) for server in resolvers.host_servers)
    for server, reply in lookups.tcp.items():
        if not reply.answered:
            continue
        is_needed = (
            server not in resolvers.host_servers
            or resolvers.host_servers == (server,)
            or nobody_answers
        )
        yield Finding(
            subject=HOST,
            summary=f"DNS server {server} answers over TCP, but UDP queries to it are lost",
            evidence={
                f"{server} by UDP from host": str(lookups.host[server]),
                f"{server} by TCP from host": str(reply),
            },
            variables={"server": server},
            discriminator=server,
            severity=Severity.critical if is_needed else Severity.warning,
            touches=touched([group for group in asked if group.uses([server])]),
            signs=frozenset({"dns"}),
        )
    return None
