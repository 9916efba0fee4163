"""The engine's chains: whether the rules that it made are still there."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from checks.firewall.helpers import (
    base,
    few,
    has_proxy,
    is_lost,
    is_served,
    left_alone,
    port_list,
    repair_of,
    simulation,
    unsure,
    with_bridges,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.egress import Egress
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
    loss = _loss(firewall, packet_paths)
    if loss.is_real:
        yield _chains_missing(firewall, packet_paths, loss, config, simulated_repair)
    return None


class _RuleLoss(msgspec.Struct, frozen=True, dict=True):
    """What is gone."""

    bare: tuple[Network, ...]
    """Networks whose bridge no rule names."""
    fallen: tuple[Egress, ...]
    """Ways out that no rule takes."""
    no_ports: bool
    """Nothing leads to the published ports."""
    emptied: str
    """Which chain of published ports lost its rules, in words."""

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
    # a way out that leads into another of the engine's networks is a wrong route, not a lost rule
    own = {network.bridge for network in paths.networks.values()}
    fallen = tuple(
        way
        for way in paths.outlets
        if way.uplink.name not in own and not way.is_guarded and is_lost(firewall, way.reach)
    )
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
    repair: SimulatedRepair | None,
) -> Finding:
    cut = [
        way for way in paths.outlets if way.reach.is_blocked and way.network.name in loss.networks
    ]
    hidden = [way for way in paths.outlets if _is_unmasked(way) and loss.takes(way)]
    ports = [inlet for inlet in paths.inlets if _is_shut(inlet, loss)]
    served = has_proxy(config) and all(is_served(inlet) for inlet in ports)
    names = sorted({way.container.name for way in [*cut, *hidden]})
    harm = _harm(names, ports, served=served)
    touched = (loss.networks or paths.networks).values()
    is_outage = bool(names) or (bool(ports) and not served)
    return Finding(
        subject=HOST,
        summary=f"Docker's firewall rules are gone: {harm}; {'; '.join(_places(loss))}",
        evidence=base(firewall, "forward")
        | base(firewall, "prerouting")
        | {"bridges without rules": [network.bridge for network in loss.bare]}
        | {f"drops packets of {way.container}": str(way.reach.by) for way in cut[:1]}
        | simulation(repair),
        variables=repair_of(repair, "firewall.chains-missing"),
        severity=None if is_outage else Severity.warning,
        touches=with_bridges(touched) + tuple(inlet.container.subject for inlet in ports),
        signs=NO_WAY_OUT | {"iptables"},
    )


def _is_shut(inlet: Ingress, loss: _RuleLoss) -> bool:
    if loss.no_ports or loss.emptied:
        return True
    return inlet.reach.is_blocked and inlet.network.name in loss.networks


def _harm(names: Sequence[str], ports: Sequence[Ingress], *, served: bool) -> str:
    """What the loss means for containers and published ports."""
    parts = [f"{named('container', names)} cannot reach the outside"] if names else []
    if ports and served:
        parts.append(f"only docker-proxy serves published {port_list(ports)}")
    elif ports:
        parts.append(f"nothing forwards published {port_list(ports)}")
    return "; ".join(parts) or "networks are not kept apart"


def _places(loss: _RuleLoss) -> list[str]:
    """Where rules are missing, in words."""
    if loss.bare:
        bridges_named = few(network.bridge for network in loss.bare)
        places = [
            f"FORWARD has no rules for {agree(loss.bare, 'bridge', 'bridges')} {bridges_named}"
        ]
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
        inlet.reach.nat is None and not inlet.reach.nat_unknown and is_served(inlet)
        for inlet in inlets
    ):
        return "none of the published ports has a rule in nat"
    if all(
        inlet.reach.nat and inlet.reach.hook == "forward" and is_lost(firewall, inlet.reach)
        for inlet in inlets
    ):
        return "no rule lets in what is sent to the published ports"
    return ""


def _is_unmasked(way: Egress) -> bool:
    """Whether packets certainly leave with the container's address, which the engine is to hide."""
    sample = way.sample
    return (
        way.network.masquerades
        and sample.outcome == "accept"
        and sample.nat is None
        and not sample.nat_unknown
    )
