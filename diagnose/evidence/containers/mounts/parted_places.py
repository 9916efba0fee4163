"""Places that two containers shared, and share no more."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers


class PartedPlace(msgspec.Struct, frozen=True):
    """A place that two containers share no more."""

    container: Container
    owner: Container
    """The one that `--volumes-from` names."""
    own: Mount
    theirs: Mount


def volume_owners(
    container: Container, containers: Containers, by_name: Mapping[str, Container]
) -> Iterator[Container]:
    """The containers whose volumes it shares, or their successors in the project."""
    for entry in container.host_config.volumes_from or ():
        owner = by_name.get(entry.partition(":")[0])
        if owner is not None:
            yield owner
        elif container.compose_project:
            yield from (
                other
                for other in containers
                if other.shares_project(container)
                and other.compose_service in container.compose_dependencies
            )


def parted_places(container: Container, owners: Iterable[Container]) -> Iterator[PartedPlace]:
    """The places of a container that the owner of its volumes has otherwise by now."""
    shared = {theirs.destination: (owner, theirs) for owner in owners for theirs in owner.mounts}
    for mount in container.mounts:
        owner, theirs = shared.get(mount.destination, (container, mount))
        is_its_own = mount.destination in container.host_config.own_destinations
        if theirs.source != mount.source and not is_its_own and _is_newer(owner, container):
            yield PartedPlace(container, owner, mount, theirs)


def _is_newer(owner: Container, container: Container) -> bool:
    return (owner.created_at or 0.0) > (container.created_at or 0.0)
