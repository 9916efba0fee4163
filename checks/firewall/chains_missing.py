"""The engine's chains: whether the rules that it made are still there."""

from __future__ import annotations

import functools

import msgspec

from checks.firewall.helpers import (
    base,
    few,
    has_proxy,
    left_alone,
    port_list,
    repair_of,
    simulation,
    unsure,
    with_bridges,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.paths.egress import Egress
from diagnose.evidence.network.paths.flushed_rules import FlushedRules, flushed_rules
from diagnose.evidence.network.paths.ingress import Ingress
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.phrases import agree, named
from diagnose.registry import check


@check("firewall.chains-missing", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def chains_missing(
    firewall: Firewall,
    packet_paths: PacketPaths,
    config: DaemonConfig | None,
    simulated_repair: SimulatedRepair | None,
) -> CheckResult:
    """Docker's firewall rules are missing, or no rule leads to them.

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
    flushed = flushed_rules(firewall, packet_paths)
    if flushed.is_real:
        has_docker_proxy = has_proxy(config)
        yield _finding(_Harm(packet_paths, flushed, has_docker_proxy), firewall, simulated_repair)
    return None


class _Harm(msgspec.Struct, frozen=True, dict=True):
    """What the loss means for containers and published ports."""

    paths: PacketPaths
    flushed: FlushedRules
    has_docker_proxy: bool

    @functools.cached_property
    def cut(self) -> list[Egress]:
        """The ways out that are blocked."""
        return [way for way in self.paths.outlets if self.flushed.cuts(way)]

    @functools.cached_property
    def names(self) -> list[str]:
        """The containers that cannot send out, or whose packets get no answer."""
        uncovered = [way for way in self.paths.outlets if self.flushed.uncovers(way)]
        return sorted({way.container.name for way in (*self.cut, *uncovered)})

    @functools.cached_property
    def ports(self) -> list[Ingress]:
        """The published ports to which no rule leads."""
        return [inlet for inlet in self.paths.inlets if self.flushed.shuts(inlet)]

    @property
    def are_served(self) -> bool:
        """Whether docker-proxy takes the clients of all these ports."""
        return self.has_docker_proxy and all(inlet.is_served_by_host for inlet in self.ports)

    @property
    def is_outage(self) -> bool:
        return bool(self.names) or (bool(self.ports) and not self.are_served)

    def __str__(self) -> str:
        parts = []
        if self.names:
            parts.append(f"{named('container', self.names)} cannot reach the outside")
        if self.ports and self.are_served:
            parts.append(f"only docker-proxy serves published {port_list(self.ports)}")
        elif self.ports:
            parts.append(f"nothing forwards published {port_list(self.ports)}")
        return "; ".join(parts) or "networks are not kept apart"


def _finding(harm: _Harm, firewall: Firewall, repair: SimulatedRepair | None) -> Finding:
    flushed = harm.flushed
    touched = (flushed.networks or harm.paths.networks).values()
    return Finding(
        subject=HOST,
        summary=f"Docker's firewall rules are gone: {harm}; {'; '.join(_places(flushed))}",
        evidence=base(firewall, "forward")
        | base(firewall, "prerouting")
        | {"bridges without rules": [network.bridge for network in flushed.bare]}
        | {f"drops packets of {way.container}": str(way.reach.by) for way in harm.cut[:1]}
        | simulation(repair),
        variables=repair_of(repair, "firewall.chains-missing"),
        severity=None if harm.is_outage else Severity.warning,
        touches=with_bridges(touched) + tuple(inlet.container.subject for inlet in harm.ports),
        signs=NO_WAY_OUT | {"iptables"},
    )


def _places(flushed: FlushedRules) -> list[str]:
    """Where rules are missing, in words."""
    places = []
    if flushed.bare:
        bridges = few(network.bridge for network in flushed.bare)
        noun = agree(flushed.bare, "bridge", "bridges")
        places.append(f"FORWARD has no rules for {noun} {bridges}")
    for part, what in _LOST_PARTS.items():
        fallen = _fallen_bridges(flushed, part)
        if fallen:
            places.append(f"{what} {few(fallen)}")
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
    """The bridges whose packets in one direction no rule takes, though others name the bridge."""
    bare = {network.bridge for network in flushed.bare}
    return {way.network.bridge for way in flushed.fallen if way.reach.part == part} - bare
