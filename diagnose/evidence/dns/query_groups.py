"""Containers by the path of their DNS queries, and their servers' answers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.resolvers import Resolvers, Upstream, resolving_containers
from diagnose.mappings import subjects_of
from diagnose.model import Subject


class ServerReply(msgspec.Struct, frozen=True):
    """The reply of one server of a group; None if it was not asked."""

    upstream: Upstream
    reply: DnsReply | None

    @property
    def is_lost(self) -> bool:
        """Whether the server was asked, and did not answer."""
        return self.reply is not None and not self.reply.answered


class QueryGroup(msgspec.Struct, frozen=True):
    """Containers whose queries take the same way to the same servers."""

    subject: Subject
    networks: tuple[str, ...]
    members: tuple[Container, ...]
    replies: tuple[ServerReply, ...]
    """The replies of the servers."""
    goes_its_own_way: bool = False
    """Whether this is a single container that may change its own routes, and differs from its
    neighbours."""

    def has_any(self, ids: Collection[str]) -> bool:
        """Whether a container with one of these ids is a member."""
        return any(member.id in ids for member in self.members)

    @property
    def lost(self) -> tuple[ServerReply, ...]:
        """The servers that were asked and did not answer."""
        return tuple(reply for reply in self.replies if reply.is_lost)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The networks and containers that a fault of their servers affects."""
        networks = (Subject("network", name) for name in self.networks)
        return (*networks, *subjects_of(self.members))

    @property
    def works(self) -> bool:
        """Whether some server answers."""
        return any(reply.reply is not None and reply.reply.answered for reply in self.replies)

    def uses(self, servers: Iterable[str]) -> bool:
        return any(reply.upstream.server in set(servers) for reply in self.replies)


def query_groups(
    containers: Containers | None, resolvers: Resolvers, lookups: Lookups | None
) -> list[QueryGroup]:
    """The running containers with a way out, by network and servers.

    A container with servers of its own is a separate group. One that may change its own routes is a
    group as well, unless its neighbours have the same result.
    """
    if containers is None or lookups is None:
        return []
    paths = _Paths(lookups)
    closed = {container.id for container in lookups.closed}
    members_of: dict[_GroupKey, list[Container]] = {}
    for container in resolving_containers(containers):
        servers = resolvers.upstreams(container)
        if servers and container.id not in closed:
            key = _group_key(container, servers, resolvers, paths)
            members_of.setdefault(key, []).append(container)
    return [_group(key, members, paths) for key, members in members_of.items()]


def _group(key: _GroupKey, members: list[Container], paths: _Paths) -> QueryGroup:
    """The group of these members; the first one's replies stand for all."""
    replies = [ServerReply(server, paths.reply(members[0], server)) for server in key.servers]
    return QueryGroup(
        key.subject,
        key.networks,
        members=tuple(members),
        replies=tuple(replies),
        goes_its_own_way=key.goes_its_own_way,
    )


class _GroupKey(msgspec.Struct, frozen=True):
    """The properties that containers of one group share."""

    subject: Subject
    networks: tuple[str, ...]
    servers: tuple[Upstream, ...]
    goes_its_own_way: bool


def _group_key(
    container: Container, servers: tuple[Upstream, ...], resolvers: Resolvers, paths: _Paths
) -> _GroupKey:
    networks = paths.networks.get(container.id, tuple(sorted(container.endpoints)))
    differs = paths.fares_otherwise(container, servers)
    is_alone = differs or resolvers.has_own_servers(container)
    subject = container.subject if is_alone else Subject("network", networks[0])
    return _GroupKey(subject, networks, servers, differs)


class _Paths:
    """The ways that queries were seen to take, by container and server."""

    def __init__(self, lookups: Lookups) -> None:
        self._host = lookups.host
        members = [(member, path) for path in lookups.ways for member in path.members]
        self._by_member = {(member.id, path.server): path for member, path in members}
        self.networks = {member.id: path.networks for member, path in members}
        self._fails = {
            (path.networks, path.server): path.fails
            for path in lookups.ways
            if not path.may_be_changed
        }
        """Whether queries fail, by networks and server; without ways that a member may change."""

    def fares_otherwise(self, container: Container, servers: Iterable[Upstream]) -> bool:
        """Whether a container that may change its own routes says nothing about its neighbours."""
        if not container.may_route_itself:
            return False
        return any(
            self._fails.get((path.networks, path.server)) != path.fails
            for server in servers
            if (path := self._path(container, server)) is not None
        )

    def reply(self, member: Container, server: Upstream) -> DnsReply | None:
        """The reply of a server, an answer if there is one; None where nobody asked the server."""
        if server.by_host:
            return self._host.get(server.server)
        path = self._path(member, server)
        if path is None:
            return None
        replies = [reply for _, reply in path.replies]
        return next((reply for reply in replies if reply.answered), replies[0])

    def _path(self, container: Container, server: Upstream) -> QueryPath | None:
        return self._by_member.get((container.id, server.server))
