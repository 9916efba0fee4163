"""Containers by the way that their DNS queries take, and what the checks of this family share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import Resolvers, Upstream, resolving
from diagnose.model import Severity, Skipped, Subject, Unavailable
from diagnose.phrases import named


class Group(msgspec.Struct, frozen=True):
    """Containers whose queries take the same way to the same servers.

    replies: what came back from each server, None if not asked. goes_its_own_way: one container
    that may change its own routes, and fares otherwise than its neighbours.
    """

    subject: Subject
    networks: tuple[str, ...]
    members: tuple[Container, ...]
    replies: tuple[tuple[Upstream, DnsReply | None], ...]
    goes_its_own_way: bool = False

    @property
    def lost(self) -> tuple[tuple[Upstream, DnsReply], ...]:
        """The servers that were asked and did not answer."""
        return tuple(
            (server, reply)
            for server, reply in self.replies
            if reply is not None and not reply.answered
        )

    @property
    def works(self) -> bool:
        """Whether some server answers."""
        return any(reply is not None and reply.answered for _, reply in self.replies)

    def uses(self, servers: Iterable[str]) -> bool:
        return any(upstream.server in set(servers) for upstream, _ in self.replies)


def groups(
    containers: Containers | None, resolvers: Resolvers, lookups: Lookups | None
) -> list[Group]:
    """The running containers with a way out, by network and servers.

    A container with servers of its own is a group by itself. So is one that may change its own
    routes, unless its neighbours fare as it does.
    """
    if containers is None or lookups is None:
        return []
    return list(_grouped(containers, resolvers, lookups))


def _grouped(containers: Containers, resolvers: Resolvers, lookups: Lookups) -> Iterator[Group]:
    paths = {(member.id, path.server): path for path in lookups.ways for member in path.members}
    outward = {member.id: path.networks for path in lookups.ways for member in path.members}
    closed = {container.id for container in lookups.closed}
    plain = {
        (path.networks, path.server): path.fails
        for path in lookups.ways
        if not any(member.may_route_itself for member in path.members)
    }
    found: dict[tuple[Subject, tuple[str, ...], tuple[Upstream, ...]], list[Container]] = {}
    own_ways: set[Subject] = set()
    for container in resolving(containers):
        servers = resolvers.upstreams(container)
        if container.id in closed or not servers:
            continue
        networks = outward.get(container.id, tuple(sorted(container.endpoints)))
        # one that may change its own routes says nothing about neighbours that fare otherwise
        own_paths = [paths.get((container.id, server.server)) for server in servers]
        differs = container.may_route_itself and any(
            path is not None and plain.get((path.networks, path.server)) != path.fails
            for path in own_paths
        )
        is_alone = resolvers.has_own_servers(container) or differs
        subject = container.subject if is_alone else Subject("network", networks[0])
        if differs:
            own_ways.add(subject)
        found.setdefault((subject, networks, servers), []).append(container)
    for (subject, networks, servers), members in found.items():
        replies = []
        for server in servers:
            path = paths.get((members[0].id, server.server))
            if server.by_host:
                replies.append((server, lookups.host.get(server.server)))
            elif path is None:
                replies.append((server, None))
            else:
                answered = (reply for _, reply in path.asked if reply.answered)
                replies.append((server, next(answered, path.asked[0][1])))
        yield Group(subject, networks, tuple(members), tuple(replies), subject in own_ways)


def unasked(why: Unavailable) -> Skipped | Unavailable:
    """The result of a check that needs replies when there are none.

    Without probes it does not apply: the user wished so.
    """
    return Skipped(why.detail) if why.reason == "not allowed" else why


def listed(containers: Sequence[Container], most: int = 3) -> str:
    """Containers by their names: containers "a", "b", "c" and 2 more."""
    return named("container", [container.name for container in containers], most)


def touched(groups: Iterable[Group]) -> tuple[Subject, ...]:
    """The networks and containers of these groups: what a fault of their servers reaches."""
    found: dict[Subject, None] = {}
    for group in groups:
        found |= dict.fromkeys(Subject("network", name) for name in group.networks)
        found |= dict.fromkeys(member.subject for member in group.members)
    return tuple(found)


def dns_container(
    containers: Containers | None, server: str, *, is_of_host: bool
) -> Container | None:
    """The container, running or not, that is to answer at a server's address.

    By its own address, or by port 53 of the host.
    """
    for container in containers or ():
        if any(
            server in (endpoint.ip_address, endpoint.fixed_address)
            for endpoint in container.endpoints.values()
        ):
            return container
        publishes = [
            binding
            for port, binding in container.wanted_ports
            if port == "53/udp" or binding.host_port == "53"
        ]
        if is_of_host and any(binding.host_ip in ("", "0.0.0.0", server) for binding in publishes):  # noqa: S104
            return container
    return None


def severity_beside_answers(lost: Iterable[DnsReply]) -> Severity:
    """How bad a lost server is while another answers.

    Silence costs five seconds a look-up, a refusal nothing.
    """
    is_silent = any(reply.icmp is None for reply in lost)
    return Severity.warning if is_silent else Severity.advice
