"""Containers that got no usable server from the host, and ask the engine's own instead. Pure."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import Resolvers, resolving_containers
from diagnose.mappings import distinct, subjects_of
from diagnose.model import Subject


class OnFallback(msgspec.Struct, frozen=True):
    """The containers that got no usable server from the host.

    The engine gave them its public servers, or none.
    """

    members: tuple[Container, ...]
    lost: tuple[QueryGroup, ...]
    """The groups of containers that get no answer from these servers."""

    @property
    def touches(self) -> tuple[Subject, ...]:
        """The containers, or whole networks where the fallback is dead.

        Others on a network may fail by servers of their own.
        """
        of_lost = [subject for group in self.lost for subject in group.subjects]
        return distinct(of_lost, subjects_of(self.members))


def on_fallback(
    containers: Containers | None, resolvers: Resolvers, lookups: Lookups | None
) -> OnFallback:
    """The containers on the engine's fallback servers, by their own files and their queries."""
    users = [] if containers is None else list(resolving_containers(containers))
    members = tuple(container for container in users if resolvers.uses_fallback(container))
    ids = {member.id for member in members}
    groups = query_groups(containers, resolvers, lookups)
    silent = [group for group in groups if group.lost and not group.works]
    lost = [group for group in silent if group.has_any(ids)]
    return OnFallback(members, tuple(lost))


def servers_of(containers: Iterable[Container], resolvers: Resolvers) -> dict[str, list[str]]:
    """The DNS servers of the first ten containers, as evidence."""
    first = list(containers)[:10]
    return {f"servers of {container.name}": _servers(container, resolvers) for container in first}


def _servers(container: Container, resolvers: Resolvers) -> list[str]:
    return [upstream.server for upstream in resolvers.upstreams(container)]
