"""Connections to the outside that a rule inside a container redirects to the container itself.

VPN clients write such rules for packets of their tunnel, and service meshes for their proxy.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_address, is_everywhere
from diagnose.evidence.network.calls.logged_failures import LoggedFailure, LoggedFailures
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.paths.inner_stacks import changed_namespaces, inner_stacks
from diagnose.evidence.network.paths.outgoing.captured_paths import local_capture
from diagnose.evidence.network.paths.outgoing.outbound_paths import SAMPLES
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.firewall.verdict import Step
from diagnose.model import Unexamined
from diagnose.questions import Host
from diagnose.registry import evidence

_UNANSWERED = ("refused", "timeout", "unreachable")


class InnerCapture(msgspec.Struct, frozen=True):
    """An outside port whose traffic a rule redirects to the container itself."""

    owner: Container
    """The container whose network namespace it is."""
    members: tuple[Container, ...]
    """The running containers that share the namespace."""
    protocol: Literal["tcp", "udp"]
    port: int
    address: str
    """The target of the rule."""
    inner_port: int
    by: Step
    """The rule that does it."""
    failures: tuple[LoggedFailure, ...]
    """The calls to that port that fail, by the logs of these containers."""


class InnerCaptures(Items[InnerCapture], frozen=True):
    """The redirected ports where nothing listens, in namespaces with rules of their own."""

    walked: int = 0
    """How many samples were traced."""
    unread: tuple[Unexamined, ...] = ()
    """Containers whose namespace could not be read."""


@evidence
def inner_captures(
    host: Host,
    containers: Containers,
    namespaces: Namespaces,
    logged_failures: LoggedFailures | None,
) -> InnerCaptures:
    """The captured connections inside containers.

    One trace for each namespace and sample, and for each call that fails there.
    """
    changed = changed_namespaces(namespaces, containers)
    inner = inner_stacks(host, changed)
    captures: list[InnerCapture] = []
    walked = 0
    for netns in changed:
        stack = inner.by_owner.get(netns.container.id)
        if stack is None:
            continue
        members = tuple(_members(netns.container, containers))
        failures = _failures_of(members, logged_failures)
        flows = _flows(failures)
        walked += len(flows)
        captures += _lost_captures(netns, stack, members, failures, flows)
    return InnerCaptures(tuple(captures), walked, inner.unread)


def _members(owner: Container, containers: Containers) -> Iterator[Container]:
    """The running containers in the network namespace of one, itself first."""
    yield owner
    for container in containers.running:
        if containers.namespace_owners.get(container.id) == owner and container != owner:
            yield container


def _failures_of(
    members: Sequence[Container], logged_failures: LoggedFailures | None
) -> list[LoggedFailure]:
    """The calls to other machines that fail, by the logs of these containers."""
    member_ids = {member.id for member in members}
    return [
        failure
        for failure in logged_failures or ()
        if failure.container.id in member_ids and _is_call_outside(failure)
    ]


def _is_call_outside(failure: LoggedFailure) -> bool:
    is_lost = failure.kind in _UNANSWERED and failure.peer is None
    is_ipv4 = is_address(failure.host) and ":" not in failure.host
    return is_lost and bool(failure.port) and is_ipv4


def _flows(failures: Sequence[LoggedFailure]) -> list[Flow]:
    """The flows to trace: the samples, and the failed calls of the logs."""
    flows = [Flow(Origin(), SOMEWHERE, protocol, port) for protocol, port in SAMPLES]
    called = dict.fromkeys((failure.host, failure.port) for failure in failures)
    return [Flow(Origin(), address, "tcp", port) for address, port in called] + flows


def _lost_captures(
    netns: ContainerNetns,
    stack: NetworkStack,
    members: tuple[Container, ...],
    failures: Sequence[LoggedFailure],
    flows: Sequence[Flow],
) -> Iterator[InnerCapture]:
    """The flows that a rule leads to where nothing listens in the namespace."""
    seen: set[tuple[str, int]] = set()
    for flow in flows:
        capture = local_capture(trace(stack, flow))
        key = (flow.proto, flow.dport or 0)
        if capture is None or key in seen:
            continue
        protocol: Literal["tcp", "udp"] = "udp" if flow.proto == "udp" else "tcp"
        if any(_takes(socket, capture.address) for socket in netns.sockets(protocol, capture.port)):
            continue
        seen.add(key)
        lost = [failure for failure in failures if protocol == "tcp" and failure.port == key[1]]
        yield InnerCapture(
            netns.container,
            members,
            protocol,
            key[1],
            address=capture.address,
            inner_port=capture.port,
            by=capture.by,
            failures=tuple(lost),
        )


def _takes(socket: Socket, address: str) -> bool:
    if socket.v6_only:
        return False
    return is_everywhere(socket.address) or socket.address == address
