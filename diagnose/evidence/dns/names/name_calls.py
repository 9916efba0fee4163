"""A container that calls a name, and the container on whose networks it asks for the name."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.service_names import owners_of
from diagnose.evidence.network.networks import DEFAULT_NETWORK


def network_owner_of(container: Container, containers: Containers) -> Container | None:
    """The container on whose networks another one asks for names: itself, or the one it joined.

    None where it has no network, and where the joined one does not run.
    """
    if container.host_config.network_mode == "none":
        return None
    if not container.joins_network_of_other:
        return container
    network_owner = containers.owner_of(container)
    return network_owner if network_owner.id != container.id and network_owner.is_running else None


def owners_beside(
    name: str, caller: Container, network_owner: Container, containers: Containers
) -> list[Container]:
    """The owners of a name, without the container whose network the caller uses.

    Empty where that one has the name too, as a VPN client with the names of its guests: the engine
    gives its address, at which they all are.
    """
    is_guest = network_owner.id != caller.id
    is_on_named_network = set(network_owner.endpoints) != {DEFAULT_NETWORK}
    if is_guest and is_on_named_network and name in network_owner.dns_names:
        return []
    return [owner for owner in owners_of(name, caller, containers) if owner.id != network_owner.id]


class NameCall(msgspec.Struct, frozen=True):
    """A container that calls a name, and where that is known from.

    network_owner: the container on whose networks it asks. front: the container whose network the
    owner of the name uses.
    """

    caller: Container
    name: str
    source: str
    network_owner: Container
    front: Container | None

    @property
    def is_from_guest(self) -> bool:
        """Whether the caller uses the network of another container."""
        return self.network_owner.id != self.caller.id

    @property
    def share_one_network(self) -> bool:
        """Whether caller and owner use the network of one other container."""
        return self.front is not None and self.front.id == self.network_owner.id


def front_of(owner: Container, containers: Containers) -> Container | None:
    """The running container whose network another one uses in place of its own."""
    front = containers.owner_of(owner)
    return front if front.id != owner.id and front.is_running else None
