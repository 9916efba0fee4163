"""Bridges and what is plugged into them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator

from checks.network._words import attached as attached_to
from checks.network._words import names
from checks.network.ports import has_own_kernel
from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.model import CheckItem, Finding, Severity, Skipped, Subject, Unavailable, Unexamined
from diagnose.registry import check


@check("network.bridge-down", severity=Severity.critical)
def bridge_down(
    networks: Networks,
    links: Interfaces,
    containers: Containers | Unavailable,
    info: Info | Unavailable,
    ping: Ping | Unavailable,
    routes: Routes | Unavailable,
) -> Iterable[Finding] | Skipped:
    """The bridge of a network is missing, down, or has lost its address.

    Only the admin flag counts: a bridge without attached containers has no carrier and is DOWN by operstate,
    which is normal. Containers still start on a bridge that is down, without an error (engines 20.10.24 to
    28.5.2). A bridge without a route to its containers cuts them off like one without an address.
    """
    if isinstance(ping, Ping) and ping.is_podman:
        return Skipped("Podman makes its bridges when the first container starts")
    if isinstance(info, Info) and info.is_rootless:
        return Skipped("a rootless engine's bridges are in a namespace of its own")
    return _broken_bridges(networks, links, containers, routes)


def _broken_bridges(
    networks: Networks, links: Interfaces, containers: Containers | Unavailable, routes: Routes | Unavailable
) -> Iterator[Finding]:
    for network in networks.bridges:
        link = links.by_name.get(network.bridge)
        attached = attached_to(network, containers)
        wrong = _what_is_wrong(network, link, links, attached) or _no_route(network, link, attached, routes)
        if not wrong:
            continue
        cut = f": {names(attached)} cut off" if attached else ""
        yield Finding(
            subject=network.subject,
            summary=f"bridge {network.bridge} of network {network.name} {wrong}{cut}",
            evidence={
                f"link {network.bridge}": None if link is None else {"up": link.up, "operstate": link.operstate},
                f"addresses of {network.bridge}": [] if link is None else list(links.addresses_of(link)),
                "IPAM.Config.Gateway": list(network.gateways),
                "Gateway of containers": sorted({each.endpoints[network.name].gateway for each in attached}),
                "running containers": [each.name for each in attached],
            },
            variables={
                "network": network.name,
                "bridge": network.bridge,
                "subnet": str(network.subnets[0]) if network.subnets else "none",
                "address": _address(network, attached),
            },
            severity=Severity.critical if attached else Severity.warning,
            touches=(Subject("interface", network.bridge), *(each.subject for each in attached)),
        )


def _what_is_wrong(network: Network, link: Interface | None, links: Interfaces, attached: tuple[Container, ...]) -> str:
    if link is None:
        return "does not exist"
    if not link.up:
        return "is switched off"
    # Engine 20.10.24 names no gateway of the default network, 28.5.2 none that it chose itself: the containers know it.
    wanted = [*network.gateways, *(each.endpoints[network.name].gateway for each in attached)]
    wanted = [each for each in wanted if "." in each]
    if not network.bridge_has_address or not wanted:
        return ""
    if not set(wanted) & set(links.addresses_of(link)):
        return f"has lost its address {wanted[0]}"
    return ""


def _no_route(
    network: Network, link: Interface | None, attached: tuple[Container, ...], routes: Routes | Unavailable
) -> str:
    """Whether the host has no route by its bridge to a container of the network, in words."""
    if link is None or isinstance(routes, Unavailable) or not network.bridge_has_address:
        return ""
    by_bridge = [each.net for each in routes if each.oif == link.index and each.leads_somewhere]
    for each in attached:
        address = each.endpoints[network.name].ip_address
        if address and not any(ipaddress.ip_address(address) in net for net in by_bridge):
            return f"has no route to {address}"
    return ""


def _address(network: Network, attached: tuple[Container, ...]) -> str:
    """The address that the engine gives the bridge, with its prefix."""
    gateways = [*network.gateways, *(each.endpoints[network.name].gateway for each in attached)]
    subnet = next((each for each in network.subnets if each.version == 4), None)
    if subnet is None:
        return "none"
    gateway = next((each for each in gateways if "." in each), str(subnet[1]))
    return f"{gateway}/{subnet.prefixlen}"


@check("network.veth-detached", severity=Severity.critical, caused_by=["network.bridge-down"])
def veth_detached(
    containers: Containers, networks: Networks, namespaces: Namespaces, links: Interfaces, clock: Clock
) -> Iterable[CheckItem]:
    """A container has no network any more, or its veth pair is detached or down.

    Both ends of the veth pair are looked at, from inside and from the host, and the default route inside. Interfaces of
    other kinds (macvlan, a sandbox's own) are left out. The host's interfaces may have been listed before one that was
    started since the run began. One that shares the network of another container keeps that of its former run when the
    other is started anew, and one that was disconnected from its last network runs on without any: the engine shows
    neither (seen on engines 20.10.24 and 28.5.2).
    """
    yield from namespaces.unvisited
    for each in containers.running:
        inside = namespaces.of(each)
        if inside is not None and not each.endpoints and not has_own_kernel(each):
            lone = _joiner(each, inside, containers, namespaces) or _unattached(each, inside, networks)
            if lone and (each.started_at or 0.0) > clock.wall:
                lone = Unexamined(each.subject, "it was started while it was looked at")
            yield from (lone,) if lone else ()
        for name, endpoint in each.endpoints.items() if inside else ():
            network = networks.by_name.get(name)
            bridge = links.by_name.get(network.bridge) if network and network.is_bridge else None
            if inside is None or network is None or bridge is None or not endpoint.ip_address:
                continue
            wrong, peer = _cable(inside, endpoint, bridge, links)
            closed = all(port.kind == "veth" for port in links.ports(bridge))  # else a router may be on the bridge
            astray = _led_astray(inside, network, containers) if closed else ""
            wrong = wrong or _no_way_out(inside, endpoint, network, astray)
            if wrong and (each.started_at or 0.0) > clock.wall:
                yield Unexamined(each.subject, "it was started while it was looked at")
            elif wrong:
                yield Finding(
                    subject=each.subject,
                    summary=f"{each.name} is cut off from network {name}: {wrong}",
                    evidence={
                        f"NetworkSettings.Networks.{name}.IPAddress": endpoint.ip_address,
                        "interfaces inside": {one.name: one.operstate for one in inside.links},
                        "routes inside": [str(one) for one in inside.routes if one.leads_somewhere][:10],
                        "host end": peer.name if peer else None,
                        f"attached to {bridge.name}": [one.name for one in links.ports(bridge)],
                    },
                    variables={
                        "container": each.name,
                        "network": name,
                        "bridge": bridge.name,
                        "interface": peer.name if peer else "none",
                        "inner": inner.name if (inner := _inner(inside, endpoint)) else "none",
                        "gateway": endpoint.gateway or "none",
                        "astray": astray or "none",
                    },
                    discriminator=name,
                    touches=(network.subject, *((peer.subject,) if peer else ())),
                    settled=(each.life,),
                    service=each.service,
                )


_JOINED = "container:"
"""How HostConfig.NetworkMode begins where a container shares the network of another; an id follows, in Podman or by hand a name."""


def _joiner(
    each: Container, inside: ContainerNetns, containers: Containers, namespaces: Namespaces
) -> CheckItem | None:
    """What is wrong with a container that shares the network of another one: that began a new run, or does not run at all."""
    mode = each.host_config.network_mode
    if not mode.startswith(_JOINED):
        return None
    name = mode.removeprefix(_JOINED)
    other = containers.by_id.get(name) or next((one for one in containers if one.name == name), None)
    if other is not None and other.is_running:
        there = namespaces.of(other)
        if there is None or there.inode == inside.inode or has_own_kernel(other):
            return None
        return Finding(
            subject=each.subject,
            summary=f"{each.name} shares the network of a former run of {other.name}, which was started anew since"
            + (": nothing but lo is left there" if _is_bare(inside) else ""),
            evidence={
                "HostConfig.NetworkMode": mode,
                f"network namespace of {each.name}": inside.inode,
                f"network namespace of {other.name}": there.inode,
                "interfaces inside": {one.name: one.operstate for one in inside.links},
                f"State.StartedAt of {other.name}": other.state.started_at,
                f"State.StartedAt of {each.name}": each.state.started_at,
            },
            variables={"container": each.name, "joiner": each.name, "joined": other.name},
            settled=(each.life, other.life),
            service=each.service,
        )
    if not _is_bare(inside) or (other is not None and other.host_config.network_mode == "none"):
        return None
    if other is None and containers.unexamined:
        return Unexamined(
            each.subject, f"the container {name[:12]} whose network it shares may be one that could not be looked at"
        )
    state = "no longer exists" if other is None else f"does not run ({other.state.status})"
    return Finding(
        subject=each.subject,
        summary=f"{each.name} has no network: {other.name if other else name[:12]}, whose network it shares, {state}",
        evidence={
            "HostConfig.NetworkMode": mode,
            "interfaces inside": {one.name: one.operstate for one in inside.links},
            "the other container": other.state.status if other else "not listed",
        },
        variables={"container": each.name, **({"stopped": other.name} if other else {})},
        settled=(each.life, *((other.life,) if other else ())),
        service=each.service,
    )


def _is_bare(inside: ContainerNetns) -> bool:
    """Whether it has nothing but its loopback; tunnels that the kernel puts into each new namespace are down."""
    return not any(each.up for each in inside.links if each.name != "lo")


_TASK = "com.docker.swarm.task.id"


def _unattached(each: Container, inside: ContainerNetns, networks: Networks) -> Finding | None:
    """A container that was disconnected from its last network; one of swarm is attached by swarm, which tells of it."""
    mode = each.host_config.network_mode
    if not mode or mode in ("none", "host") or ":" in mode or _TASK in each.labels or not _is_bare(inside):
        return None
    wanted = ("bridge", "podman") if mode in ("default", "bridge") else (mode,)
    network = next((one for one in networks if one.name in wanted or one.id == mode), None)
    if network is None:
        where = f"; {mode}, for which it was created, no longer exists"
        variables = {}
    else:
        where = f"; it was created for {network.name}"
        service = each.labels.get("com.docker.compose.service", "")
        named = service and network.name not in ("bridge", "podman")
        variables = {"home": network.name, "alias": service} if named else {"rejoin": network.name}
    return Finding(
        subject=each.subject,
        summary=f"{each.name} is attached to no network{where}",
        evidence={
            "NetworkSettings.Networks": {},
            "HostConfig.NetworkMode": mode,
            "interfaces inside": {one.name: one.operstate for one in inside.links},
        },
        variables={"container": each.name, **variables},
        settled=(each.life,),
        service=each.service,
    )


def _inner(inside: ContainerNetns, endpoint: NetworkEndpoint) -> Interface | None:
    return inside.link_with(endpoint.ip_address) or inside.link_with_mac(endpoint.mac_address)


def _no_way_out(inside: ContainerNetns, endpoint: NetworkEndpoint, network: Network, astray: str) -> str:
    """Whether the engine gave a gateway and no default route is left inside, or one that leads to nobody, in words."""
    if network.internal or "." not in endpoint.gateway or not network.bridge_has_address:
        return ""
    if not inside.has_default_route:
        return f"the default route inside, by {endpoint.gateway}, is gone"
    return (
        f"the default route inside leads to {astray}, which nobody has, and not to {endpoint.gateway}" if astray else ""
    )


def _led_astray(inside: ContainerNetns, network: Network, containers: Containers) -> str:
    """The address that the one default route inside leads to, if it is of this network and neither a gateway's nor a container's."""
    match [each.gateway for each in inside.routes if not each.prefix and each.family == "inet"]:
        case [str(address)] if address not in network.gateways:
            ends = [each.endpoints[network.name] for each in attached_to(network, containers)]
            known = any(address in (each.gateway, each.ip_address) for each in ends)
            beside = any(ipaddress.ip_address(address) in subnet for subnet in network.subnets)
            return address if beside and not known else ""
    return ""


def _cable(
    inside: ContainerNetns, endpoint: NetworkEndpoint, bridge: Interface, links: Interfaces
) -> tuple[str, Interface | None]:
    """What is wrong between a container's interface and its bridge, if anything, and the host's end."""
    inner = _inner(inside, endpoint)
    if inner is None:
        return f"no interface inside has its address {endpoint.ip_address}", None
    if inner.kind != "veth":
        return "", None
    peer = links.by_index.get(inner.link or 0)
    if peer is None or peer.kind != "veth" or peer.link != inner.index:
        return f"the host's end of {inner.name} is gone", None
    if not inner.up:
        return f"{inner.name} inside is switched off", peer
    if not peer.up:
        return f"the host's end {peer.name} is switched off", peer
    if peer.master != bridge.index:
        return f"the host's end {peer.name} is not attached to bridge {bridge.name}", peer
    if endpoint.ip_address not in {one.address for one in inside.addresses}:
        return f"{inner.name} has lost its address {endpoint.ip_address}", peer
    return "", peer


_OURS = re.compile(r"br-[0-9a-f]{12}")


@check("network.bridge-leaked", severity=Severity.advice)
def bridge_leaked(
    networks: Networks, links: Interfaces, processes: Processes | Unavailable, ping: Ping | Unavailable
) -> Iterable[Finding] | Skipped:
    """A bridge of the engine is left over from a network that no longer exists.

    Its subnet and its route stay taken. Seen on engine 20.10.24 after a network that could not be created. Only bridges with the
    engine's kind of name, without anything attached, and only where no second engine runs.
    """
    if isinstance(ping, Ping) and ping.is_podman:
        return Skipped("Podman names its bridges otherwise")
    if isinstance(processes, Processes) and sum(each.comm == "dockerd" for each in processes) > 1:
        return Skipped("a second engine runs on this host: which one owns the bridges cannot be told")
    known = {each.bridge for each in networks}
    return (
        Finding(
            subject=link.subject,
            summary=f"bridge {link.name} belongs to no network and keeps "
            + (", ".join(links.addresses_of(link)) or "no address"),
            evidence={
                f"link {link.name}": {"kind": link.kind, "operstate": link.operstate},
                f"addresses of {link.name}": list(links.addresses_of(link)),
                "bridges of networks": sorted(known),
            },
            variables={"bridge": link.name},
        )
        for link in links
        if link.kind == "bridge" and _OURS.fullmatch(link.name) and link.name not in known and not links.ports(link)
    )
