"""Containers by the way that their DNS questions take, and what the checks of this family say alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import Resolvers, Upstream, resolving
from diagnose.model import Skipped, Subject, Unavailable


class Group(msgspec.Struct, frozen=True):
    """Containers whose questions take the same way to the same servers. replies: what came back from each,
    None if not asked."""

    subject: Subject
    networks: tuple[str, ...]
    members: tuple[Container, ...]
    replies: tuple[tuple[Upstream, DnsReply | None], ...]

    @property
    def lost(self) -> tuple[tuple[Upstream, DnsReply], ...]:
        """The servers that were asked and did not answer."""
        return tuple((each, reply) for each, reply in self.replies if reply is not None and not reply.answered)

    @property
    def works(self) -> bool:
        """Whether some server answers."""
        return any(reply is not None and reply.answered for _, reply in self.replies)


def groups(containers: Containers, resolvers: Resolvers, lookups: Lookups) -> Iterator[Group]:
    """The running containers with a way out, by network and servers; one with servers of its own stands
    alone."""
    inside = {(each.id, way.server): way for way in lookups.ways for each in way.members}
    closed = {each.id for each in lookups.closed}
    outward = {each.id: way.networks for way in lookups.ways for each in way.members}
    found: dict[tuple[Subject, tuple[str, ...], tuple[Upstream, ...]], list[Container]] = {}
    for each in resolving(containers):
        servers = resolvers.upstreams(each)
        if each.id in closed or not servers:
            continue
        networks = outward.get(each.id, tuple(sorted(each.endpoints)))
        subject = each.subject if resolvers.has_own_servers(each) else Subject("network", networks[0])
        found.setdefault((subject, networks, servers), []).append(each)
    for (subject, networks, servers), members in found.items():
        replies: list[tuple[Upstream, DnsReply | None]] = []
        for server in servers:
            way = inside.get((members[0].id, server.server))
            if server.by_host:
                replies.append((server, lookups.host.get(server.server)))
            elif way is not None:
                best = next((reply for _, reply in way.asked if reply.answered), way.asked[0][1])
                replies.append((server, best))
            else:
                replies.append((server, None))
        yield Group(subject, networks, tuple(members), tuple(replies))


def unasked(why: Unavailable) -> Skipped | Unavailable:
    """What a check says that stands on replies when there are none: without probes it does not apply, by the user's own wish."""
    return Skipped(why.detail) if why.reason == "not allowed" else why


def names(containers: Sequence[Container], most: int = 3) -> str:
    """A few names, and how many more there are."""
    listed = [each.name for each in containers]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def touched(groups: Iterable[Group]) -> tuple[Subject, ...]:
    """The networks and containers of these groups: what a fault of their servers reaches."""
    found: dict[Subject, None] = {}
    for group in groups:
        found |= dict.fromkeys(Subject("network", each) for each in group.networks)
        found |= dict.fromkeys(each.subject for each in group.members)
    return tuple(found)
