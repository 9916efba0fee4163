"""The words by which containers call the host and each other, and their addresses."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.firewall.network_stack import NetworkStack
from diagnose.model import EvidenceGroup


class CalledContainer(msgspec.Struct, frozen=True):
    """The container of a name on a network, and the address there."""

    container: Container
    address: str


class NameSources(EvidenceGroup, frozen=True):
    """The evidence that resolves names in containers: containers, networks, configuration."""

    host_stack: HostStack
    containers: Containers
    networks: Networks
    config: DaemonConfig | None

    @property
    def names(self) -> CalledNames:
        """The containers by the words that they are called by."""
        stack = self.host_stack.stack
        return CalledNames(stack, self.containers, self.networks, self._host_gateway)

    @property
    def _host_gateway(self) -> str:
        """The address that `host-gateway` means.

        The configured one, or that of the default bridge, which engines before 26 do not list.
        """
        configured = self.config.value("host-gateway-ip") if self.config is not None else None
        if isinstance(configured, str):
            return configured
        default = self.networks.by_name.get("bridge")
        bridge = default.bridge if default is not None else ""
        return (self.host_stack.stack.address_on(bridge, "ip") if bridge else None) or ""


class Words(msgspec.Struct, frozen=True):
    """The words that name the host or another container to one of them."""

    shared: frozenset[str]
    """The words of all containers on the same networks."""
    of_hosts_file: frozenset[str]
    own_name: str
    """The name of the container itself."""

    def __contains__(self, word: str) -> bool:
        is_known = word in self.shared or word in self.of_hosts_file
        return is_known and word != self.own_name

    def may_be_in(self, words: Collection[str]) -> bool:
        """Whether some words hold one of these; maybe also where they hold the own name."""
        return not (self.shared.isdisjoint(words) and self.of_hosts_file.isdisjoint(words))


class CalledNames:
    """The host with its containers by the words that they are called by."""

    def __init__(
        self, stack: NetworkStack, containers: Containers, networks: Networks, host_gateway: str
    ) -> None:
        """host_gateway: the address that `host-gateway` means in an extra host."""
        self._networks = networks
        self._host_gateway = host_gateway
        self._by_word: dict[tuple[str, str], CalledContainer] = {}
        self._words_of: dict[str, set[str]] = {}
        self._shared_words: dict[frozenset[str], frozenset[str]] = {}
        """Of containers on the same networks: a thousand may be on one."""
        self._services: dict[tuple[str, str], list[Container]] = {}
        self.publishers: dict[int, Container] = {}
        """The container that publishes each port of the host."""
        self._owners = containers.namespace_owners
        for container in containers.running:
            self._learn_names(container)
        outer = frozenset(address for address in stack.local if ":" not in address)
        self._host_words = outer - {"127.0.0.1"}

    def _learn_names(self, container: Container) -> None:
        """Take in a container: its service, its published ports, and its names on each network."""
        service = (container.compose_project, container.compose_service)
        self._services.setdefault(service, []).append(container)
        for published in container.published_ports:
            if published.host_port:
                self.publishers.setdefault(published.host_port, container)
        for network, endpoint in self._networks.bridge_places_of(container):
            called = CalledContainer(container, endpoint.ip_address)
            aliases = {*(endpoint.aliases or ()), *(endpoint.dns_names or ())}
            for word in {container.name, *aliases, endpoint.ip_address}:
                self._by_word.setdefault((network.name, word), called)
                self._words_of.setdefault(network.name, set()).add(word)

    def on_network(self, network: str, word: str) -> CalledContainer | None:
        """The container that a name or an address means on a network."""
        return self._by_word.get((network, word))

    def extra_hosts(self, container: Container, *, only_gateway: bool = False) -> dict[str, str]:
        """The names that the container's own hosts file gives, with their addresses."""
        addresses = {}
        for entry in container.host_config.extra_hosts or ():
            name, _, address = entry.replace("=", ":", 1).partition(":")
            if address == "host-gateway":
                addresses[name] = self._host_gateway
            elif not only_gateway:
                addresses[name] = address.strip("[]")
        return {name: address for name, address in addresses.items() if address}

    def words(self, container: Container) -> Words:
        """The words that name the host or another container to this one."""
        networks = frozenset(self.endpoints_of(container))
        if networks not in self._shared_words:
            on_networks = (self._words_of.get(network, ()) for network in networks)
            self._shared_words[networks] = self._host_words.union(*on_networks)
        return Words(
            self._shared_words[networks], frozenset(self.extra_hosts(container)), container.name
        )

    def owner_of(self, container: Container) -> Container:
        """The container whose network namespace this one uses: often itself."""
        return self._owners.get(container.id, container)

    def endpoints_of(self, container: Container) -> dict[str, NetworkEndpoint]:
        """The places on networks of a container, or of the one whose namespace it shares."""
        return self.owner_of(container).endpoints

    def of_service(self, container: Container, service: str) -> list[Container]:
        """The containers of a service of the same compose project."""
        project = container.compose_project
        return self._services.get((project, service), []) if project else []
