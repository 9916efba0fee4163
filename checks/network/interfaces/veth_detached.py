"""Containers that lost their network.

A detached veth pair, a missing default route, a namespace of an earlier run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from checks.network.helpers import rejoin
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.wiring.attachments import Attachment, CableFault
from diagnose.evidence.network.wiring.later_interfaces import LaterInterfaces
from diagnose.mappings import names_of
from diagnose.model import CheckItem, CheckResult, Finding, Json, Severity, Unexamined
from diagnose.phrases import sentence
from diagnose.registry import check

_JOINED = "container:"
"""How HostConfig.NetworkMode begins where a container shares another one's network. An id follows;
Podman may write a name."""
_TASK = "com.docker.swarm.task.id"


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
    container that was disconnected from its last network runs on without any. The engine shows
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
        lost = [
            _with_successor(item, container, containers, events)
            for item in (
                *_all_lost(netns, containers, networks, namespaces, config),
                *_cut_off_findings(netns, containers, networks, links),
            )
        ]
        if lost and (container.started_at or 0.0) > clock.wall:
            yield Unexamined(container.subject, "it started during this run; run diagnose again")
        else:
            yield from lost
    return None


def _all_lost(
    netns: ContainerNetns,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    config: DaemonConfig | None,
) -> Iterator[CheckItem]:
    """A container that is connected to no network at all, its own or another one's."""
    container = netns.container
    is_connected = any(endpoint.is_connected for endpoint in container.endpoints.values())
    if is_connected or container.has_own_kernel:
        return
    item = _guest(container, netns, containers, namespaces) or _unattached_finding(
        container, netns, networks, config
    )
    if item is not None:
        yield item


def _cut_off_findings(
    netns: ContainerNetns, containers: Containers, networks: Networks, links: Interfaces
) -> Iterator[Finding]:
    """A container that lost the connection to some of its networks."""
    container = netns.container
    for network, endpoint in networks.bridge_places_of(container):
        bridge = links.by_name.get(network.bridge)
        if bridge is None:
            continue
        attachment = Attachment(
            container, netns=netns, network=network, endpoint=endpoint, bridge=bridge, links=links
        )
        wrong_gateway = attachment.wrong_gateway(containers)
        fault = _cable_fault(attachment) or _no_way_out(attachment, wrong_gateway)
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


def _cable_fault(attachment: Attachment) -> str:
    return _CABLE_FAULTS[attachment.fault].format(attached=attachment)


def _cut_off_finding(attachment: Attachment, fault: str, wrong_gateway: str) -> Finding:
    network, netns, bridge = attachment.network, attachment.netns, attachment.bridge
    peer, inner = attachment.host_end, attachment.inner
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
        touches=(network.subject, *((peer.subject,) if peer else ())),
        settled=(attachment.container.life,),
        network=network.name,
        bridge=bridge.name,
        interface=peer.name if peer else "none",
        inner=inner.name if inner else "none",
        gateway=attachment.endpoint.gateway or "none",
        wrong_gateway=wrong_gateway or "none",
    )


def _guest(
    container: Container, netns: ContainerNetns, containers: Containers, namespaces: Namespaces
) -> CheckItem | None:
    """What is wrong with a container that shares another one's network, if anything."""
    mode = container.host_config.network_mode
    if not mode.startswith(_JOINED):
        return None
    name = mode.removeprefix(_JOINED)
    owner = containers.by_id.get(name) or containers.by_name.get(name)
    if owner is not None and owner.is_running:
        return _former_netns_finding(container, netns, owner, namespaces)
    if not netns.is_bare:
        return None
    if owner is None and containers.unexamined:
        return Unexamined(
            container.subject,
            f"container {name[:12]}, whose network it shares, "
            "may be one that could not be inspected",
        )
    if owner is None:
        whose = f'container "{name[:12]}", whose network it shares, no longer exists'
        return _lost_owner_finding(container, netns, whose, "not listed")
    if owner.host_config.network_mode == "none":
        return None
    whose = f"{owner}, whose network it shares, does not run ({owner.state.status})"
    finding = _lost_owner_finding(container, netns, whose, owner.state.status)
    settled = (*finding.settled, owner.life)
    return replace(finding, settled=settled).with_variables({"stopped": owner.name})


def _lost_owner_finding(
    container: Container, netns: ContainerNetns, whose: str, state: str
) -> Finding:
    return Finding.about(
        container,
        f"{container} has no network: {whose}",
        {
            "HostConfig.NetworkMode": container.host_config.network_mode,
            "interfaces inside": netns.interfaces,
            "the other container": state,
        },
        settled=(container.life,),
    )


def _with_successor(
    item: CheckItem, container: Container, containers: Containers, events: Events | None
) -> CheckItem:
    """With the running container that replaced the one whose network is shared.

    It has the name of the one that is gone, which the engine's events still know.
    """
    former = container.host_config.network_mode.removeprefix(_JOINED)
    if events is None or not isinstance(item, Finding) or former in containers.by_id:
        return item
    names = {event.name for event in events.of(former)}
    successor = next((other.name for other in containers.running if other.name in names), "")
    return item.with_variables({"successor": successor}) if successor else item


def _former_netns_finding(
    container: Container, netns: ContainerNetns, owner: Container, namespaces: Namespaces
) -> Finding | None:
    """A container that shares the network of another one's earlier run."""
    current = namespaces.of(owner)
    if current is None or current.inode == netns.inode or owner.has_own_kernel:
        return None
    return Finding.about(
        container,
        sentence(
            f"{container} shares the network of an earlier run of {owner}, which restarted since",
            "only lo is left there" if netns.is_bare else "",
        ),
        {
            "HostConfig.NetworkMode": container.host_config.network_mode,
            f"network namespace of {container.name}": netns.inode,
            f"network namespace of {owner.name}": current.inode,
            "interfaces inside": netns.interfaces,
            f"State.StartedAt of {owner.name}": owner.state.started_at,
            f"State.StartedAt of {container.name}": container.state.started_at,
        },
        settled=(container.life, owner.life),
        joiner=container.name,
        joined=owner.name,
    )


class _LostNetwork(msgspec.Struct, frozen=True):
    """The network for which an unattached container was created."""

    where: str
    """What became of it, in words."""
    cure: dict[str, str] = {}
    """The variables of the page."""
    setting: dict[str, Json] = {}
    """The engine's own, where it explains the loss."""


def _unattached_finding(
    container: Container, netns: ContainerNetns, networks: Networks, config: DaemonConfig | None
) -> Finding | None:
    """A container that was disconnected from its last network, or that never had one.

    Swarm attaches its own tasks, and reports on them.
    """
    mode = container.host_config.network_mode
    is_special = not mode or mode in ("none", "host") or ":" in mode
    if is_special or _TASK in container.labels or not netns.is_bare:
        return None
    lost = _lost_network(container, networks, config)
    finding = Finding.about(
        container,
        f"{container} is attached to no network; {lost.where}",
        {
            "NetworkSettings.Networks": sorted(container.endpoints),
            "HostConfig.NetworkMode": mode,
            **lost.setting,
            "interfaces inside": netns.interfaces,
        },
        settled=(container.life,),
    )
    return finding.with_variables(lost.cure)


def _lost_network(
    container: Container, networks: Networks, config: DaemonConfig | None
) -> _LostNetwork:
    mode = container.host_config.network_mode
    is_default = mode in ("default", "bridge")
    names = ("bridge", "podman") if is_default else (mode,)
    matching = (network for network in networks if network.name in names or network.id == mode)
    network = next(matching, None)
    if network is not None:
        return _LostNetwork(f"it was created for {network}", rejoin(container, network.name))
    if not is_default:
        return _LostNetwork(f"network {mode}, for which it was created, no longer exists")
    return _LostNetwork(
        "the engine runs without its default network, and the container asks for no other one",
        {"new_network": f"{container.name}-net"},
        _bridge_setting(config),
    )


def _bridge_setting(config: DaemonConfig | None) -> dict[str, Json]:
    bridge = config.value("bridge") if config is not None else None
    return {f"bridge in {config.where('bridge')}": bridge} if config is not None and bridge else {}


def _no_way_out(attachment: Attachment, wrong_gateway: str) -> str:
    """Why a container's default route leads nowhere, in words.

    The engine gave a gateway; the route is gone, or leads to nobody.
    """
    network, gateway = attachment.network, attachment.endpoint.gateway
    if network.internal or "." not in gateway or not network.bridge_has_address:
        return ""
    if not attachment.netns.has_default_route:
        return f"the default route inside, via {gateway}, is gone"
    if wrong_gateway:
        return (
            f"the default route inside leads to {wrong_gateway}, "
            f"which no container and no gateway has, and not to {gateway}"
        )
    return ""
