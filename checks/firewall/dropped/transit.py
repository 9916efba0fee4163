"""Checks of rules of other programs that drop packets between networks."""

from collections.abc import Collection, Sequence

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
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.dropped_ways import DroppedWays, dropped_ways, is_for_one
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.paths.packet_paths import USER_CHAIN, PacketPaths, Step
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.first_steps.network import rule_cures
from diagnose.mappings import names_of, only
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, and_more, joined, named, sentence
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
    dns_path: DnsPath | None,
    logged_failures: LoggedFailures | None,
    unanswered_calls: UnansweredCalls | None,
    failed_names: FailedNames | None,
) -> CheckResult:
    """A rule that is not Docker's drops the traffic of containers.

    An accept in Docker's table does not protect from a drop in another one on the same hook. A rule
    that only some destinations or sources meet, and a port that is closed while others are open, is
    a policy and is not reported; but answers that are dropped because a rule for clients spares
    none are, and queries to every DNS server that a container has. A rule that stops those of the
    host itself as well, and nothing else, is firewall.output-dropped. A rule of DOCKER-USER that
    stops what one source or interface sends is written on purpose: advice, unless calls of the
    containers behind it fail, or names that they look up.
    """
    if not packet_paths.networks:
        return Skipped(packet_paths.why_none)
    yield from unsure(packet_paths)
    has_rules = not left_alone(config)
    dropped = dropped_ways(firewall, packet_paths, resolver_paths, has_rules=has_rules)
    of_host = (dns_path or DnsPath({})).of_host
    for step, ways in dropped.items():
        if not (ways.are_queries and step in of_host.values()):
            failing = _failing(logged_failures, unanswered_calls, failed_names)
            is_meant = failing is not None and _is_meant(step, ways, failing)
            yield _finding(step, ways, None if has_rules else config, is_meant=is_meant)


def _failing(
    logged_failures: LoggedFailures | None,
    unanswered_calls: UnansweredCalls | None,
    failed_names: FailedNames | None,
) -> frozenset[str] | None:
    """The ids of the containers whose calls or names fail; None where that is not known."""
    if logged_failures is None or unanswered_calls is None or failed_names is None:
        return None
    callers = (call.container.id for call in (*logged_failures, *unanswered_calls))
    return frozenset(callers).union(failed_names.by_id)


def _is_meant(step: Step, ways: DroppedWays, failing: Collection[str]) -> bool:
    """Whether a rule stops the way out on purpose, and no container is known to need it.

    Its queries leave by the same way. One for all containers leaves none a way.
    """
    is_of_ways_out = not ways.inbound_paths and not ways.askers and ways.drop.part != "reply"
    if not is_for_one(step) or not is_of_ways_out:
        return False
    return all(way.container.id not in failing for way in ways.outbound_paths)


def _finding(
    step: Step, ways: DroppedWays, config: DaemonConfig | None, *, is_meant: bool
) -> Finding:
    """The finding about a rule that drops between networks.

    config: the setting by which the engine writes no rules. is_meant: no container needs the way.
    """
    drop = ways.drop
    packets = "the answers" if drop.part == "reply" else "packets"
    cuts_off = bool(ways.outbound_paths or ways.queries)
    mild = Severity.advice if is_meant else Severity.warning
    is_mild = step.chain == USER_CHAIN or not cuts_off or ways.family == "ip6"
    return Finding(
        subject=HOST,
        summary=sentence(
            f"{'; '.join(_harm_in_words(ways))}: {step} drops {packets}", iptables_off(config)
        ),
        evidence={
            **step.evidence,
            "dropped": f"the {drop.part}, at hook {drop.hook}",
            "containers": ways.container_names,
            **iptables_off_evidence(config),
        },
        variables=_query_cure(step, ways)
        or rule_cures.between_bridge_and_uplink(
            step,
            drop.hook,
            part=drop.part,
            bridge=ways.bridge,
            uplink=ways.uplink,
            family=ways.family,
        ),
        discriminator=step.key,
        severity=mild if is_mild else None,
        touches=with_bridges(ways.networks)
        + container_subjects(ways.outbound_paths, ways.inbound_paths)
        + tuple(query.container.subject for query in ways.queries),
        signs=NO_WAY_OUT,
    )


def _query_cure(step: Step, ways: DroppedWays) -> PageVariables:
    """The page variables that let queries to the one server pass.

    Empty where the rule drops anything else of containers.
    """
    server = only({query.server for query in ways.queries})
    if not ways.are_queries or server is None:
        return {}
    is_request = ways.drop.part != "reply"
    return rule_cures.of_queries(step, server) if is_request and ways.family != "ip6" else {}


def _harm_in_words(ways: DroppedWays) -> list[str]:
    """The effects of the rule on containers and published ports, as clauses."""
    by_ipv6 = " over IPv6" if ways.family == "ip6" else ""
    harm = []
    if ways.senders:
        harm.append(f"{named('container', ways.senders)} cannot reach the outside{by_ipv6}")
    if ways.askers:
        harm.append(_lost_queries(ways.askers))
    if ways.inbound_paths:
        harm.append(f"published {port_list(ways.inbound_paths)} cannot be reached{by_ipv6}")
    return harm


def _lost_queries(queries: Sequence[ResolverPath]) -> str:
    servers = sorted({query.server for query in queries})
    askers = sorted({query.container.name for query in queries})
    devices = sorted({query.device for query in queries} - {""})
    path_clause = f" through {and_more(devices)}" if devices else ""
    noun = agree(servers, "DNS server", "DNS servers")
    return f"{named('container', askers)} cannot ask {noun} {joined(servers)}{path_clause}"


@check("firewall.bridge-filter-off", severity=Severity.warning)
def bridge_filter_off(
    forwarding: Forwarding, containers: Containers, networks: Networks
) -> CheckResult:
    """Containers that should be kept apart on one bridge can reach each other.

    Bridged packets skip the packet filter: the option enable_icc=false is a rule, and the kernel's
    setting `net.bridge.bridge-nf-call-iptables` decides whether packets between two containers of
    one bridge meet any rule. Engines before 28 warned of it; from 28 on only the kernel shows it.
    """
    isolated = [network for network in networks.bridges if network.option(ICC) == "false"]
    if not isolated:
        return Skipped("no bridge network forbids its containers to talk to each other")
    if forwarding.bridge_filter == "1":
        return None
    for network in isolated:
        names = names_of(containers.running_on(network.name))
        if len(names) < 2:
            continue
        yield Finding(
            subject=network.subject,
            summary=f"{network}: {named('container', names)} reach each other although"
            " enable_icc is false",
            evidence={
                "net.bridge.bridge-nf-call-iptables": forwarding.bridge_filter,
                f"Options.{ICC}": "false",
                "containers": names,
            },
            variables={"network": network.name, "bridge": network.bridge},
            touches=with_bridges([network]),
        )
