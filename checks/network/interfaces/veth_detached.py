"""Containers that lost their network.

A detached veth pair, a missing default route, a namespace of an earlier run.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.wiring.attachments import Attachment, CableFault
from diagnose.evidence.network.wiring.later_interfaces import LaterInterfaces
from diagnose.evidence.network.wiring.lost_networks import (
    LostNetwork,
    NetworkOwner,
    current_netns,
    lost_network,
    network_owner,
    successor_of,
)
from diagnose.first_steps.network.network_steps import rejoin
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import (
    CheckItem,
    CheckResult,
    Finding,
    Json,
    PageVariables,
    Severity,
    Unexamined,
)
from diagnose.phrases import sentence
from diagnose.registry import check


@check("network.veth-detached", severity=Severity.critical, caused_by=["network.bridge-down"])
def veth_detached(
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    links: Interfaces,
    later_interfaces: LaterInterfaces | None,
    clock: Clock,
    events: Events | None,
    config: DaemonConfig | None,
) -> CheckResult:
    """A container has no network any more, or its veth pair is detached or down.

    Both ends of the veth pair are looked at, from inside and from the host, and the default route
    inside. Interfaces of other kinds (macvlan, a sandbox's own) are left out. The host's interfaces
    are listed again where a container was started while they were listed first. A container that
    shares another one's network keeps that of its earlier run when the other restarts, and a
    container that was disconnected from its last network still runs without any. The engine shows
    neither (seen on engines 20.10.24 and 28.5.2). An engine with `"bridge": "none"` has no default
    network, and starts containers that ask for no other one without any.
    """
    yield from namespaces.unvisited
    if later_interfaces:
        links = replace(links, items=later_interfaces.items)
    for container in containers.running:
        netns = namespaces.of(container)
        if netns is None:
            continue
        items = [
            *_unconnected_items(netns, containers, networks, namespaces, config),
            *_cut_off_findings(netns, containers, networks, links),
        ]
        successor = successor_of(container, containers, events)
        if successor:
            items = [_with_successor(item, successor) for item in items]
        if items and (container.started_at or 0.0) > clock.wall:
            yield Unexamined(container.subject, "it started during this run; run diagnose again")
        else:
            yield from items


def _with_successor(item: CheckItem, successor: str) -> CheckItem:
    """The item with the container that replaced the former owner.

    successor: the container that replaced the one whose network is shared.
    """
    if not isinstance(item, Finding):
        return item
    return item.with_variables({"successor": successor})


def _unconnected_items(
    netns: ContainerNetns,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    config: DaemonConfig | None,
) -> Iterator[CheckItem]:
    """Findings about containers that are connected to no network at all, their own or another
    one's."""
    container = netns.container
    is_connected = any(endpoint.is_connected for endpoint in container.endpoints.values())
    if is_connected or container.has_own_kernel:
        return
    owner = network_owner(container, containers)
    if owner is not None:
        item = _guest_item(netns, owner, namespaces)
        if item is not None:
            yield item
        return
    lost = lost_network(container, netns, networks)
    if lost is not None:
        yield _unattached_finding(netns, lost, config)


def _cut_off_findings(
    netns: ContainerNetns, containers: Containers, networks: Networks, links: Interfaces
) -> Iterator[Finding]:
    """Findings about containers that lost the connection to some of their networks."""
    container = netns.container
    for network, endpoint in networks.bridge_places_of(container):
        bridge = links.by_name.get(network.bridge)
        if bridge is None:
            continue
        attachment = Attachment(
            container, netns=netns, network=network, endpoint=endpoint, bridge=bridge, links=links
        )
        wrong_gateway = attachment.wrong_gateway(containers)
        fault = _cable_fault(attachment) or _route_fault(attachment, wrong_gateway)
        if fault:
            yield _cut_off_finding(attachment, fault, wrong_gateway)


_CABLE_FAULTS: Mapping[CableFault, str] = {
    "": "",
    "no interface": "no interface inside has its address {attached.address}",
    "no host end": "the host's end of {attached.inner.name} is gone",
    "down inside": "{attached.inner.name} inside is down",
    "down on the host": "the host's end {attached.host_end.name} is down",
    "not on the bridge": (
        "the host's end {attached.host_end.name} is not attached to bridge {attached.bridge.name}"
    ),
    "no address": "{attached.inner.name} has lost its address {attached.address}",
}
"""The fault of a pair of interfaces, as a clause."""


_MADE_AGAIN: frozenset[CableFault] = frozenset({"no interface", "no host end", "no address"})
"""Faults that only a new attachment ends."""


def _cable_fault(attachment: Attachment) -> str:
    return _CABLE_FAULTS[attachment.fault].format(attached=attachment)


def _cut_off_finding(attachment: Attachment, fault: str, wrong_gateway: str) -> Finding:
    network = attachment.network
    netns = attachment.netns
    bridge = attachment.bridge
    peer = attachment.host_end
    routes = [str(route) for route in netns.routes if route.leads_somewhere]
    return Finding.about(
        attachment.container,
        f"{attachment.container} is cut off from {network}: {fault}",
        {
            f"NetworkSettings.Networks.{network.name}.IPAddress": attachment.address,
            "interfaces inside": netns.interfaces,
            "routes inside": routes[:10],
            "host end": peer.name if peer else None,
            f"attached to {bridge.name}": names_of(attachment.links.ports(bridge)),
        },
        discriminator=network.name,
        touches=(network.subject, *subjects_of([peer])),
        recheck_later=(attachment.container.run,),
        variables={"network": network.name, **_pair(attachment, wrong_gateway)},
    )


def _pair(attachment: Attachment, wrong_gateway: str) -> PageVariables:
    """Both ends of the pair, where they exist; without one of them the engine makes another."""
    peer = attachment.host_end
    inner = attachment.inner
    gateway = attachment.endpoint.gateway
    if peer is None or inner is None or attachment.fault in _MADE_AGAIN:
        return {}
    route = present({"gateway": gateway, "wrong_gateway": wrong_gateway})
    return {"bridge": attachment.bridge.name, "interface": peer.name, "inner": inner.name, **route}


def _guest_item(
    netns: ContainerNetns, owner: NetworkOwner, namespaces: Namespaces
) -> CheckItem | None:
    """The finding about a container that shares another one's network, or the reason why it is
    not judged; None where it works."""
    container = netns.container
    owner_container = owner.container
    if owner_container is not None and owner_container.is_running:
        current = current_netns(netns, owner_container, namespaces)
        return (
            _former_netns_finding(netns, owner_container, current) if current is not None else None
        )
    if not netns.is_bare:
        return None
    if owner.is_unknown:
        return Unexamined(
            container.subject,
            f"container {owner.name[:12]}, whose network it shares, "
            "may be one that could not be inspected",
        )
    if owner_container is None:
        owner_clause = f'container "{owner.name[:12]}", whose network it shares, no longer exists'
        finding = _lost_owner_finding(container, netns, owner_clause, "not listed")
        return finding.with_variables(_made_by_compose(container))
    if owner_container.host_config.network_mode == "none":
        return None
    owner_clause = f"{owner_container}, whose network it shares, is not running ({owner_container.state.status})"
    finding = _lost_owner_finding(container, netns, owner_clause, owner_container.state.status)
    recheck_later = (*finding.recheck_later, owner_container.run)
    return replace(finding, recheck_later=recheck_later).with_variables(
        {"stopped": owner_container.name}
    )


def _made_by_compose(container: Container) -> PageVariables:
    """The page variables of the service that compose makes again together with the one whose
    network it shares."""
    folder = container.compose_folder
    service = container.compose_service
    return {"project_folder": folder, "guest_service": service} if folder and service else {}


def _lost_owner_finding(
    container: Container, netns: ContainerNetns, owner_clause: str, state: str
) -> Finding:
    return Finding.about(
        container,
        f"{container} has no network: {owner_clause}",
        {
            "HostConfig.NetworkMode": container.host_config.network_mode,
            "interfaces inside": netns.interfaces,
            "the other container": state,
        },
        recheck_later=(container.run,),
    )


def _former_netns_finding(
    netns: ContainerNetns, owner: Container, current: ContainerNetns
) -> Finding:
    """The finding about a container that shares the network of another one's earlier run."""
    container = netns.container
    return Finding.about(
        container,
        sentence(
            f"{container} shares the network of an earlier run of {owner}, which restarted since",
            "only the loopback interface is left there" if netns.is_bare else "",
        ),
        {
            "HostConfig.NetworkMode": container.host_config.network_mode,
            f"network namespace of {container.name}": netns.inode,
            f"network namespace of {owner.name}": current.inode,
            "interfaces inside": netns.interfaces,
            f"State.StartedAt of {owner.name}": owner.state.started_at,
            f"State.StartedAt of {container.name}": container.state.started_at,
        },
        recheck_later=(container.run, owner.run),
        variables={"joiner": container.name, "joined": owner.name},
    )


def _unattached_finding(
    netns: ContainerNetns, lost: LostNetwork, config: DaemonConfig | None
) -> Finding:
    """The finding about a container that was disconnected from its last network, or never
    had one."""
    container = netns.container
    setting: dict[str, Json] = {}
    if lost.network is not None:
        reason = f"it was created for {lost.network}"
        cure = rejoin(container, lost.network.name)
    elif not lost.is_default:
        reason = f'network "{lost.name}", for which it was created, no longer exists'
        cure = {"gone_network": lost.name, "unattached": container.name}
    else:
        reason = (
            "the engine runs without its default network, and the container asks for no other one"
        )
        cure = {"new_network": f"{container.name}-net"}
        setting = _bridge_setting(config)
    return Finding.about(
        container,
        f"{container} is attached to no network; {reason}",
        {
            "NetworkSettings.Networks": sorted(container.endpoints),
            "HostConfig.NetworkMode": lost.name,
            **setting,
            "interfaces inside": netns.interfaces,
        },
        recheck_later=(container.run,),
        variables=cure,
    )


def _bridge_setting(config: DaemonConfig | None) -> dict[str, Json]:
    bridge = config.value("bridge") if config is not None else None
    return {f"bridge in {config.where('bridge')}": bridge} if config is not None and bridge else {}


def _route_fault(attachment: Attachment, wrong_gateway: str) -> str:
    """The reason why a container's default route leads nowhere, in words; "" where it may lead
    out."""
    gateway = attachment.endpoint.gateway
    if not attachment.needs_default_route:
        return ""
    if not attachment.netns.has_default_route:
        return f"the default route inside, via {gateway}, is gone"
    if wrong_gateway:
        return (
            f"the default route inside leads to {wrong_gateway}, "
            f"which no container and no gateway has, and not to {gateway}"
        )
    return ""
