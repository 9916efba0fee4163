"""Containers by the names for which the engine resolves them, and for whom it does. Pure."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import referenced_names
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.mappings import by_key


def owners_of(name: str, caller: Container, containers: Containers) -> list[Container]:
    """The containers that answer to a name.

    Services of the caller's own project first, else any container.
    """
    in_project = containers.named_in_project_of(caller, name)
    other_owners = in_project or [
        owner for owner in containers.by_dns_name.get(name, ()) if owner.id != caller.id
    ]
    # an old container that a recreate has kept has the name too
    return sorted(other_owners, key=lambda owner: not owner.is_running)


def of_project(owners: list[Container], caller: Container) -> list[Container]:
    """The owners of a name that are of the caller's own compose project."""
    project = caller.compose_project
    return [owner for owner in owners if project and owner.compose_project == project]


def resolves(name: str, caller: Container, owners: list[Container], *, podman: bool) -> bool:
    """Whether the caller is given an address for the name.

    The engine gives it, or a line of the caller's hosts file.
    """
    if name in caller.extra_names or name in caller.linked_names:
        return True
    shared = {network for owner in owners for network in owner.endpoints} & caller.endpoints.keys()
    return bool(shared if podman else shared - {DEFAULT_NETWORK})


def names_on(network: str, members: list[Container]) -> dict[str, list[Container]]:
    """The containers of each name on a network, in the order of their own names."""
    owners: dict[str, list[Container]] = {}
    for member in sorted(members, key=lambda member: member.name):
        endpoint = member.endpoints[network]
        for name in sorted({*(endpoint.aliases or ()), *(endpoint.dns_names or ())}):
            owners.setdefault(name, []).append(member)
    return owners


def called_names(members: list[Container]) -> dict[str, list[Container]]:
    """The containers whose configuration refers to a name, by name."""
    return by_key((name, member) for member in members for name in referenced_names(member))
