"""The engine's chains: whether the rules that it made are still there."""

from checks.firewall.helpers import (
    base_chain_evidence,
    first_names,
    has_proxy,
    left_alone,
    port_list,
    repair_of,
    simulation,
    unsure,
    with_bridges,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.network.paths.flushed_rules import FlushedRules, LostTraffic, flushed_rules
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.rules.lost_chains import refusals_for_chains, refused_by_lost_chain
from diagnose.evidence.network.rules.lost_rules import LostRules
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_flushes import RuleFlush, RuleFlushes
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.mappings import by_key, first_of, names_of, subjects_of
from diagnose.model import (
    DAEMON,
    HOST,
    CheckResult,
    ContainerRun,
    Finding,
    Severity,
    Skipped,
    Unavailable,
)
from diagnose.phrases import agree, joined, named, shortened
from diagnose.registry import check


@check("firewall.chains-missing", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def chains_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    containers: Containers | None,
    config: DaemonConfig | None,
    simulated_repair: SimulatedRepair | None,
    lost_rules: LostRules | None,
    log: DaemonLog | None,
    flushes: RuleFlushes | None,
) -> CheckResult:
    """Docker's firewall rules are missing, or no rule leads to them.

    Flushed by another tool after the engine wrote them. Seen on engines 20.10.24, 26.1.5 and
    28.5.2: `iptables -F` leaves FORWARD's policy, DROP where the engine set it; SIGHUP does not
    bring the rules back, a restart does. Where no container runs on a bridge, the error of a
    refused start names a chain that is not there. A firewall's script may write rules of its own
    for the containers that run, in the chains that older engines had: then nothing is lost until a
    network or a port needs a rule in a chain that is gone.
    """
    reason_not_to_judge = left_alone(config)
    if reason_not_to_judge:
        return Skipped(reason_not_to_judge)
    if not packet_paths.networks:
        refused = by_key(refused_by_lost_chain(containers, firewall))
        if refused and firewall.hides_docker:
            return Unavailable(
                "refused", f"the tables of {firewall.hides_docker} could not be read"
            )
        for (table, chain), lost in refused.items():
            yield _refused_finding(table, chain, lost, firewall)
        return None if refused else Skipped(packet_paths.why_none)
    if firewall.hides_docker and not firewall.docker_tables:
        return Unavailable("refused", f"the tables of {firewall.hides_docker} could not be read")
    yield from unsure(packet_paths)
    flushed = flushed_rules(firewall, packet_paths)
    if flushed.is_real:
        has_docker_proxy = has_proxy(config)
        traffic = LostTraffic(packet_paths, flushed, has_docker_proxy)
        flush = first_of(flushes or (), None)
        yield _finding(traffic, firewall, simulated_repair, flush)
        return None
    repair = lost_rules.repair if lost_rules is not None else None
    if repair is not None and repair.chains:
        refusals = list(refusals_for_chains(log, repair.chains))
        yield _lost_chains_finding(repair.chains, refusals, log, simulated_repair)


def _lost_chains_finding(
    lost: tuple[str, ...],
    refusals: list[LogLine],
    log: DaemonLog | None,
    repair: SimulatedRepair | None,
) -> Finding:
    """The finding about chains that are gone while the rules of another program serve the running
    containers."""
    chains = by_key((place.partition(" ")[0], place.partition(" ")[2]) for place in lost)
    places = "; ".join(
        f"table {table} has no {agree(names, 'chain', 'chains')} {joined(names)}"
        for table, names in chains.items()
    )
    effect = "the next network or port that needs a rule there is refused"
    if refusals:
        effect = "the engine refuses requests that need a rule there"
    return Finding(
        subject=HOST,
        summary=f"chains of Docker's firewall rules are gone: {places}; {effect}",
        evidence={
            "chains that are gone": list(lost),
            **(log.evidence(refusals[-1]) if log is not None and refusals else {}),
        }
        | simulation(repair),
        variables=repair_of(repair, "firewall.chains-missing"),
        discriminator="chains",
        severity=None if refusals else Severity.warning,
        touches=(DAEMON,),
        signs=frozenset({"iptables"}),
    )


def _refused_finding(
    table: str, chain: str, refused: list[Container], firewall: Firewall
) -> Finding:
    names = sorted(names_of(refused))
    return Finding(
        subject=HOST,
        summary=f"Docker's firewall rules are gone: table {table} has no chain {chain}, in which the "
        f"engine writes the rules of {named('container', names)}",
        evidence=base_chain_evidence(firewall, "prerouting")
        | {"State.Error": shortened(refused[0].state.error), f"chain {chain}": None},
        variables={"refused": names[0]},
        discriminator=f"{table} {chain}",
        touches=subjects_of(refused),
        signs=frozenset({"iptables"}),
    )


def _harm_clause(harm: LostTraffic) -> str:
    """The clause about containers that are cut off, and published ports that nothing forwards."""
    parts = []
    if harm.names:
        parts.append(f"{named('container', harm.names)} cannot reach the outside")
    if harm.ports and harm.are_served:
        parts.append(f"only docker-proxy serves published {port_list(harm.ports)}")
    elif harm.ports:
        parts.append(f"nothing forwards published {port_list(harm.ports)}")
    return "; ".join(parts) or "networks are not kept apart"


def _flush_clause(flush: RuleFlush | None) -> str:
    """The job that deletes all rules, with the script that it runs; "" where none is known."""
    if flush is None:
        return ""
    script_clause = f" runs {flush.script}, which" if flush.script else ""
    repetition = " again and again" if flush.is_repeated else ""
    return (
        f"; line {flush.line} of {flush.path}{script_clause} deletes all rules{repetition} "
        f"({flush.text})"
    )


def _finding(
    harm: LostTraffic, firewall: Firewall, repair: SimulatedRepair | None, flush: RuleFlush | None
) -> Finding:
    flushed = harm.flushed
    touched = (flushed.networks or harm.paths.networks).values()
    return Finding(
        subject=HOST,
        summary=f"Docker's firewall rules are gone: {_harm_clause(harm)}{_flush_clause(flush)}",
        evidence={"what is missing": "; ".join(_places(flushed))}
        | base_chain_evidence(firewall, "forward")
        | base_chain_evidence(firewall, "prerouting")
        | {
            f"drops packets of {outbound.container}": str(outbound.reach.by)
            for outbound in harm.cut[:1]
        }
        | simulation(repair),
        variables={
            **repair_of(repair, "firewall.chains-missing"),
            **({"flushing": flush.script or flush.path, "flush": flush.text} if flush else {}),
        },
        severity=None if harm.is_outage else Severity.warning,
        touches=with_bridges(touched) + tuple(inbound.container.subject for inbound in harm.ports),
        signs=NO_WAY_OUT | {"iptables"},
        recheck=_witness(harm),
    )


def _witness(lost: LostTraffic) -> tuple[ContainerRun, ...]:
    """The run of the container that has had its ports for longest, where ports are the proof.

    If it restarted while diagnose ran, its rules were away for that moment.
    """
    if lost.flushed.networks or not lost.ports:
        return ()
    containers = [inbound.container for inbound in lost.ports]
    return (min(containers, key=lambda container: container.started_at or 0.0).run,)


def _places(flushed: FlushedRules) -> list[str]:
    """The chains in which rules are missing, as clauses."""
    places = []
    if flushed.bare:
        bridges = first_names(network.bridge for network in flushed.bare)
        noun = agree(flushed.bare, "bridge", "bridges")
        places.append(f"FORWARD has no rules for {noun} {bridges}")
    for part, what in _LOST_PARTS.items():
        fallen = _fallen_bridges(flushed, part)
        if fallen:
            places.append(f"{what} {first_names(fallen)}")
    if flushed.no_ports:
        places.append("PREROUTING does not lead to the published ports")
    if flushed.emptied:
        places.append(_EMPTIED[flushed.emptied])
    return places


_LOST_PARTS = {
    "request": "no rule lets out what comes from",
    "reply": "no rule lets the answers back to",
}
_EMPTIED = {
    "nat": "none of the published ports has a rule in nat",
    "filter": "no rule lets in what is sent to the published ports",
}


def _fallen_bridges(flushed: FlushedRules, part: str) -> set[str]:
    """The bridges whose packets in one direction match no rule, although others name the bridge."""
    bare = {network.bridge for network in flushed.bare}
    return {
        outbound.network.bridge for outbound in flushed.fallen if outbound.reach.part == part
    } - bare
