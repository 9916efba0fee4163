"""Containers that lost their network.

A detached veth pair, a missing default route, a namespace of an earlier run.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from checks.network._words import attached, rejoin
from checks.network.ports import has_own_kernel
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.later_interfaces import LaterInterfaces
from diagnose.evidence.network.networks import Network, Networks
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
            for item in _lost(container, netns, containers, networks, namespaces, links, config)
        ]
        if lost and (container.started_at or 0.0) > clock.wall:
            yield Unexamined(container.subject, "it started during this run; run diagnose again")
        else:
            yield from lost
    return None


def _lost(
    container: Container,
    netns: ContainerNetns,
    containers: Containers,
    networks: Networks,
    namespaces: Namespaces,
    links: Interfaces,
    config: DaemonConfig | None,
) -> Iterator[CheckItem]:
    """What a container lost: all of its networks, or the connection to some of them."""
    is_connected = any(endpoint.is_connected for endpoint in container.endpoints.values())
    if not is_connected and not has_own_kernel(container):
        item = _guest(container, netns, containers, namespaces) or _unattached(
            container, netns, networks, config
        )
        yield from (item,) if item else ()
    for name, endpoint in container.endpoints.items():
        network = networks.by_name.get(name)
        bridge = links.by_name.get(network.bridge) if network and network.is_bridge else None
        if network is not None and bridge is not None and endpoint.ip_address:
            finding = _cut_off(
                _Attachment(container, netns, network, endpoint, bridge), containers, links
            )
            yield from (finding,) if finding else ()


class _Attachment(msgspec.Struct, frozen=True):
    """A running container on one bridge network, with its namespace."""

    container: Container
    netns: ContainerNetns
    network: Network
    endpoint: NetworkEndpoint
    bridge: Interface

    @property
    def inner(self) -> Interface | None:
        """The container's interface on this network."""
        return self.netns.link_with(self.endpoint.ip_address) or self.netns.link_with_mac(
            self.endpoint.mac_address
        )


def _cut_off(attachment: _Attachment, containers: Containers, links: Interfaces) -> Finding | None:
    network, netns, bridge = attachment.network, attachment.netns, attachment.bridge
    fault, peer = _cable(attachment, links)
    # another kind of port may be a router
    only_containers = all(port.kind == "veth" for port in links.ports(bridge))
    wrong_gateway = _wrong_gateway(netns, network, containers) if only_containers else ""
    fault = fault or _no_way_out(attachment, wrong_gateway)
    if not fault:
        return None
    inner = attachment.inner
    return Finding.about(
        attachment.container,
        f"{attachment.container} is cut off from {network}: {fault}",
        {
            f"NetworkSettings.Networks.{network.name}.IPAddress": attachment.endpoint.ip_address,
            "interfaces inside": _interfaces(netns),
            "routes inside": [str(route) for route in netns.routes if route.leads_somewhere][:10],
            "host end": peer.name if peer else None,
            f"attached to {bridge.name}": names_of(links.ports(bridge)),
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


def _interfaces(netns: ContainerNetns) -> dict[str, str]:
    return {link.name: link.operstate for link in netns.links}


def _guest(
    container: Container, netns: ContainerNetns, containers: Containers, namespaces: Namespaces
) -> CheckItem | None:
    """What is wrong with a container that shares another one's network, if anything."""
    mode = container.host_config.network_mode
    if not mode.startswith(_JOINED):
        return None
    name = mode.removeprefix(_JOINED)
    owner = containers.by_id.get(name) or next(
        (other for other in containers if other.name == name), None
    )
    if owner is not None and owner.is_running:
        return _in_former_netns(container, netns, owner, namespaces)
    if not _is_bare(netns) or (owner is not None and owner.host_config.network_mode == "none"):
        return None
    if owner is None and containers.unexamined:
        return Unexamined(
            container.subject,
            f"container {name[:12]}, whose network it shares, "
            "may be one that could not be inspected",
        )
    if owner is None:
        state, shared = "no longer exists", f'container "{name[:12]}"'
    else:
        state, shared = f"does not run ({owner.state.status})", str(owner)
    finding = Finding.about(
        container,
        f"{container} has no network: {shared}, whose network it shares, {state}",
        {
            "HostConfig.NetworkMode": mode,
            "interfaces inside": _interfaces(netns),
            "the other container": owner.state.status if owner else "not listed",
        },
        settled=(container.life, *((owner.life,) if owner else ())),
    )
    return finding if owner is None else _with(finding, {"stopped": owner.name})


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
    return _with(item, {"successor": successor}) if successor else item


def _with(finding: Finding, variables: dict[str, str]) -> Finding:
    return finding.with_variables(variables)


def _in_former_netns(
    container: Container, netns: ContainerNetns, owner: Container, namespaces: Namespaces
) -> Finding | None:
    """A container that shares the network of another one's earlier run."""
    current = namespaces.of(owner)
    if current is None or current.inode == netns.inode or has_own_kernel(owner):
        return None
    return Finding.about(
        container,
        sentence(
            f"{container} shares the network of an earlier run of {owner}, which restarted since",
            "only lo is left there" if _is_bare(netns) else "",
        ),
        {
            "HostConfig.NetworkMode": container.host_config.network_mode,
            f"network namespace of {container.name}": netns.inode,
            f"network namespace of {owner.name}": current.inode,
            "interfaces inside": _interfaces(netns),
            f"State.StartedAt of {owner.name}": owner.state.started_at,
            f"State.StartedAt of {container.name}": container.state.started_at,
        },
        settled=(container.life, owner.life),
        joiner=container.name,
        joined=owner.name,
    )


def _is_bare(netns: ContainerNetns) -> bool:
    """Whether it has nothing but its loopback.

    Tunnels that the kernel puts into each new namespace are down.
    """
    return not any(link.up for link in netns.links if link.name != "lo")


class _LostNetwork(msgspec.Struct, frozen=True):
    """The network for which an unattached container was created.

    where: what became of it, in words. cure: the variables of the page. setting: the engine's own,
    where it explains the loss.
    """

    where: str
    cure: dict[str, str] = {}
    setting: dict[str, Json] = {}


def _unattached(
    container: Container, netns: ContainerNetns, networks: Networks, config: DaemonConfig | None
) -> Finding | None:
    """A container that was disconnected from its last network, or that never had one.

    Swarm attaches its own tasks, and reports on them.
    """
    mode = container.host_config.network_mode
    is_special = not mode or mode in ("none", "host") or ":" in mode
    if is_special or _TASK in container.labels or not _is_bare(netns):
        return None
    lost = _lost_network(container, networks, config)
    finding = Finding.about(
        container,
        f"{container} is attached to no network; {lost.where}",
        {
            "NetworkSettings.Networks": sorted(container.endpoints),
            "HostConfig.NetworkMode": mode,
            **lost.setting,
            "interfaces inside": _interfaces(netns),
        },
        settled=(container.life,),
    )
    return _with(finding, lost.cure)


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
    bridge = config.value("bridge") if config is not None else None
    return _LostNetwork(
        "the engine runs without its default network, and the container asks for no other one",
        {"new_network": f"{container.name}-net"},
        {f"bridge in {config.where('bridge')}": bridge} if config and bridge else {},
    )


def _no_way_out(attachment: _Attachment, wrong_gateway: str) -> str:
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


def _wrong_gateway(netns: ContainerNetns, network: Network, containers: Containers) -> str:
    """The address that the one default route inside leads to, if that is wrong.

    It is of this network, and neither a gateway's nor a container's.
    """
    gateways = [
        route.gateway for route in netns.routes if not route.prefix and route.family == "inet"
    ]
    gateway = gateways[0] if len(gateways) == 1 else None
    if gateway is None or gateway in network.gateways:
        return ""
    ends = [member.endpoints[network.name] for member in attached(network, containers)]
    is_known = any(gateway in (end.gateway, end.ip_address) for end in ends)
    is_beside = any(ipaddress.ip_address(gateway) in subnet for subnet in network.subnets)
    return gateway if is_beside and not is_known else ""


def _cable(attachment: _Attachment, links: Interfaces) -> tuple[str, Interface | None]:
    """What is wrong between a container's interface and its bridge, and the host's end."""
    inner, address = attachment.inner, attachment.endpoint.ip_address
    if inner is None:
        return f"no interface inside has its address {address}", None
    if inner.kind != "veth":
        return "", None
    peer = links.by_index.get(inner.link or 0)
    if peer is None or peer.kind != "veth" or peer.link != inner.index:
        return f"the host's end of {inner.name} is gone", None
    if not inner.up:
        return f"{inner.name} inside is down", peer
    if not peer.up:
        return f"the host's end {peer.name} is down", peer
    if peer.master != attachment.bridge.index:
        return (
            f"the host's end {peer.name} is not attached to bridge {attachment.bridge.name}",
            peer,
        )
    if address not in {own.address for own in attachment.netns.addresses}:
        return f"{inner.name} has lost its address {address}", peer
    return "", peer
