"""Members of a cluster whose address differs from a list of it."""

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.member_lists import ListedMember, MemberList
from diagnose.evidence.network.interfaces import Interfaces


class MovedMembers(msgspec.Struct, frozen=True):
    """A list, and those of its members that have another address now."""

    listed: MemberList
    members: tuple[ListedMember, ...]

    def is_felt(self, awaited: Iterable[tuple[str, str]]) -> bool:
        """Whether the writer misses one of them."""
        waits = {address for owner, address in awaited if owner == self.listed.container.id}
        return any(member.is_missed or member.address in waits for member in self.members)

    def is_beside(self, other: "MovedMembers") -> bool:
        """Whether both lists have a member in common."""
        return not self.ids.isdisjoint(other.ids)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(member.id for member in self.listed.members)

    @property
    def is_majority(self) -> bool:
        masters = sum(member.is_master for member in self.listed.members)
        return 2 * sum(member.is_master for member in self.members) >= masters


def moves_by_cluster(moves: Iterable[MovedMembers]) -> list[list[MovedMembers]]:
    """The lists of each cluster: those that have a member in common."""
    clusters: list[list[MovedMembers]] = []
    for move in moves:
        clusters_beside = [cluster for cluster in clusters if any(map(move.is_beside, cluster))]
        clusters = [cluster for cluster in clusters if cluster not in clusters_beside]
        clusters.append([*chain.from_iterable(clusters_beside), move])
    return clusters


def moved_members(
    member_list: MemberList, writers: Mapping[str, Container], links: Interfaces
) -> MovedMembers:
    """Members whose container is near, and has not the address that is written down."""
    moved = []
    for member in member_list.members:
        owner = writers.get(member.id)
        if owner is None or member.is_itself or not owner.shared_networks(member_list.container):
            continue
        if member.address not in owner.ipv4_addresses and not links.holds(member.address):
            moved.append(member)
    return MovedMembers(member_list, tuple(moved))
