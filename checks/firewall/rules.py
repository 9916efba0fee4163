"""The engine's own rules.

The chains, the translation of addresses on the way out, the published ports on the way in.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from checks.firewall import cures
from checks.firewall.helpers import (
    base,
    few,
    has_proxy,
    iptables_off,
    iptables_off_evidence,
    is_lost,
    left_alone,
    port_list,
    repair_of,
    subjects_of,
    unsure,
)
from checks.firewall.switched_off import switched_off
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_paths import HostPaths
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.lost_rules import LostRules
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.packet_filter import Firewall
from diagnose.evidence.network.packet_paths import Egress, Ingress, PacketPaths
from diagnose.evidence.network.resolver_paths import ResolverPath, ResolverPaths
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Unavailable, Unexamined
from diagnose.phrases import counted, named, sentence
from diagnose.registry import check


@check("firewall.chains-missing", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def chains_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    lost_rules: LostRules | None,
) -> CheckResult:
    """Docker's rules are gone from the packet filter, or nothing leads to them.

    Flushed by another tool after the engine wrote them. Seen on engines 20.10.24, 26.1.5 and
    28.5.2: `iptables -F` leaves FORWARD's policy, DROP where the engine set it; SIGHUP does not
    bring the rules back, a restart does.
    """
    alone = left_alone(config)
    if alone:
        return Skipped(alone)
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    if firewall.hides_docker and not firewall.docker_tables:
        return Unavailable("refused", f"the tables of {firewall.hides_docker} could not be read")
    yield from unsure(packet_paths)
    loss = _loss(firewall, packet_paths)
    if loss.is_real:
        yield _chains_missing(
            firewall, packet_paths, loss, config, repair_of(lost_rules, "firewall.chains-missing")
        )
    return None


class _RuleLoss(msgspec.Struct, frozen=True, dict=True):
    """What is gone.

    bare: networks whose bridge no rule names. fallen: ways out that no rule takes. no_ports:
    nothing leads to the published ports. emptied: which chain of published ports lost its
    rules, in words.
    """

    bare: tuple[Network, ...]
    fallen: tuple[Egress, ...]
    no_ports: bool
    emptied: str

    @property
    def is_real(self) -> bool:
        return bool(self.bare or self.fallen or self.no_ports or self.emptied)

    @functools.cached_property
    def networks(self) -> dict[str, Network]:
        """The networks whose traffic no rule takes, by name."""
        return {
            network.name: network for network in (*self.bare, *(way.network for way in self.fallen))
        }

    def takes(self, way: Egress) -> bool:
        """Whether the translation of a container's own packets may be gone with what was lost."""
        return self.no_ports or way.network.name in self.networks


def _loss(firewall: Firewall, paths: PacketPaths) -> _RuleLoss:
    bare = tuple(
        network for network in paths.networks.values() if not firewall.names_bridge(network.bridge)
    )
    fallen = tuple(way for way in paths.outlets if is_lost(firewall, way.reach))
    no_ports = bool(paths.inlets) and not firewall.translates_ports
    emptied = "" if no_ports or bare else _emptied(firewall, paths)
    return _RuleLoss(bare, fallen, no_ports, emptied)


def is_flushed(firewall: Firewall, paths: PacketPaths) -> bool:
    """Whether nothing of Docker's is left on the way of any network.

    What stands there now is somebody else's own file.
    """
    return bool(paths.networks) and all(
        not firewall.names_bridge(net.bridge) for net in paths.networks.values()
    )


def _chains_missing(
    firewall: Firewall,
    paths: PacketPaths,
    loss: _RuleLoss,
    config: DaemonConfig | None,
    repair: dict[str, str],
) -> Finding:
    cut = [
        way for way in paths.outlets if way.reach.is_blocked and way.network.name in loss.networks
    ]
    hidden = [way for way in paths.outlets if _is_unmasked(way) and loss.takes(way)]
    ports = [inlet for inlet in paths.inlets if _is_shut(inlet, loss)]
    served = has_proxy(config) and all(_is_served(inlet) for inlet in ports)
    names = sorted({way.container.name for way in [*cut, *hidden]})
    harm = _harm(names, ports, served=served)
    touched = (loss.networks or paths.networks).values()
    is_outage = bool(names) or (bool(ports) and not served)
    return Finding(
        subject=HOST,
        summary=f"Docker's rules are gone: {', '.join(_places(loss))}; {harm}",
        evidence=base(firewall, "forward")
        | base(firewall, "prerouting")
        | {"bridges without rules": [network.bridge for network in loss.bare]}
        | {f"{way.container.name} sends": str(way.reach.by) for way in cut[:1]},
        variables=repair,
        severity=None if is_outage else Severity.warning,
        touches=subjects_of(touched) + tuple(inlet.container.subject for inlet in ports),
        signs=NO_WAY_OUT | {"iptables"},
    )


def _is_shut(inlet: Ingress, loss: _RuleLoss) -> bool:
    if loss.no_ports or loss.emptied:
        return True
    return inlet.reach.is_blocked and inlet.network.name in loss.networks


def _harm(names: Sequence[str], ports: Sequence[Ingress], *, served: bool) -> str:
    """What the loss means for containers and published ports."""
    parts = [f"{counted('container', names)} cannot reach the outside"] if names else []
    if ports and served:
        parts.append(f"only docker-proxy still serves published {port_list(ports)}")
    elif ports:
        parts.append(f"published {port_list(ports)} not forwarded")
    return "; ".join(parts) or "networks are not kept apart"


def _places(loss: _RuleLoss) -> list[str]:
    """Where rules are missing, in words."""
    if loss.bare:
        places = [f"FORWARD has no rules for {few(network.bridge for network in loss.bare)}"]
    else:
        places = []
    bare = {network.name for network in loss.bare}
    for part, what in (
        ("request", "no rule lets out what comes from"),
        ("reply", "no rule lets the answers back to"),
    ):
        bridges = {
            way.network.bridge
            for way in loss.fallen
            if way.reach.part == part and way.network.name not in bare
        }
        if bridges:
            places.append(f"{what} {few(bridges)}")
    if loss.no_ports:
        places.append("PREROUTING does not lead to the published ports")
    return [*places, loss.emptied] if loss.emptied else places


_SEVERAL = 2
"""Of fewer published ports none is left by chance: firewall.dnat-missing is about a single one."""


def _emptied(firewall: Firewall, paths: PacketPaths) -> str:
    """Which of Docker's chains of published ports has lost all that was in it, in words."""
    inlets = paths.inlets
    if len(inlets) < _SEVERAL or paths.unwalked:
        return ""
    if all(
        inlet.reach.nat is None and not inlet.reach.nat_unknown and _is_served(inlet)
        for inlet in inlets
    ):
        return "none of the published ports has a rule in nat"
    if all(
        inlet.reach.nat and inlet.reach.hook == "forward" and is_lost(firewall, inlet.reach)
        for inlet in inlets
    ):
        return "no rule lets in what is sent to the published ports"
    return ""


def _is_served(inlet: Ingress) -> bool:
    """Whether a client gets to a process of the host at a published port, such as docker-proxy."""
    return inlet.reach.nat is None and inlet.reach.outcome == "accept"


def _is_unmasked(way: Egress) -> bool:
    """Whether packets certainly leave with the container's address, which the engine is to hide."""
    sample = way.sample
    return (
        way.network.masquerades
        and sample.outcome == "accept"
        and sample.nat is None
        and not sample.nat_unknown
    )


@check(
    "firewall.masquerade-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"]
)
def masquerade_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    interfaces: Interfaces | None,
    lost_rules: LostRules | None,
    lookups: Lookups | None,
    resolver_paths: ResolverPaths | None,
    namespaces: Namespaces | None,
) -> CheckResult:
    """A network's packets leave the host from addresses that nobody can answer.

    Their packets leave, no answer finds the way back: they are not translated, or a rule gives them
    an address of the uplink's subnet that the host has no more. Seen on engines 20.10.24, 26.1.5
    and 28.5.2. An engine that is configured to write no rules may have its networks routed by
    others: it is judged only where containers get no answer from any DNS server.
    """
    alone = left_alone(config)
    silent = _silent_networks(lookups) if alone else frozenset()
    gone = _nat_gone(firewall, packet_paths)
    if alone and not silent:
        return Skipped(alone)
    if gone and not alone:
        return Skipped(gone)
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    every = (*packet_paths.outlets, *packet_paths.outlets6)
    # an engine that writes no rules turns the network's own setting off
    ways = [
        way for way in every if (way.network.name in silent if alone else way.network.masquerades)
    ]
    unhidden = [way for way in every if way.is_guarded and not way.network.masquerades]
    if not ways and not unhidden:
        return Skipped(
            "no running container is on a network whose addresses the engine should hide"
        )
    yield from switched_off(unhidden, namespaces)
    yield from _undecided(ways)
    repair = {} if alone else repair_of(lost_rules, "firewall.masquerade-missing")
    unanswerable = _unanswerable(ways, interfaces)
    for members in unanswerable.values():
        yield _unmasqueraded(members, repair, config if alone else None)
    hidden_nowhere = {name for name, _ in unanswerable}
    for path in _untranslated_queries(resolver_paths, lookups):
        if path.network.name not in hidden_nowhere:
            yield _query_unmasqueraded(path)
    return None


def _untranslated_queries(
    resolver_paths: ResolverPaths | None, lookups: Lookups | None
) -> Iterator[ResolverPath]:
    """One query of each network and server that leaves with a container's own address.

    Only where the server stays silent.
    """
    paths = lookups.ways if lookups is not None else ()
    silent = {
        (name, path.server) for path in paths if path.fails and path.asked for name in path.networks
    }
    seen = set()
    for path in resolver_paths.untranslated if resolver_paths is not None else ():
        key = (path.network.name, path.server)
        if key in silent and key not in seen and ":" not in path.server:
            seen.add(key)
            yield path


def _query_unmasqueraded(path: ResolverPath) -> Finding:
    network = path.network
    subnet = next((str(subnet) for subnet in network.subnets if subnet.version == 4), "")
    return Finding(
        subject=network.subject,
        summary=f"{named('network', [network.name])}: queries to DNS server {path.server} leave by "
        f"{path.device} with source"
        f" {subnet}, so that no answer comes back; other packets are translated",
        evidence={
            "nat POSTROUTING": f"no translation of {subnet} on the way to {path.server}",
            "container": path.container.name,
            "interface": path.device,
        },
        variables={"network": network.name, "bridge": network.bridge, "subnet": subnet},
        discriminator=path.server,
        touches=(*subjects_of([network]), path.container.subject),
        signs=NO_WAY_OUT | {"dns"},
    )


def _undecided(ways: Iterable[Egress]) -> Iterator[Unexamined]:
    """The containers whose translation depends on something that is not known.

    Where no route leads out no packet reaches the translation: other checks judge that.
    """
    for way in ways:
        reaches_nat = not (way.sample.nat_unknown and way.sample.by is None)
        if reaches_nat and (way.sample.nat_unknown or way.sample.outcome == "unknown"):
            yield Unexamined(way.container.subject, f"its translation depends on {way.sample.by}")


def _unanswerable(
    ways: Iterable[Egress], interfaces: Interfaces | None
) -> dict[tuple[str, str], list[Egress]]:
    """The ways out whose source address nobody can answer, grouped by network and IP version."""
    groups: dict[tuple[str, str], list[Egress]] = defaultdict(list)
    for way in ways:
        is_decided = not way.sample.nat_unknown and way.sample.outcome != "unknown"
        if is_decided and (_leaves_untranslated(way) or _is_foreign(way, interfaces)):
            groups[way.network.name, way.family].append(way)
    return groups


def _silent_networks(lookups: Lookups | None) -> frozenset[str]:
    """The networks from which no DNS server has answered any container that asked."""
    paths = (*lookups.ways, *lookups.probes) if lookups is not None else ()
    answered = {name for path in paths if not path.fails for name in path.networks}
    return frozenset(name for path in paths if path.asked for name in path.networks) - answered


def _nat_gone(firewall: Firewall, paths: PacketPaths) -> str:
    if paths.inlets and not firewall.translates_ports:
        return "all of Docker's translation rules are gone: firewall.chains-missing"
    return ""


def _leaves_untranslated(way: Egress) -> bool:
    """By IPv6, global addresses may be routed to this host.

    Only local ones (fc00::/7) certainly get no answer.
    """
    if way.family == "ip6" and not way.address.lower().startswith(("fc", "fd")):
        return False
    if way.uplink.name == way.network.bridge:
        return False  # the host's route leads back to the bridge: network.interface-taken
    return way.sample.outcome == "accept" and way.sample.nat is None and not way.sample.nat_unknown


def _is_foreign(way: Egress, interfaces: Interfaces | None) -> bool:
    """Whether the source address after SNAT is in the uplink's subnet and not this host's.

    Neighbours cannot resolve such an address by ARP. An address of another subnet may be routed
    here.
    """
    nat = way.sample.nat
    if (
        way.sample.outcome != "accept"
        or nat is None
        or nat.kind != "snat"
        or not nat.address
        or interfaces is None
    ):
        return False
    return interfaces.is_on_link(nat.address, way.uplink.name) and not interfaces.holds(nat.address)


def _unmasqueraded(
    ways: Sequence[Egress], repair: dict[str, str], config: DaemonConfig | None
) -> Finding:
    first = ways[0]
    network, nat = first.network, first.sample.nat
    version = 6 if first.family == "ip6" else 4
    subnets = [str(subnet) for subnet in network.subnets if subnet.version == version]
    source = f"{nat.address}, which this host does not have" if nat else ", ".join(subnets)
    names = [way.container.name for way in ways]
    by_ipv6 = " by IPv6" if version == 6 else ""
    summary = (
        f"{named('network', [network.name])}: packets of {counted('container', names)} "
        f"leave{by_ipv6} with source {source}, so that no answer comes back"
    )
    return Finding(
        subject=network.subject,
        summary=sentence(summary, iptables_off(config)),
        evidence={
            "nat POSTROUTING": str(
                nat or f"no translation of {', '.join(subnets)} on the way to {first.uplink.name}"
            ),
            "IPAM.Config.Subnet": ", ".join(subnets),
            "container": first.container.name,
            "address": first.address,
            **iptables_off_evidence(config),
        },
        variables=_remedies(network, subnets[0] if subnets else "", repair, version),
        discriminator="ipv6" if version == 6 else "",
        severity=Severity.warning if version == 6 and any(_has_ipv4(way) for way in ways) else None,
        touches=subjects_of([network]),
        signs=NO_WAY_OUT,
    )


def _remedies(
    network: Network, subnet: str, repair: dict[str, str], version: int
) -> dict[str, str]:
    """The variables of the page, whose remedies for IPv6 are others."""
    if version == 6:
        found = {"subnet6": subnet} if subnet else {"subnet": ""}
        return {"network": network.name, "bridge6": network.bridge, **found}
    return {"network": network.name, "bridge": network.bridge, "subnet": subnet, **repair}


def _has_ipv4(way: Egress) -> bool:
    return any(endpoint.ip_address for endpoint in way.container.endpoints.values())


@check("firewall.dnat-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def dnat_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    lost_rules: LostRules | None,
    host_paths: HostPaths | None,
) -> CheckResult:
    """A published port has no rule that leads to its container.

    Where docker-proxy listens, it still serves the port, and the container sees the bridge's
    address for every client: seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = left_alone(config) or _nat_gone(firewall, packet_paths)
    if why_not:
        return Skipped(why_not)
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    if not packet_paths.inlets:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    for subject in packet_paths.unwalked:
        yield Unexamined(subject, "more published ports than are walked")
    repair = repair_of(lost_rules, "firewall.dnat-missing")
    for inlet in packet_paths.inlets:
        problem = _misled(firewall, inlet)
        if problem:
            yield _untranslated(inlet, problem, repair, has_proxy(config) and _is_served(inlet))
        elif inlet.reach.nat_unknown:
            yield Unexamined(
                inlet.container.subject, f"its translation depends on {inlet.reach.by}"
            )
    if not has_proxy(config) and host_paths is not None:
        yield from _unreachable_from_host(packet_paths, host_paths, repair)
    return None


def _unreachable_from_host(
    paths: PacketPaths, host_paths: HostPaths, repair: dict[str, str]
) -> CheckResult:
    """Published ports that are translated for others and not for the host itself.

    No docker-proxy takes the connection either.
    """
    translated = {
        (inlet.container.id, inlet.host_port)
        for inlet in paths.inlets
        if inlet.reach.nat is not None
    }
    lost = [
        path
        for path in host_paths.published
        if (path.container.id, path.port) in translated
        and path.trace.nat is None
        and not path.trace.nat_unknown
    ]
    if lost:
        first = lost[0]
        yield Finding(
            subject=HOST,
            summary=f"this host itself cannot reach published port {first.port} of"
            f" {counted('container', [path.container.name for path in lost])}: nat OUTPUT does not "
            "lead to Docker's rules",
            evidence={
                "this host to": f"{first.address}:{first.port}",
                "translation": None,
                "userland-proxy": False,
            },
            variables={"container": first.container.name, "host_port": str(first.port), **repair},
            discriminator="from this host",
            severity=Severity.warning,
            touches=subjects_of([path.network for path in lost]),
        )
    return None


def _untranslated(inlet: Ingress, problem: str, repair: dict[str, str], served: bool) -> Finding:
    led_off = inlet.reach.nat is not None and inlet.reach.nat.kind == "redirect"
    led_by = inlet.led_by
    proxy = "only docker-proxy serves the port, and hides the clients' addresses" if served else ""
    return Finding(
        subject=inlet.container.subject,
        summary=sentence(
            f'container "{inlet.container.name}": published port {inlet.host_port} {problem}',
            f"a rule of another program leads it there: {led_by}" if led_by else "",
            proxy,
        ),
        evidence={
            "NetworkSettings.Ports": f"{inlet.host_address}:{inlet.host_port} -> {inlet.port}",
            "container addresses": sorted(inlet.addresses),
            "translation": str(inlet.reach.nat) if inlet.reach.nat else None,
            "translated by": str(inlet.reach.nat_by) if inlet.reach.nat_by else None,
            "decided by": str(inlet.reach.by) if inlet.reach.by else None,
        },
        variables=_port_first(inlet)
        if led_by is not None and cures.program_of(led_by) == "iptables"
        else {"container": inlet.container.name, "host_port": str(inlet.host_port), **repair},
        discriminator=f"{inlet.host_address}:{inlet.host_port}/{inlet.port.partition('/')[2]}",
        severity=Severity.warning if served or led_off else None,
        touches=(inlet.network.subject,),
        stable=(inlet.container.life,),
        service=inlet.container.service,
    )


def _port_first(inlet: Ingress) -> dict[str, str]:
    """What lets the engine's own rule decide about a port before another program's."""
    return {
        "host_port": str(inlet.host_port),
        "led_port": str(inlet.host_port),
        "led_proto": inlet.port.partition("/")[2],
    }


def _misled(firewall: Firewall, inlet: Ingress) -> str:
    """What is certainly wrong with the rules of one published port, in words.

    Empty if nothing is.
    """
    reach = inlet.reach
    nat = reach.nat
    if reach.nat_unknown:
        return ""
    if nat is None:
        is_dropped_before = reach.is_blocked and reach.hook in ("ingress", "prerouting")
        is_unclear = is_dropped_before or reach.outcome == "unknown"
        return "" if is_unclear else "is not translated to the container"
    if nat.kind == "redirect" and nat.port not in (None, inlet.host_port):
        return f"is sent to port {nat.port} of this host instead of the container"
    if nat.kind != "dnat" or nat.address is None:
        return ""
    if nat.address not in inlet.addresses or nat.port not in (None, inlet.container_port):
        wanted = f"{min(inlet.addresses)}:{inlet.container_port}"
        return (
            f"is sent to {nat.address}:{nat.port or inlet.host_port}, the container is at {wanted}"
        )
    is_stopped_later = reach.hook == "forward" and is_lost(firewall, reach)
    if is_stopped_later and firewall.names_bridge(inlet.network.bridge):
        return f"is translated and then not let through ({reach.by})"
    return ""
