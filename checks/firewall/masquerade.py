"""The translation of addresses on the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from checks.firewall.helpers import (
    iptables_off,
    iptables_off_evidence,
    left_alone,
    nat_gone,
    repair_of,
    simulation,
    with_bridges,
)
from checks.firewall.other_address import by_other_address, hidden_behind_another
from checks.firewall.switched_off import switched_off
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.egress import Egress
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.paths.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.mappings import by_key
from diagnose.model import CheckResult, Finding, Severity, Skipped, Unexamined
from diagnose.phrases import counted, sentence
from diagnose.registry import check

_ID = "firewall.masquerade-missing"


@check(_ID, severity=Severity.critical, caused_by=["firewall.chains-missing"])
def masquerade_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    interfaces: Interfaces | None,
    simulated_repair: SimulatedRepair | None,
    lookups: Lookups | None,
    resolver_paths: ResolverPaths | None,
    namespaces: Namespaces | None,
    routes: Routes | None,
) -> CheckResult:
    """A network's packets leave the host from addresses that nobody can answer.

    Their packets leave, no answer finds the way back: they are not translated, or a rule gives them
    an address of the uplink's subnet that the host has no more. Or the kernel takes another address
    of the uplink than the host itself uses, and nothing answers that one. Seen on engines 20.10.24,
    26.1.5 and 28.5.2. An engine that is configured to write no rules may have its networks routed
    by others: it is judged only where containers get no answer from any DNS server.
    """
    alone = left_alone(config)
    every = (*packet_paths.outlets, *packet_paths.outlets6)
    if alone:
        # such an engine turns the network's own setting off
        silent = _silent_networks(lookups)
        why_not = "" if silent else alone
        ways = [way for way in every if way.network.name in silent]
    else:
        why_not = nat_gone(firewall, packet_paths)
        ways = [way for way in every if way.network.masquerades]
    if why_not or not packet_paths.networks:
        return Skipped(why_not or packet_paths.why_none)
    unhidden = [way for way in every if way.is_guarded and not way.network.masquerades]
    if not ways and not unhidden:
        return Skipped(
            "no running container is on a network whose addresses the engine should hide"
        )
    yield from switched_off(unhidden, namespaces)
    yield from _undecided(ways)
    unanswerable = _unanswerable(ways, interfaces)
    for members in unanswerable.values():
        if alone:
            yield _unmasqueraded(members, None, config)
        else:
            yield _unmasqueraded(members, simulated_repair, None)
    reported = {network for network, _ in unanswerable}
    for hidden in by_other_address(ways, interfaces, routes, lookups, _silent_networks(lookups)):
        yield hidden_behind_another(hidden)
        reported.add(hidden[0].way.network.name)
    yield from _unmasqueraded_queries(resolver_paths, lookups, reported, firewall)
    return None


def _unmasqueraded_queries(
    resolver_paths: ResolverPaths | None,
    lookups: Lookups | None,
    reported: Collection[str],
    firewall: Firewall,
) -> Iterator[Finding]:
    """Findings about DNS queries alone, on networks of which no finding says more."""
    for path in _untranslated_queries(resolver_paths, lookups):
        if path.network.name not in reported:
            yield _query_unmasqueraded(path, firewall.untracked_dns(path.network.bridge))


def _untranslated_queries(
    resolver_paths: ResolverPaths | None, lookups: Lookups | None
) -> Iterator[ResolverPath]:
    """One query of each network and server that leaves with a container's own address.

    Only where the server stays silent.
    """
    paths = lookups.ways if lookups is not None else ()
    silent = {
        (name, path.server)
        for path in paths
        if path.fails and path.replies
        for name in path.networks
    }
    seen = set()
    for path in resolver_paths.untranslated if resolver_paths is not None else ():
        key = (path.network.name, path.server)
        if key in silent and key not in seen and ":" not in path.server:
            seen.add(key)
            yield path


def _query_unmasqueraded(path: ResolverPath, untracked: Step | None) -> Finding:
    network = path.network
    subnet = next((str(subnet) for subnet in network.subnets if subnet.version == 4), "")
    cure = {"bridge": network.bridge, "subnet": subnet}
    if untracked is not None:
        cure = {"untracking": "raw"}
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"{network}: queries to DNS server {path.server} leave through {path.device} with "
            f"source {subnet}, so that no answer comes back",
            f"{untracked} keeps them from being tracked, and what is not tracked is not translated"
            if untracked is not None
            else "other packets are translated",
        ),
        evidence={
            "nat POSTROUTING": f"no translation of {subnet} on the way to {path.server}",
            "container": path.container.name,
            "interface": path.device,
        },
        variables={"network": network.name, **cure},
        discriminator=path.server,
        touches=(*with_bridges([network]), path.container.subject),
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
    decided = [
        way for way in ways if not way.sample.nat_unknown and way.sample.outcome != "unknown"
    ]
    return by_key(
        ((way.network.name, way.family), way)
        for way in decided
        if _leaves_untranslated(way) or _is_foreign(way, interfaces)
    )


def _silent_networks(lookups: Lookups | None) -> frozenset[str]:
    """The networks from which no DNS server has answered any container that asked."""
    paths = (*lookups.ways, *lookups.probes) if lookups is not None else ()
    answered = {name for path in paths if not path.fails for name in path.networks}
    return frozenset(name for path in paths if path.replies for name in path.networks) - answered


def _leaves_untranslated(way: Egress) -> bool:
    """Over IPv6, global addresses may be routed to this host.

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
    ways: Sequence[Egress], repair: SimulatedRepair | None, silent_config: DaemonConfig | None
) -> Finding:
    """The finding about one network's ways out by one family.

    silent_config: the configuration that tells the engine to write no rules, if it does.
    """
    first = ways[0]
    network, nat = first.network, first.sample.nat
    version = 6 if first.family == "ip6" else 4
    subnets = [str(subnet) for subnet in network.subnets if subnet.version == version]
    source = f"{nat.address}, which this host does not have" if nat else ", ".join(subnets)
    names = [way.container.name for way in ways]
    own_repair = repair if repair is not None and first.family in repair.families else None
    by_ipv6 = " over IPv6" if version == 6 else ""
    summary = (
        f"{network}: packets of {counted('container', names)} "
        f"leave{by_ipv6} with source {source}, so that no answer comes back"
    )
    return Finding(
        subject=network.subject,
        summary=sentence(summary, iptables_off(silent_config)),
        evidence={
            "nat POSTROUTING": str(
                nat or f"no translation of {', '.join(subnets)} on the way to {first.uplink.name}"
            ),
            "IPAM.Config.Subnet": ", ".join(subnets),
            "container": first.container.name,
            "address": first.address,
            **iptables_off_evidence(silent_config),
            **simulation(own_repair),
        },
        variables={
            **_remedies(network, subnets[0] if subnets else "", version),
            **repair_of(own_repair, _ID),
        },
        discriminator="ipv6" if version == 6 else "",
        severity=Severity.warning if version == 6 and any(_has_ipv4(way) for way in ways) else None,
        touches=with_bridges([network]),
        signs=NO_WAY_OUT,
    )


def _remedies(network: Network, subnet: str, version: int) -> dict[str, str]:
    """The variables of the page, whose remedies for IPv6 are others."""
    if version == 6:
        subnets = {"subnet6": subnet} if subnet else {"subnet": ""}
        return {"network": network.name, "bridge6": network.bridge, **subnets}
    return {"network": network.name, "bridge": network.bridge, "subnet": subnet}


def _has_ipv4(way: Egress) -> bool:
    return any(endpoint.ip_address for endpoint in way.container.endpoints.values())
