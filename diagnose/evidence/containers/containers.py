"""All containers of a host, by id, name, address and network."""

import functools
import ipaddress
from collections.abc import Collection, Iterable
from typing import ClassVar

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.items import Items
from diagnose.mappings import by_key, distinct
from diagnose.model import Coverage, Unexamined


class Subnet(msgspec.Struct, frozen=True):
    """The addresses of containers on a network, and the host's own among them."""

    addresses: ipaddress.IPv4Network
    gateway: str


class Containers(Items[Container], frozen=True, dict=True):
    """All containers, running or not."""

    IS_ROOT: ClassVar[bool] = True
    """A container left out here is left out of all evidence that is collected from it."""
    unexamined: tuple[Unexamined, ...] = ()
    """The containers whose inspect failed; one that went away between list and inspect is left out.
    """
    source: str = "api"
    """The source of the containers: "api", or "disk" where the engine did not answer."""
    root: str = ""
    aside: tuple[Container, ...] = ()
    """Former containers that `diagnose recreate` has put aside for their successors: their faults
    are over."""

    @property
    def coverage(self) -> Coverage:
        """The ports that only this host reaches: no way in was traced for them."""
        here_alone = [
            f"{published.host_port} ({container.name})"
            for container in self.running
            for published in container.published_ports
            if published.is_for_host_alone
        ]
        return Coverage({}, here_alone=distinct(here_alone))

    @functools.cached_property
    def by_id(self) -> dict[str, Container]:
        return {container.id: container for container in self.items}

    @functools.cached_property
    def by_name(self) -> dict[str, Container]:
        return {container.name: container for container in self.items}

    @functools.cached_property
    def addresses_in_use(self) -> frozenset[str]:
        """The IPv4 addresses of running containers on their networks."""
        return frozenset(
            endpoint.ip_address
            for container in self.running
            for endpoint in container.endpoints.values()
        )

    @functools.cached_property
    def by_place(self) -> dict[tuple[str, str], Container]:
        """The running containers by each network that they are on and an address there."""
        return {
            (network, address): container
            for container in self.running
            for network, endpoint in container.endpoints.items()
            for address in endpoint.addresses
        }

    @functools.cached_property
    def running(self) -> tuple[Container, ...]:
        return tuple(container for container in self.items if container.is_running)

    @functools.cached_property
    def never_started(self) -> tuple[Container, ...]:
        """The containers that were created, and whose start was not even tried."""
        return tuple(
            container
            for container in self
            if container.state.status == "created" and not container.start_failed
        )

    def waiting_for(self, container: Container) -> Collection[Container]:
        """The containers of its compose project that depend on its service, and were never
        started."""
        return self._waiting.get((container.compose_project, container.compose_service), ())

    @functools.cached_property
    def _waiting(self) -> dict[tuple[str, str], list[Container]]:
        """By compose project and service: the containers that were never started and depend on
        it."""
        return by_key(
            ((container.compose_project, service), container)
            for container in self.never_started
            for service in container.compose_dependencies
        )

    @functools.cached_property
    def by_dns_name(self) -> dict[str, list[Container]]:
        """The containers that can be called by each name, running or not."""
        return by_key((name, container) for container in self for name in container.dns_names)

    def named_in_project_of(self, caller: Container, name: str) -> list[Container]:
        """The other containers of the caller's compose project that can be called by a name,
        running or not.

        Each of 300 projects may have its own "db".
        """
        owners = self._by_project_and_name.get((caller.compose_project, name), ())
        return [owner for owner in owners if owner.id != caller.id]

    @functools.cached_property
    def _by_project_and_name(self) -> dict[tuple[str, str], list[Container]]:
        return by_key(
            ((container.compose_project, name), container)
            for container in self
            if container.compose_project
            for name in container.dns_names
        )

    @functools.cached_property
    def names_by_network(self) -> dict[str, set[str]]:
        """The names of running containers, by the network on which they can be called."""
        names: dict[str, set[str]] = {}
        for container in self.running:
            for network in container.endpoints:
                names.setdefault(network, set()).update(container.dns_names)
        return names

    @functools.cached_property
    def by_address(self) -> dict[str, list[Container]]:
        """The containers that have, or should have, each IPv4 address, running or not."""
        return by_key(
            (address, container)
            for container in self
            for end in container.endpoints.values()
            for address in {end.ip_address, end.fixed_address} - {""}
        )

    def called(self, network: str, name: str) -> Collection[Container]:
        """The containers that are reached on a network by this name or address."""
        return self._by_call.get((network, name), {}).values()

    def called_by(self, caller: Container, name: str) -> tuple[Container, ...]:
        """The containers that a name or address leads to on the networks of the caller."""
        by_id = {
            container.id: container
            for network in caller.endpoints
            for container in self.called(network, name)
        }
        return tuple(by_id.values())

    @functools.cached_property
    def _by_call(self) -> dict[tuple[str, str], dict[str, Container]]:
        """Network and name -> the containers, by their ids."""
        holders: dict[tuple[str, str], dict[str, Container]] = {}
        for container in self:
            for network, endpoint in container.endpoints.items():
                names = (*(endpoint.aliases or ()), *(endpoint.dns_names or ()))
                for name in {container.name, *names, endpoint.ip_address} - {""}:
                    holders.setdefault((network, name), {})[container.id] = container
        return holders

    def in_order(self, some: Iterable[Container]) -> tuple[Container, ...]:
        """These containers in the order of all."""
        return tuple(sorted(some, key=lambda container: self._places[container.id]))

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {container.id: place for place, container in enumerate(self)}

    def subnets(self, network: str) -> Collection[Subnet]:
        """The subnets in which containers have their addresses on the network of that name."""
        return self._subnets.get(network, ())

    @functools.cached_property
    def _subnets(self) -> dict[str, set[Subnet]]:
        subnets: dict[str, set[Subnet]] = {}
        for container in self:
            for network, endpoint in container.endpoints.items():
                subnet = _subnet(endpoint) if endpoint.ip_prefix_len else None
                if subnet is not None:
                    subnets.setdefault(network, set()).add(subnet)
        return subnets

    def ports_published_by(self, protocol: str) -> list[int]:
        """The host's ports that lead to running containers, in their order."""
        published = (
            port for container in self.running for port in container.published_by(protocol)
        )
        return sorted({port.host_port for port in published})

    @functools.cached_property
    def mount_sources(self) -> frozenset[str]:
        """The paths of the host, and the volumes, that are mounted into any of them."""
        return frozenset(mount.source for container in self for mount in container.mounts)

    def publisher_of(self, port: int) -> Container | None:
        """The running container to which a TCP port of the host leads."""
        return next((container for container in self.running if container.publishes(port)), None)

    def beside(self, container: Container) -> list[Container]:
        """The other containers on a container's networks, running or not."""
        neighbours = {
            other.id: other
            for network in container.endpoints
            for other in self._by_network[network]
            if other.id != container.id
        }
        return list(self.in_order(neighbours.values()))

    @functools.cached_property
    def _by_network(self) -> dict[str, list[Container]]:
        return by_key((network, container) for container in self for network in container.endpoints)

    def in_project_of(self, container: Container) -> list[Container]:
        """The other running containers of a container's compose project; none without a project."""
        members = self._running_by_project.get(container.compose_project, ())
        return [member for member in members if member.id != container.id]

    @functools.cached_property
    def _running_by_project(self) -> dict[str, list[Container]]:
        return by_key(
            (container.compose_project, container)
            for container in self.running
            if container.compose_project
        )

    def can_call(self, container: Container, name: str) -> bool:
        """Whether a container can call another one by this name, running or not."""
        if name in container.dns_names:
            return False
        return name in container.linked_names or any(
            other.shared_networks(container) for other in self.by_dns_name.get(name, ())
        )

    def running_on(self, network: str) -> tuple[Container, ...]:
        """The running containers on the network of that name."""
        return tuple(self._running_by_network.get(network, ()))

    @functools.cached_property
    def _running_by_network(self) -> dict[str, list[Container]]:
        return by_key(
            (network, container) for container in self.running for network in container.endpoints
        )

    @functools.cached_property
    def namespace_owners(self) -> dict[str, Container]:
        """The container whose network namespace a running one joined, by the id of the latter."""
        owners = {}
        for container in self.running:
            owner = self.owner_of(container)
            if owner.is_running and owner.id != container.id:
                owners[container.id] = owner
        return owners

    @functools.cached_property
    def namespace_guests(self) -> list[Container]:
        """The containers, running or not, that join the network namespace of another one."""
        return [container for container in self if container.joins_network_of_other]

    def owner_of(self, container: Container) -> Container:
        """The container whose network namespace this one uses.

        Itself, unless it joined another one's (`--network container:NAME`).
        """
        kind, _, name = container.host_config.network_mode.partition(":")
        if kind != "container":
            return container
        return self.by_id.get(name) or self.by_name.get(name) or container


def _subnet(endpoint: NetworkEndpoint) -> Subnet | None:
    """The subnet and gateway of an endpoint; None for an invalid address."""
    place = f"{endpoint.ip_address}/{endpoint.ip_prefix_len}"
    try:
        return Subnet(ipaddress.IPv4Network(place, strict=False), endpoint.gateway)
    except ValueError:
        return None
