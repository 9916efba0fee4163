"""The translation of addresses on the way out."""

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
from checks.firewall.translation.other_address import hidden_behind_another
from checks.firewall.translation.switched_off import switched_off
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.other_address import by_other_address
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.paths.outgoing.unanswerable import unanswerable, unanswerable_queries
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.mappings import first_of
from diagnose.model import (
    CheckResult,
    EvidenceGroup,
    Finding,
    PageVariables,
    Severity,
    Skipped,
    Unexamined,
)
from diagnose.phrases import named, sentence
from diagnose.registry import check

_ID = "firewall.masquerade-missing"


class QueryWays(EvidenceGroup, frozen=True):
    """Evidence of the DNS queries of containers, and of their paths."""

    lookups: Lookups | None
    resolver_paths: ResolverPaths | None


@check(_ID, severity=Severity.critical, caused_by=["firewall.chains-missing"])
def masquerade_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    interfaces: Interfaces | None,
    simulated_repair: SimulatedRepair | None,
    queries: QueryWays,
    namespaces: Namespaces | None,
    routes: Routes | None,
) -> CheckResult:
    """A network's packets leave the host from addresses that nobody can answer.

    The packets leave, and no answer finds the way back: they are not translated, or a rule gives
    them an address of the uplink's subnet that the host no longer has. Or the kernel takes another
    address of the uplink than the host itself uses, and nothing answers that one. Seen on engines
    20.10.24, 26.1.5 and 28.5.2. An engine that is configured to write no rules may have its
    networks routed by others: it is judged only where containers get no answer from any DNS server.
    """
    lookups = queries.lookups
    silent = lookups.silent_networks if lookups is not None else frozenset[str]()
    why_not = _reason_not_to_judge(firewall, packet_paths, config, silent)
    if why_not:
        return Skipped(why_not)
    is_left_alone = bool(left_alone(config))
    ways = _ways_to_hide(packet_paths, silent if is_left_alone else None)
    unhidden = _guarded_by_design(packet_paths)
    if not ways and not unhidden:
        return Skipped(
            "no running container is on a network whose addresses the engine should hide"
        )
    yield from switched_off(unhidden, namespaces)
    yield from _undecided_containers(ways)
    reported = set()
    for members in unanswerable(ways, interfaces).values():
        if is_left_alone:
            yield _network_finding(members, None, config)
        else:
            yield _network_finding(members, simulated_repair, None)
        reported.add(members[0].network.name)
    for hidden in by_other_address(ways, interfaces, routes, lookups, silent):
        yield hidden_behind_another(hidden)
        reported.add(hidden[0].way.network.name)
    for path in unanswerable_queries(queries.resolver_paths, lookups):
        if path.network.name not in reported:
            yield _query_finding(path, firewall.untracked_dns(path.network.bridge))


def _ways_to_hide(paths: PacketPaths, silent: Collection[str] | None) -> list[OutboundPath]:
    """The paths to the outside whose source has to be translated.

    silent: the networks without an answer, where the engine writes no rules: such an engine turns
    the network's own setting off.
    """
    every = (*paths.outbound_paths, *paths.outbound_paths6)
    if silent is None:
        return [way for way in every if way.network.masquerades]
    return [way for way in every if way.network.name in silent]


def _guarded_by_design(paths: PacketPaths) -> list[OutboundPath]:
    """The ways out of networks without translation, whose answers the engine itself drops."""
    every = (*paths.outbound_paths, *paths.outbound_paths6)
    return [way for way in every if way.is_guarded and not way.network.masquerades]


def _reason_not_to_judge(
    firewall: Firewall, paths: PacketPaths, config: DaemonConfig | None, silent: Collection[str]
) -> str:
    """The reason why no network is judged here; "" where networks are judged."""
    reason_of_config = left_alone(config)
    if reason_of_config and not silent:
        return reason_of_config
    reason = "" if reason_of_config else nat_gone(firewall, paths)
    return reason or ("" if paths.networks else paths.why_none)


def _query_finding(path: ResolverPath, untracked: Step | None) -> Finding:
    network = path.network
    subnet = path.network.subnet4
    cure = {"bridge": network.bridge, "subnet": subnet}
    reason = "other packets are translated"
    if untracked is not None:
        cure = {"untracking": "raw"}
        reason = f"{untracked} exempts them from connection tracking, so they are not translated"
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"{network}: queries to DNS server {path.server} leave through {path.device} "
            f"with their private source {subnet}: no answer comes back",
            reason,
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


def _undecided_containers(ways: Iterable[OutboundPath]) -> Iterator[Unexamined]:
    """The containers whose translation depends on a rule or setting that is not known."""
    for way in ways:
        if way.waits_for_unknown:
            yield Unexamined(way.container.subject, f"its translation depends on {way.sample.by}")


def _source_clause(ways: Sequence[OutboundPath]) -> str:
    """The source address with which the packets of one network leave, in words."""
    first = ways[0]
    nat = ways[0].sample.nat
    source = f"their private address ({first.address}), because the masquerade rule is missing"
    if nat is not None:
        source = f"source {nat.address}, which this host does not have"
    names = [way.container.name for way in ways]
    by_ipv6 = " over IPv6" if first.family == "ip6" else ""
    return (
        f"{first.network}: packets of {named('container', names)} "
        f"leave the host{by_ipv6} with {source}: no answer comes back"
    )


def _network_finding(
    ways: Sequence[OutboundPath], repair: SimulatedRepair | None, silent_config: DaemonConfig | None
) -> Finding:
    """The finding about one network's paths to the outside in one family.

    silent_config: the configuration by which the engine writes no rules, if it has one.
    """
    first = ways[0]
    network = first.network
    nat = first.sample.nat
    is_ipv6 = first.family == "ip6"
    subnets = _subnets(network, is_ipv6=is_ipv6)
    shown_subnets = ", ".join(subnets)
    own_repair = repair if repair is not None and first.family in repair.families else None
    has_ipv4_too = is_ipv6 and any(way.container.has_ipv4 for way in ways)
    return Finding(
        subject=network.subject,
        summary=sentence(_source_clause(ways), iptables_off(silent_config)),
        evidence={
            "nat POSTROUTING": str(
                nat or f"no translation of {shown_subnets} on the way to {first.uplink.name}"
            ),
            "IPAM.Config.Subnet": shown_subnets,
            "container": first.container.name,
            "address": first.address,
            **iptables_off_evidence(silent_config),
            **simulation(own_repair),
        },
        variables={
            **_remedies(network, first_of(subnets, ""), is_ipv6=is_ipv6),
            **repair_of(own_repair, _ID),
        },
        discriminator="ipv6" if is_ipv6 else "",
        severity=Severity.warning if has_ipv4_too else None,
        touches=with_bridges([network]),
        signs=NO_WAY_OUT,
    )


def _subnets(network: Network, *, is_ipv6: bool) -> list[str]:
    """The network's subnets of one family."""
    version = 6 if is_ipv6 else 4
    return [str(subnet) for subnet in network.subnets if subnet.version == version]


def _remedies(network: Network, subnet: str, *, is_ipv6: bool) -> PageVariables:
    """The page variables; the remedies for IPv6 differ from those for IPv4."""
    if is_ipv6:
        subnets = {"subnet6": subnet} if subnet else {"subnet": ""}
        return {"network": network.name, "bridge6": network.bridge, **subnets}
    return {"network": network.name, "bridge": network.bridge, "subnet": subnet}
