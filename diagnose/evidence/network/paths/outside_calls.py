"""Failing calls of other machines from a namespace with rules or interfaces of a VPN client.

A download client in the network of a VPN client (`network_mode: container:vpn`) calls a machine of
the local network. The client's kill switch drops that, or its tunnel takes the call, and the
network of the VPN does not lead there.
"""

from collections.abc import Iterator
from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_address, is_loopback
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.inner_stacks import changed_namespaces, inner_stacks
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.questions import Host
from diagnose.registry import evidence

_KINDS = frozenset({"timeout", "unreachable"})


class OutsideCall(msgspec.Struct, frozen=True):
    """A failing call of an address that no container has, traced inside a namespace."""

    owner: Container
    """The container whose network namespace it is."""
    failure: LoggedFailure
    trace: Trace
    tunnel: str
    """The interface of another program by which the call leaves; "" where it does not."""
    gateway: str
    """The gateway of the owner's network, by which the host would lead the call out."""
    device: str
    """The interface to that gateway."""
    has_tunnel: bool
    """Whether an interface of another program is up."""

    @property
    def is_private(self) -> bool:
        """Whether the address is one of a local network, to which no VPN of a provider leads."""
        return ip_address(self.failure.host).is_private


class OutsideCalls(Items[OutsideCall], frozen=True):
    """The calls that a log reports as failing again and again."""


@evidence
def outside_calls(
    host: Host,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    logged_failures: LoggedFailures,
) -> OutsideCalls:
    """The failing calls of other machines, in namespaces that have more than the engine's own
    settings. Nothing is asked where no log reports such a call."""
    failures = [failure for failure in logged_failures if _is_of_another_machine(failure, networks)]
    if not failures:
        return OutsideCalls()
    changed = {netns.container.id: netns for netns in changed_namespaces(namespaces, containers)}
    owners = {
        failure.container.id: containers.namespace_owners.get(
            failure.container.id, failure.container
        )
        for failure in failures
    }
    wanted = [changed[owner.id] for owner in owners.values() if owner.id in changed]
    inner = inner_stacks(host, list({netns.container.id: netns for netns in wanted}.values()))
    return OutsideCalls(
        tuple(
            call
            for failure in failures
            for call in _traced_calls(
                failure, owners[failure.container.id], changed, inner.by_owner
            )
        )
    )


def _is_of_another_machine(failure: LoggedFailure, networks: Networks) -> bool:
    """Whether calls of an IPv4 address get no answer, which is on no network of the engine."""
    if failure.kind not in _KINDS or not is_address(failure.host) or is_loopback(failure.host):
        return False
    address = ip_address(failure.host)
    return address.version == 4 and networks.bridge_of(address) is None


def _traced_calls(
    failure: LoggedFailure,
    owner: Container,
    changed: dict[str, ContainerNetns],
    stacks: dict[str, NetworkStack],
) -> Iterator[OutsideCall]:
    """The trace of a call in the namespace of its caller; empty where that is not known."""
    netns = changed.get(owner.id)
    stack = stacks.get(owner.id)
    ends = [end for end in owner.endpoints.values() if end.ip_address]
    if netns is None or stack is None or not ends:
        return
    links = [netns.link_with(end.ip_address) for end in ends]
    given = {link.name for link in links if link is not None}
    traced = trace(stack, Flow(Origin(), failure.host, "tcp", failure.port or None))
    others = {link.name for link in netns.links if link.up} - given - {"lo"}
    first_link = links[0]
    yield OutsideCall(
        owner,
        failure,
        traced,
        tunnel=traced.to if traced.to in others else "",
        gateway=ends[0].gateway,
        device=first_link.name if first_link is not None else "",
        has_tunnel=bool(others),
    )
