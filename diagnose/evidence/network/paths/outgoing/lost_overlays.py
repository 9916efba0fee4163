"""Packets of overlay networks that do not reach the other node of a swarm, or do not come back."""

from ipaddress import ip_address

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.published.inbound_paths import refused_by_host
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.verdict import Step
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.swarm import InspectOverlay, OverlayNetwork
from diagnose.registry import evidence

DATA_PORT = 4789
"""The UDP port for packets of overlay networks between nodes, unless the swarm was created with
another one."""


class LostOverlay(msgspec.Struct, frozen=True):
    """Unanswered calls of one container to an address on another node."""

    container: Container
    network: Network
    place: str
    """The address and the port that are called."""
    name: str
    """The task or the service there."""
    node: str
    """The address of that node."""
    uplink: str
    """The interface of this host that leads to the other nodes."""
    closed_by: Step | None
    """The rule of this host that drops what other nodes send."""
    port: int = DATA_PORT
    """The UDP port of the swarm's overlay networks, as far as this node knows it."""

    @property
    def is_encrypted(self) -> bool:
        return "encrypted" in (self.network.options or {})


class LostOverlays(Items[LostOverlay], frozen=True):
    """The lost paths of overlay networks, one for each network and node."""


@evidence
def lost_overlays(
    host: Host,
    unanswered_calls: UnansweredCalls,
    networks: Networks,
    host_stack: HostStack | None,
    uplinks: Uplinks | None,
    info: Info | None,
) -> LostOverlays:
    """The overlay addresses on other nodes whose calls are unanswered.

    The engine knows the node of each address, and is asked where a call there is unanswered. A port
    without a listener would refuse, and an unused address is not placed.
    """
    port = data_port(info)
    views: dict[str, OverlayNetwork] = {}
    lost: dict[tuple[str, str], LostOverlay] = {}
    for call in unanswered_calls:
        network = _overlay_of(call, networks)
        if network is None or call.peer is not None:
            continue
        if network.id not in views:
            answer = host.ask(InspectOverlay(network.id))
            views[network.id] = OverlayNetwork() if isinstance(answer, Failed) else answer
        caller_address = call.container.endpoints[network.name].ip_address
        owner = _owner_elsewhere(call.address, caller_address, views[network.id])
        if owner is not None:
            node = owner.nodes[0]
            entrance = _entrance(host_stack, uplinks, port)
            overlay = LostOverlay(
                call.container,
                network,
                place=call.place,
                name=owner.name,
                node=node,
                uplink=entrance.uplink,
                closed_by=entrance.closed_by,
                port=port,
            )
            lost.setdefault((network.id, node), overlay)
    return LostOverlays(tuple(lost.values()))


def _overlay_of(call: UnansweredCall, networks: Networks) -> Network | None:
    """The overlay network of the caller that holds the called address."""
    address = ip_address(call.address)
    for name in call.container.endpoints:
        network = networks.by_name.get(name)
        if network is None or not network.is_overlay:
            continue
        if any(address in subnet for subnet in network.subnets):
            return network
    return None


class _Owner(msgspec.Struct, frozen=True):
    """The service or task with an address of an overlay network."""

    name: str
    nodes: tuple[str, ...]
    """The addresses of the nodes on which it runs."""


def _owner_elsewhere(address: str, caller_address: str, view: OverlayNetwork) -> _Owner | None:
    """The owner of an address if only other nodes run it; None where that is not known.

    caller_address: the caller's address, which identifies this node.
    """
    tasks = [task for _, service in view.all_services for task in service.all_tasks]
    own_nodes = {task.node for task in tasks if task.address == caller_address}
    owner = _owner_of(address, view)
    if owner is None or not own_nodes or not owner.nodes:
        return None
    return owner if own_nodes.isdisjoint(owner.nodes) else None


def _owner_of(address: str, view: OverlayNetwork) -> _Owner | None:
    """The service or the task with an address; that of a service leads to any of its tasks."""
    for name, service in view.all_services:
        if service.address == address:
            return _Owner(name, tuple(task.node for task in service.all_tasks))
    tasks = [task for _, service in view.all_services for task in service.all_tasks]
    at = [task for task in tasks if task.address == address]
    return _Owner(at[0].name, tuple(task.node for task in at)) if at else None


def data_port(info: Info | None) -> int:
    """The port of the swarm; only managers know another one than the usual."""
    cluster = info.swarm.cluster if info is not None and info.swarm is not None else None
    return (cluster.data_path_port if cluster is not None else 0) or DATA_PORT


class _OverlayEntrance(msgspec.Struct, frozen=True):
    """The interface and data port for packets of other nodes."""

    uplink: str = ""
    """The interface; "" where it is not known."""
    closed_by: Step | None = None
    """The rule that certainly drops packets to the data port."""


def _entrance(host_stack: HostStack | None, uplinks: Uplinks | None, port: int) -> _OverlayEntrance:
    uplink = uplinks.preferred if uplinks is not None else None
    if host_stack is None or uplink is None or uplink.address is None:
        return _OverlayEntrance()
    flow = Flow(Origin(uplink.name), uplink.address, "udp", port)
    verdict = refused_by_host(host_stack.stack, flow)
    return _OverlayEntrance(uplink.name, verdict.by if verdict.is_blocked else None)
