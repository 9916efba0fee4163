"""What somebody else's rules drop on the way between networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from checks.firewall import cures
from checks.firewall.engine_chains import is_flushed
from checks.firewall.helpers import (
    ICC,
    container_subjects,
    iptables_off,
    iptables_off_evidence,
    left_alone,
    port_list,
    unsure,
    with_bridges,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.egress import Egress
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.paths.ingress import Ingress
from diagnose.evidence.network.paths.packet_paths import USER_CHAIN, PacketPaths, Step
from diagnose.evidence.network.paths.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.mappings import names_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import and_more, counted, named, sentence
from diagnose.registry import check


@check(
    "firewall.forward-dropped",
    severity=Severity.critical,
    caused_by=["firewall.backend-mixed", "firewall.chains-missing"],
)
def forward_dropped(
    firewall: Firewall,
    packet_paths: PacketPaths,
    resolver_paths: ResolverPaths | None,
    config: DaemonConfig | None,
) -> CheckResult:
    """A rule that is not Docker's drops the traffic of containers.

    An accept in Docker's table does not protect from a drop in another one on the same hook. What
    only some destinations or sources meet, and a port that is closed while others are open, is a
    policy and is not reported; but answers that are dropped because a rule for clients spares none
    are, and queries to every DNS server that a container has.
    """
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    yield from unsure(packet_paths)
    losses = _losses(firewall, packet_paths, resolver_paths, config)
    for by, loss in losses.items():
        yield _dropped(by, loss, config if left_alone(config) else None)
    return None


class _Loss(msgspec.Struct, eq=False):
    """What one rule drops: ways out, published ports, and queries to DNS servers."""

    outlets: list[Egress] = msgspec.field(default_factory=list)
    inlets: list[Ingress] = msgspec.field(default_factory=list)
    queries: list[ResolverPath] = msgspec.field(default_factory=list)


def _losses(
    firewall: Firewall,
    paths: PacketPaths,
    resolver_paths: ResolverPaths | None,
    config: DaemonConfig | None,
) -> dict[Step, _Loss]:
    """By the rule that decides.

    What Docker's own rules should have let through is firewall.chains-missing, unless the
    engine is configured to write none.
    """
    losses: dict[Step, _Loss] = defaultdict(_Loss)
    for outlet in (*paths.outlets, *paths.outlets6):
        if (by := _blocker(outlet)) is not None:
            losses[by].outlets.append(outlet)
    for inlet in (*paths.inlets, *paths.inlets6):
        reach = inlet.reach
        if reach.is_blocked and reach.by and reach.hook != "input":
            losses[reach.by].inlets.append(inlet)
    for query in resolver_paths.cut_off if resolver_paths is not None else ():
        obstacle = query.trace.obstacle
        if obstacle is not None and obstacle.reason == "rule":
            losses[obstacle.by].queries.append(query)
    spared = _Spared(firewall, paths, has_rules=not left_alone(config))
    return {
        by: loss
        for by, loss in losses.items()
        if not spared.holds(by) and not _closes_on_purpose(by, loss, paths)
    }


def _blocker(outlet: Egress) -> Step | None:
    """The rule that drops what a network sends out; a ban of a few addresses counts too.

    None on a network that is guarded and not masqueraded: it has no way out by design.
    """
    if outlet.is_guarded and not outlet.network.masquerades:
        return None
    block = outlet.block
    if block is None and outlet.sample.by is not None and cures.unban(outlet.sample.by):
        block = outlet.sample
    return block.by if block is not None else None


class _Spared:
    """The rules that another check is about."""

    def __init__(self, firewall: Firewall, paths: PacketPaths, *, has_rules: bool) -> None:
        self._firewall = firewall
        self._has_rules = has_rules
        self._is_flushed = has_rules and is_flushed(firewall, paths)

    def holds(self, by: Step) -> bool:
        """Whether Docker's rules are gone there.

        With them back, the rules that are in the same chain now are not reached.
        """
        if self._has_rules and self._firewall.is_lost(by):
            return True
        return (
            self._is_flushed
            and by.chain == "FORWARD"
            and by.table in ("ip filter", "iptables-legacy ip filter")
        )


def _closes_on_purpose(by: Step, loss: _Loss, paths: PacketPaths) -> bool:
    """Whether a rule that lets containers out only closes ports.

    In DOCKER-USER, or some of several.
    """
    if loss.outlets or loss.queries:
        return False
    inlets = loss.inlets
    of_family = paths.inlets6 if inlets and inlets[0].family == "ip6" else paths.inlets
    return by.chain == USER_CHAIN or len(inlets) < len(of_family)


def _dropped(by: Step, loss: _Loss, config: DaemonConfig | None) -> Finding:
    names = sorted({way.container.name for way in loss.outlets})
    family = "ip6" if _only_ipv6(loss) else "ip"
    part, hook = _where(loss)
    bridge, uplink = _ends(loss)
    what = " the answers" if part == "reply" else ""
    closed = by.chain == USER_CHAIN or not (loss.outlets or loss.queries)
    mild = closed or family == "ip6"
    networks = [way.network for way in loss.outlets] + [inlet.network for inlet in loss.inlets]
    networks += [query.network for query in loss.queries]
    return Finding(
        subject=HOST,
        summary=sentence(
            f"{by} blocks{what}: {'; '.join(_harm(loss, names))}", iptables_off(config)
        ),
        evidence={
            "table": by.table,
            "chain": by.chain,
            "rule": by.rule,
            "packet": f"{part}, hook {hook}",
            "containers": names or sorted({query.container.name for query in loss.queries}),
            **iptables_off_evidence(config),
        },
        variables=cures.forwarded(by, hook, part, bridge, uplink, family),
        discriminator=by.key,
        severity=Severity.warning if mild else None,
        touches=with_bridges(networks)
        + container_subjects(loss.outlets, loss.inlets)
        + tuple(query.container.subject for query in loss.queries),
        signs=NO_WAY_OUT,
    )


def _only_ipv6(loss: _Loss) -> bool:
    families = {way.family for way in loss.outlets} | {inlet.family for inlet in loss.inlets}
    return families == {"ip6"} or (
        not families and all(":" in query.server for query in loss.queries)
    )


def _where(loss: _Loss) -> tuple[str, str]:
    """The direction of the packet that is dropped, and its hook."""
    if loss.outlets:
        first = loss.outlets[0]
        block = first.block or (first.sample if first.sample.is_blocked else first.reach)
        return block.part, block.hook or "forward"
    if loss.inlets:
        return loss.inlets[0].reach.part, loss.inlets[0].reach.hook or "forward"
    obstacle = loss.queries[0].trace.obstacle
    return (obstacle.part, obstacle.hook) if obstacle is not None else ("request", "forward")


def _ends(loss: _Loss) -> tuple[str, str]:
    """The bridge and the interface between which packets are dropped."""
    if loss.queries and not loss.outlets:
        return loss.queries[0].network.bridge, loss.queries[0].device
    way = (loss.outlets or loss.inlets)[0]
    return way.network.bridge, way.uplink.name


def _harm(loss: _Loss, names: Sequence[str]) -> list[str]:
    """What the rule means, in words."""
    by_ipv6 = " over IPv6" if _only_ipv6(loss) else ""
    harm = [f"{counted('container', names)} cannot reach the outside{by_ipv6}"] if names else []
    queries = [query for query in loss.queries if query.container.name not in names]
    if queries:
        servers = sorted({query.server for query in queries})
        askers = sorted({query.container.name for query in queries})
        devices = sorted({query.device for query in queries} - {""})
        way = f" by {and_more(devices)}" if devices else ""
        harm.append(
            f"{counted('container', askers)} cannot reach {named('DNS server', servers)}{way}"
        )
    if loss.inlets:
        harm.append(f"published {port_list(loss.inlets)} cannot be reached{by_ipv6}")
    return harm


@check("firewall.bridge-filter-off", severity=Severity.warning)
def bridge_filter_off(
    forwarding: Forwarding, containers: Containers, networks: Networks
) -> CheckResult:
    """Containers that should be kept apart on one bridge can reach each other.

    Bridged packets skip the packet filter: the option enable_icc=false is a rule, and the kernel's
    setting `net.bridge.bridge-nf-call-iptables` decides whether packets between two containers of
    one bridge meet any rule. Engines before 28 warned of it; from 28 on only the kernel says so.
    """
    apart = [network for network in networks.bridges if network.option(ICC) == "false"]
    if not apart:
        return Skipped("no bridge network forbids its containers to talk to each other")
    if forwarding.bridge_filter == "1":
        return None
    for network in apart:
        names = names_of(containers.running_on(network.name))
        if len(names) < 2:
            continue
        yield Finding(
            subject=network.subject,
            summary=f"{network}: {counted('container', names)} reach each other although"
            " enable_icc is false",
            evidence={
                "net.bridge.bridge-nf-call-iptables": forwarding.bridge_filter,
                f"Options.{ICC}": "false",
                "containers": names,
            },
            variables={"network": network.name, "bridge": network.bridge},
            touches=with_bridges([network]),
        )
    return None
