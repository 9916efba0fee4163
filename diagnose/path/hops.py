"""The hops of one connection through a host.

From the program that asks to the program that answers.

The way through the host itself is `firewall.trace`, which agrees with real packets. What lies
before and behind it, the container's namespace, its bridge and the listening socket, comes from
evidence. The walk ends at the first hop that is broken. A hop that is not known leaves the path
unknown, and the walk goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Literal, TypeVar

import msgspec

from diagnose.evidence.containers.inspect import NetworkEndpoint
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.listeners import Listeners
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.route_lookups import SOMEWHERE
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall.rules import Family
from diagnose.firewall.trace import (
    Flow,
    Obstacle,
    Origin,
    Stack,
    Stage,
    Trace,
    trace,
    trace_bridged,
)
from diagnose.model import HOST, Subject, Unavailable
from diagnose.path.ends import DEFAULT_PORT, End, PathTarget, owner_of, share_namespace
from diagnose.questions.network import ProbeReply

KINDS = (Containers, Networks, HostStack, Interfaces, Uplinks, Namespaces, Listeners)
"""The evidence that a path is walked through, in the order of `PathEvidence`'s fields."""

State = Literal["ok", "broken", "unknown"]
HopKind = Literal[
    "process", "name", "network", "namespace", "bridge", "filter", "forwarding", "translation",
    "route", "uplink", "listener", "answer", "packet"
]  # fmt: skip
_ANY = frozenset({"0.0.0.0", "::", "*", ""})  # noqa: S104 - what a socket says that takes every address
Kind = TypeVar("Kind")
_LEAVING = ("output", "forward", "postrouting")
NO_IPV4 = "has no IPv4 address there: its ways are not walked"


class PathEvidence(msgspec.Struct, frozen=True):
    """The host that a path leads through; a part is None where it could not be had."""

    containers: Containers
    networks: Networks | None
    host_stack: HostStack | None
    interfaces: Interfaces | None
    uplinks: Uplinks | None
    namespaces: Namespaces | None
    listeners: Listeners | None


class Hop(msgspec.Struct, frozen=True):
    """One hop.

    place: where it is, in a word or two. about: what it stands on, for the finding that
    explains it. hint: a command that mends or tells more, where the hop is broken and no
    finding is about it.
    """

    kind: HopKind
    place: str
    text: str
    state: State = "ok"
    about: tuple[Subject, ...] = ()
    hint: str = ""


class SentPacket(msgspec.Struct, frozen=True):
    """What became of the packet that `--probe` sends.

    verdict: "ok" it came through, "broken" it did not, None where it decides nothing. Where walk
    and packet disagree, the packet counts. reply None: nothing was sent. text: all of it in words.
    """

    text: str
    verdict: Literal["ok", "broken"] | None = None
    address: str = ""
    port: int = 0
    reply: ProbeReply | None = None

    @property
    def hop(self) -> Hop:
        return Hop("packet", "packet", self.text, self.verdict or "unknown")


class Path(msgspec.Struct, frozen=True):
    """All hops up to the first broken one. packet: what `--probe` saw, None without it."""

    begin: End
    target: PathTarget
    end: End
    hops: tuple[Hop, ...]
    packet: SentPacket | None = None

    @property
    def walk(self) -> State:
        """What the hops say. unknown: some hop could not be judged, and none is broken."""
        states = {hop.state for hop in self.hops}
        if "broken" in states:
            return "broken"
        return "unknown" if "unknown" in states or not self.hops else "ok"

    @property
    def state(self) -> State:
        """What the packet says; what the walk says where no packet decides.

        Who asks for a packet wants more than a walk: an open walk whose packet decides nothing is
        not known to be open.
        """
        if self.packet is None:
            return self.walk
        if self.packet.verdict is not None:
            return self.packet.verdict
        return "unknown" if self.walk == "ok" else self.walk

    @property
    def agrees(self) -> bool | None:
        """Whether walk and packet say the same; None where one of them decides nothing."""
        if self.packet is None or self.packet.verdict is None or self.walk == "unknown":
            return None
        return self.packet.verdict == self.walk

    @property
    def decisive(self) -> Hop | None:
        """The hop that breaks the path, or the first that leaves it unknown."""
        if self.state == "ok":
            return None
        hops = (*self.hops, self.packet.hop) if self.packet is not None else self.hops
        return next((hop for hop in hops if hop.state == self.state), None)

    @property
    def subjects(self) -> frozenset[Subject]:
        """All that the hops stand on."""
        return frozenset(subject for hop in self.hops for subject in hop.about)


def site(evidence: Mapping[type, object]) -> PathEvidence | Unavailable:
    """The host from collected evidence; Unavailable without the containers."""
    containers = evidence.get(Containers)
    if not isinstance(containers, Containers):
        if isinstance(containers, Unavailable):
            return containers
        return Unavailable("missing", "the list of containers")

    def known(kind: type[Kind]) -> Kind | None:
        found = evidence.get(kind)
        return found if isinstance(found, kind) else None

    return PathEvidence(
        containers,
        known(Networks),
        known(HostStack),
        known(Interfaces),
        known(Uplinks),
        known(Namespaces),
        known(Listeners),
    )


class _EndedError(Exception):
    """A hop is broken: the packet goes no further."""


class _Leg(msgspec.Struct, frozen=True):
    """Where the packets enter the host: by a bridge, by an uplink, or from the host itself ("").

    network: of a container.
    """

    device: str = ""
    address: str | None = None
    network: Network | None = None


class _PublishedPort(msgspec.Struct, frozen=True):
    """Who publishes a port of the host, and the port inside that it leads to."""

    container: Container
    port: int


class Walker:
    """One walk from end to end."""

    def __init__(self, host: PathEvidence, begin: End, wanted: PathTarget, end: End) -> None:
        self._site = host
        self._begin = begin
        self._end = end
        self._wanted = wanted
        self._hops: list[Hop] = []

    def path(self) -> Path:
        """The hops, up to the first that is broken."""
        with contextlib.suppress(_EndedError):
            self._walk()
        return Path(self._begin, self._wanted, self._end, tuple(self._hops))

    def _walk(self) -> None:
        begin, end = self._begin.container, self._end.container
        if begin is not None:
            self._runs(begin)
        if end is not None:
            self._runs(end)
        if share_namespace(begin, end):
            self._add(
                "namespace",
                "loopback",
                f"{self._begin} and {self._end} share one network namespace",
            )
            self._listens(end, self._wanted.port_of(end), "127.0.0.1")
            return
        leg = self._leave(begin, end)
        if self._site.host_stack is None:
            self._add(
                "filter", "host", "the host's packet filter and routes could not be read", "unknown"
            )
            return
        if end is not None and not end.shares_host_network:
            self._to_container(leg, end)
        elif self._end.kind == "outside":
            self._to_outside(leg)
        else:
            self._to_host(leg, end)

    # -- hops ----------------------------------------

    def _add(
        self,
        kind: HopKind,
        place: str,
        text: str,
        state: State = "ok",
        *about: Subject,
        hint: str = "",
    ) -> None:
        self._hops.append(Hop(kind, place, text, state, about, hint))
        if state == "broken":
            raise _EndedError

    def _runs(self, container: Container) -> None:
        place = f'container "{container.name}"'
        if container.is_running and container.state.status == "running":
            self._add("process", place, f"runs, pid {container.state.pid}", "ok", container.subject)
            return
        if container.state.status == "paused":
            command = f"docker unpause {container.name}"
            self._add(
                "process",
                place,
                "is paused: its processes do nothing",
                "broken",
                container.subject,
                hint=command,
            )
        ended = (
            f", exit code {container.state.exit_code}" if container.state.status == "exited" else ""
        )
        command = f"docker logs --tail 20 {container.name}"
        self._add(
            "process",
            place,
            f"does not run: {container.state.status}{ended}",
            "broken",
            container.subject,
            hint=command,
        )

    # -- out of the first end ----------------------------------------

    def _leave(self, begin: Container | None, end: Container | None) -> _Leg:
        """From the program that asks to where its packets meet the host."""
        if self._begin.kind == "outside":
            uplink = next(iter(self._site.uplinks or ()), None)
            if uplink is None:
                self._add("uplink", "uplink", "no interface of this host leads to others", "broken")
                raise AssertionError
            self._add(
                "uplink",
                uplink.name,
                "packets come in by it",
                "ok",
                Subject("interface", uplink.name),
            )
            return _Leg(uplink.name, self._begin.address or SOMEWHERE)
        if begin is None or begin.shares_host_network:
            return _Leg()
        owner = owner_of(self._site.containers, begin)
        if owner.host_config.network_mode == "none" or not owner.endpoints:
            hint = f"docker network connect NETWORK {owner.name}"
            self._add("network", "network", _no_network(owner), "broken", begin.subject, hint=hint)
        network = self._network_of(owner, end)
        endpoint = owner.endpoints[network.name]
        if not endpoint.ip_address:
            place = f'namespace of "{begin.name}"'
            self._add("namespace", place, NO_IPV4, "unknown", begin.subject)
            raise _EndedError
        leaves = self._leaves_subnet(network, end)
        self._inside(begin, endpoint, needs_route=leaves)
        self._at_bridge(network, endpoint.gateway if leaves else "")
        return _Leg(network.bridge, endpoint.ip_address, network)

    def _network_of(self, begin: Container, end: Container | None) -> Network:
        """The network by which packets leave.

        One that both ends are on, or else the one with the default route.
        """
        known = self._site.networks.by_name if self._site.networks is not None else {}
        mine = [known[name] for name in sorted(begin.endpoints) if name in known]
        if not mine:
            self._add("network", "network", "its networks could not be read", "unknown")
            raise _EndedError
        if end is not None and not end.shares_host_network:
            shared = [
                network
                for network in mine
                if network.name in owner_of(self._site.containers, end).endpoints
            ]
            if shared:
                self._name(end, shared[0])
                return shared[0]
            self._without_common_network(begin, end)
        leading = [network for network in mine if not network.internal]
        if not leading:
            text = (
                f'its only network "{mine[0].name}" is internal: '
                "nothing leads out of it, on purpose"
            )
            self._add("network", f'network "{mine[0].name}"', text, "broken", mine[0].subject)
        return max(leading, key=lambda network: begin.endpoints[network.name].gw_priority)

    def _without_common_network(self, begin: Container, end: Container) -> None:
        """Containers on different networks are kept apart by the engine, unless the port is
        published."""
        others = sorted(owner_of(self._site.containers, end).endpoints)
        if not others:
            self._add("network", f'container "{end.name}"', _no_network(end), "broken", end.subject)
        text = (
            f'no network in common: "{begin.name}" is on {_listed(begin.endpoints)}, '
            f'"{end.name}" is on {_listed(others)}'
        )
        hint = f"docker network connect {others[0]} {begin.name}"
        self._add("network", "network", text, "broken", begin.subject, end.subject, hint=hint)

    def _name(self, end: Container, network: Network) -> None:
        """Whether the name that was typed leads to the other container from here."""
        called = self._end.called
        if self._end.address is not None:
            return
        endpoint = owner_of(self._site.containers, end).endpoints[network.name]
        if network.name == "bridge":
            text = (
                'containers on network "bridge" have no names for each other: '
                f"use {endpoint.ip_address}, or a network of your own"
            )
            self._add("name", "name", text, "ok", network.subject)
        elif called in end.dns_names or called in (endpoint.dns_names or ()):
            self._add(
                "name",
                "name",
                f'"{called}" is {endpoint.ip_address} on network "{network.name}"',
                "ok",
                network.subject,
            )

    def _leaves_subnet(self, network: Network, end: Container | None) -> bool:
        return end is None or network.name not in owner_of(self._site.containers, end).endpoints

    def _inside(
        self, container: Container, endpoint: NetworkEndpoint, *, needs_route: bool
    ) -> None:
        """The container's end.

        Its interface, its address, and its default route where packets leave the subnet.
        """
        place = f'namespace of "{container.name}"'
        netns = self._netns(container)
        if netns is None:
            self._add("namespace", place, "could not be looked into", "unknown", container.subject)
            return
        link = netns.link_with(endpoint.ip_address)
        hint = f"docker restart {container.name}"
        if link is None:
            text = f"no interface has the address {endpoint.ip_address}"
            self._add("namespace", place, text, "broken", container.subject, hint=hint)
            return
        if not link.up:
            self._add(
                "namespace", place, f"{link.name} is down", "broken", container.subject, hint=hint
            )
        trouble = self._route_trouble(container, netns) if needs_route else ""
        if trouble:
            self._add("namespace", place, trouble, "broken", container.subject, hint=hint)
        self._port_of_bridge(container, link.link)
        self._add(
            "namespace",
            place,
            f"{link.name} is up with {endpoint.ip_address}",
            "ok",
            container.subject,
        )

    def _route_trouble(self, container: Container, netns: ContainerNetns) -> str:
        """What keeps packets from leaving the container's subnets.

        Empty where a route leads to a gateway that somebody is.
        """
        if not netns.has_default_route:
            return "has no default route: nothing leaves its subnet"
        known = {
            endpoint.gateway
            for endpoint in owner_of(self._site.containers, container).endpoints.values()
        } - {""}
        others = {
            endpoint.ip_address
            for other in self._site.containers
            for endpoint in other.endpoints.values()
        }
        gateways = [
            route.gateway
            for route in netns.routes
            if not route.prefix and route.family == "inet" and route.gateway
        ]
        if known and gateways and not known & set(gateways) and not others & set(gateways):
            return (
                f"its default route leads to {gateways[0]}, which nobody is: "
                f"the gateway is {min(known)}"
            )
        return ""

    def _netns(self, container: Container) -> ContainerNetns | None:
        seen = self._site.namespaces
        if seen is None:
            return None
        # one that joined another container's network may still live in that of its former run
        return seen.of(container) or seen.of(owner_of(self._site.containers, container))

    def _port_of_bridge(self, container: Container, peer: int | None) -> None:
        """The host's end of the pair: it has to be up, and on a bridge."""
        interfaces = self._site.interfaces
        veth = (
            interfaces.by_index.get(peer) if interfaces is not None and peer is not None else None
        )
        if veth is None:
            return
        hint = f"docker restart {container.name}"
        if not veth.up:
            self._add(
                "bridge",
                veth.name,
                "the host's end of the pair is down",
                "broken",
                container.subject,
                veth.subject,
                hint=hint,
            )
        if veth.master is None:
            text = "the host's end of the pair is on no bridge"
            self._add(
                "bridge", veth.name, text, "broken", container.subject, veth.subject, hint=hint
            )

    def _at_bridge(self, network: Network, gateway: str = "") -> None:
        """The network's bridge.

        gateway: the address that it has to have, where packets leave the subnet.
        """
        place = f'network "{network.name}"'
        about = (network.subject, Subject("interface", network.bridge))
        if not network.is_bridge:
            self._add(
                "bridge",
                place,
                f"its driver is {network.driver}, whose ways are not walked",
                "unknown",
                *about,
            )
            raise _EndedError
        interfaces = self._site.interfaces
        bridge = (
            interfaces.bridge(network.bridge, network.gateways) if interfaces is not None else None
        )
        if interfaces is None:
            self._add(
                "bridge",
                place,
                f"bridge {network.bridge} could not be looked at",
                "unknown",
                *about,
            )
        elif bridge is None:
            self._add("bridge", place, f"bridge {network.bridge} is gone", "broken", *about)
        elif not bridge.up:
            hint = f"ip link set {bridge.name} up"
            self._add("bridge", place, f"bridge {bridge.name} is down", "broken", *about, hint=hint)
        elif (
            gateway
            and network.bridge_has_address
            and gateway not in interfaces.addresses_of(bridge)
        ):
            text = f"bridge {bridge.name} does not have the address of the gateway {gateway}"
            self._add("bridge", place, text, "broken", *about)
        else:
            self._add("bridge", place, f"bridge {bridge.name} is up", "ok", *about)

    # -- through the host ----------------------------------------

    def _to_container(self, leg: _Leg, end: Container) -> None:
        owner = owner_of(self._site.containers, end)
        port = self._wanted.port_of(end)
        if self._begin.kind == "outside":
            self._to_published(leg, end, port)
            return
        name = (
            leg.network.name if leg.network is not None else next(iter(sorted(owner.endpoints)), "")
        )
        known = self._site.networks.by_name if self._site.networks is not None else {}
        endpoint, network = owner.endpoints.get(name), known.get(name)
        if endpoint is None or network is None:
            self._add("network", f'container "{end.name}"', _no_network(end), "broken", end.subject)
            return
        if not endpoint.ip_address:
            place = f'container "{end.name}"'
            self._add("namespace", place, NO_IPV4, "unknown", end.subject)
            return
        is_bridged = leg.network is not None
        if not is_bridged:
            self._at_bridge(network)
        flow = Flow(Origin(leg.device, leg.address), endpoint.ip_address, self._wanted.proto, port)
        traced = trace_bridged(self._stack, flow) if is_bridged else trace(self._stack, flow)
        if not is_bridged:
            self._sent_to(traced, network, endpoint.ip_address)
        self._traced(traced, network.subject)
        if (
            end.id != owner.id
            or leg.network is None
            or owner.id != (self._begin.container or end).id
        ):
            self._inside(end, endpoint, needs_route=False)
        self._listens(end, port, endpoint.ip_address)

    def _to_published(self, leg: _Leg, end: Container, port: int) -> None:
        """From beyond the host only a published port leads to a container."""
        for inner, binding in end.published_ports:
            number, _, proto = inner.partition("/")
            if proto == self._wanted.proto and str(port) in (number, binding.host_port):
                if binding.host_ip not in _ANY:
                    address = binding.host_ip
                else:
                    address = self._stack.address_on(leg.device, "ip") or ""
                text = f"{binding.host_ip or '0.0.0.0'}:{binding.host_port} leads to port {inner}"  # noqa: S104 - in words
                self._add("listener", f'container "{end.name}"', text, "ok", end.subject)
                if binding.host_ip and ip_address(binding.host_ip).is_loopback:
                    text = (
                        f"port {binding.host_port} is published on {binding.host_ip} only: "
                        "nobody beyond the host reaches it"
                    )
                    self._add("listener", "published port", text, "broken", end.subject)
                self._by_host_port(leg, end, address, int(binding.host_port), int(number))
                return
        shown = (
            ", ".join(f"{binding.host_port} -> {inner}" for inner, binding in end.published_ports)
            or "none"
        )
        text = f"port {port}/{self._wanted.proto} is not published (published: {shown})"
        self._add("listener", f'container "{end.name}"', text, "broken", end.subject)

    def _by_host_port(
        self, leg: _Leg, end: Container, address: str, host_port: int, port: int
    ) -> None:
        """A published port: translated to the container, or taken by the engine's proxy."""
        flow = Flow(
            Origin(leg.device, leg.address),
            address,
            self._wanted.proto,
            host_port,
            _family(address),
            assumed=leg.device,
        )
        traced = trace(self._stack, flow)
        inner = traced.nat.address if traced.nat is not None else None
        for network in self._site.networks or ():
            if (
                inner
                and network.name in end.endpoints
                and end.endpoints[network.name].ip_address == inner
            ):
                self._sent_to(traced, network, inner)
        self._traced(traced, end.subject)
        if traced.nat is None:
            self._proxied(end, address, host_port)
        self._listens(end, port, traced.nat.address if traced.nat and traced.nat.address else "")

    def _proxied(self, end: Container, address: str, port: int) -> None:
        """Without a translation the engine's proxy takes the connection, or nobody."""
        listeners = self._site.listeners
        holders = listeners.on(self._wanted.proto, address, port) if listeners is not None else ()
        proxy = next((holder for holder in holders if holder.comm == "docker-proxy"), None)
        if proxy is not None:
            self._add(
                "translation",
                "docker-proxy",
                f"no rule translates port {port}: docker-proxy passes it on",
            )
        elif listeners is not None:
            text = f"no rule translates port {port} to the container, and no proxy listens on it"
            self._add("translation", "PREROUTING", text, "broken", end.subject, HOST)

    def _to_host(self, leg: _Leg, end: Container | None) -> None:
        port = self._wanted.port_of(end)
        address = self._host_address(leg)
        publisher = self._publisher(port) if end is None else None
        if publisher is not None:
            text = f'is published by container "{publisher.container.name}"'
            self._add(
                "listener", f"port {port} of the host", text, "ok", publisher.container.subject
            )
            self._runs(publisher.container)
            self._by_host_port(leg, publisher.container, address, port, publisher.port)
            return
        flow = Flow(
            Origin(leg.device, leg.address), address, self._wanted.proto, port, _family(address)
        )
        self._traced(trace(self._stack, flow))
        self._host_listens(address, port)

    def _host_address(self, leg: _Leg) -> str:
        """The host's address as this end calls it.

        The one that was typed, else the gateway, the uplink's, or the loopback.
        """
        if self._end.address is not None:
            return self._end.address
        if leg.network is not None:
            return (
                next(iter(leg.network.gateways), "")
                or self._stack.address_on(leg.device, "ip")
                or ""
            )
        if leg.device:
            return self._stack.address_on(leg.device, "ip") or ""
        return "127.0.0.1"

    def _publisher(self, port: int) -> _PublishedPort | None:
        """The running container that publishes this port of the host."""
        for container in self._site.containers.running:
            for inner, binding in container.published_ports:
                number, _, proto = inner.partition("/")
                if proto == self._wanted.proto and binding.host_port == str(port):
                    return _PublishedPort(container, int(number))
        return None

    def _to_outside(self, leg: _Leg) -> None:
        address = self._end.address or SOMEWHERE
        if self._end.address is None and self._end.called != "internet":
            self._add(
                "name",
                "name",
                f'"{self._end.called}" is not looked up; an address anywhere stands for it',
            )
        flow = Flow(
            Origin(leg.device, leg.address),
            address,
            self._wanted.proto,
            self._wanted.port or DEFAULT_PORT,
            _family(address),
        )
        traced = trace(self._stack, flow)
        about = (leg.network.subject,) if leg.network is not None else ()
        self._translated(traced, leg)
        self._traced(traced, *about)
        uplink = traced.to or ""
        text = f"the packet leaves by {uplink}; what lies beyond is not seen from here"
        self._add("uplink", uplink, text, "ok", Subject("interface", uplink))

    def _translated(self, traced: Trace, leg: _Leg) -> None:
        """The source of what leaves is to become the host's.

        No answer finds its way to an address that only this host knows.
        """
        obstacle = traced.obstacle
        if (
            leg.network is None
            or not leg.network.masquerades
            or traced.snat is not None
            or traced.nat_unknown
        ):
            return
        if obstacle is not None and obstacle.part == "reply" and traced.is_blocked:
            text = f"no rule translates the source {leg.address}: no answer finds its way back"
            self._add("translation", "POSTROUTING", text, "broken", leg.network.subject, HOST)

    def _sent_to(self, traced: Trace, network: Network, address: str) -> None:
        """Packets for a container have to leave by the bridge of its network.

        A route may lead elsewhere.
        """
        leaving = [
            stage.verdict.packet.oif
            for stage in traced.stages
            if stage.part == "request" and stage.hook in _LEAVING
        ]
        oif = next((device for device in reversed(leaving) if device), "")
        if oif and oif != network.bridge and network.is_bridge:
            text = f"packets for {address} are sent to {oif}, not to bridge {network.bridge}"
            self._add(
                "route",
                "route",
                text,
                "broken",
                network.subject,
                Subject("interface", network.bridge),
            )

    @property
    def _stack(self) -> Stack:
        assert self._site.host_stack is not None
        return self._site.host_stack.stack

    def _traced(self, traced: Trace, *about: Subject) -> None:
        """The hooks that decided something, and the translations.

        Then what stops the packet or its answer.
        """
        shown: set[str] = set()
        for stage in traced.stages:
            if traced.obstacle is not None and stage.verdict.by == traced.obstacle.by:
                break
            if stage.part == "request":
                for hop in _of_stage(stage, (HOST, *about)):
                    if hop.text not in shown:
                        shown.add(hop.text)
                        self._hops.append(hop)
        if traced.obstacle is not None:
            self._obstacle(
                traced.obstacle, "broken" if traced.is_blocked else "unknown", (HOST, *about)
            )
        else:
            self._add("answer", "answer", "answers find their way back", "ok", HOST, *about)

    def _obstacle(self, obstacle: Obstacle, state: State, about: tuple[Subject, ...]) -> None:
        kinds: dict[str, HopKind] = {"rule": "filter", "route": "route", "forwarding": "forwarding"}
        kind = kinds.get(obstacle.reason, "answer" if obstacle.part == "reply" else "route")
        whose = "the answer" if obstacle.part == "reply" else "the packet"
        words = str(obstacle.by).removeprefix("routing ").removeprefix(": ")
        verb = "is stopped" if state == "broken" else "may be stopped"
        self._add(kind, obstacle.hook.upper(), f"{whose} {verb}: {words}", state, *about)

    # -- at the other end ----------------------------------------

    def _listens(self, end: Container | None, port: int, address: str) -> None:
        """The socket inside the container."""
        assert end is not None
        if end.shares_host_network:
            self._host_listens(address, port)
            return
        place = f'namespace of "{end.name}"'
        netns = self._netns(end)
        if netns is None:
            self._add(
                "listener",
                place,
                f"whether something listens on port {port} is not known",
                "unknown",
                end.subject,
            )
            return
        sockets = netns.sockets(self._wanted.proto, port)
        reached = [
            socket
            for socket in sockets
            if socket.address in _ANY or address in ("", socket.address, "127.0.0.1")
        ]
        if reached:
            self._add(
                "listener",
                place,
                f"listens on {_at(reached[0].address, port)}/{self._wanted.proto}",
                "ok",
                end.subject,
            )
        elif sockets:
            text = (
                f"listens on {_at(sockets[0].address, port)} only: "
                "nobody outside the container reaches it"
            )
            self._add("listener", place, text, "broken", end.subject)
        else:
            others = sorted(
                {socket.port for socket in netns.listeners if socket.protocol == self._wanted.proto}
            )
            heard = "it listens on no port"
            if others:
                heard = f"it listens on {', '.join(map(str, others[:6]))}"
            text = f"nothing listens on port {port}/{self._wanted.proto}: {heard}"
            self._add(
                "listener",
                place,
                text,
                "broken",
                end.subject,
                hint=f"docker logs --tail 20 {end.name}",
            )

    def _host_listens(self, address: str, port: int) -> None:
        listeners = self._site.listeners
        if listeners is None:
            self._add(
                "listener",
                "host",
                f"whether something listens on port {port} is not known",
                "unknown",
            )
            return
        holders = listeners.on(self._wanted.proto, address, port)
        if holders:
            self._add(
                "listener",
                "host",
                f"{holders[0].holder} listens on {_at(holders[0].address, port)}",
            )
            return
        text = f"nothing on the host listens on {_at(address, port)}/{self._wanted.proto}"
        elsewhere = [
            each
            for each in listeners
            if each.port == port and each.proto.startswith(self._wanted.proto)
        ]
        if elsewhere:
            text += f" ({elsewhere[0].holder} listens on {elsewhere[0].address} only)"
        self._add("listener", "host", text, "broken", HOST, hint=f"ss -lntup 'sport = :{port}'")


def _of_stage(stage: Stage, about: tuple[Subject, ...]) -> Iterator[Hop]:
    """What one hook did: a translation, or the rule that let the packet pass."""
    verdict, hook = stage.verdict, stage.hook.upper()
    if verdict.nat is not None:
        side = "destination" if verdict.nat.kind in ("dnat", "redirect") else "source"
        changed = (
            verdict.nat.address or verdict.packet.src if side == "source" else verdict.nat.address
        )
        port = f":{verdict.nat.port}" if verdict.nat.port else ""
        rule = f" ({verdict.by})" if verdict.by is not None else ""
        yield Hop(
            "translation", hook, f"{side} becomes {changed or 'the host'}{port}{rule}", about=about
        )
    elif stage.hook in ("forward", "input", "output") and verdict.by is not None:
        is_policy = verdict.by.rule.startswith("policy")
        yield Hop(
            "filter",
            hook,
            "passes: no rule stops it" if is_policy else f"passes: {verdict.by}",
            about=about,
        )


def _family(address: str) -> Family:
    return "ip6" if ":" in address else "ip"


def _no_network(container: Container) -> str:
    if container.host_config.network_mode == "none":
        return "has no network (network mode none)"
    return "is on no network"


def _at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "none"
