"""Packets that are larger than the host's uplink carries."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.packet_size.lost_packets import LossProof, timeouts_behind
from diagnose.evidence.network.packet_size.mtu_harm import MtuHarm
from diagnose.evidence.network.packet_size.packet_sizes import (
    MTU_OPTION,
    OversizedNetwork,
    PacketSizes,
)
from diagnose.evidence.network.packet_size.path_mtu import PathMtu
from diagnose.evidence.network.packet_size.tunnel_sizes import TunnelSize, TunnelSizes
from diagnose.first_steps.network.packet_size_steps import packet_size_steps
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import named, sentence
from diagnose.registry import check


@check("network.mtu-mismatch", severity=Severity.advice)
def mtu_mismatch(
    sizes: PacketSizes,
    path_mtu: PathMtu | None,
    mtu_harm: MtuHarm | None,
    tunnel_sizes: TunnelSizes | None,
    containers: Containers | None,
    recent_logs: RecentLogs | None,
    clock: Clock | None,
) -> CheckResult:
    """Containers send larger packets than the host's uplink carries.

    The host reports it by ICMP and most connections adapt, so that it is advice. It is a warning
    where the host's own packet filter keeps that message from the containers, where a DNS query of
    full size is lost, where connections repeat large packets without an acknowledgement, and where
    logs mention answers that do not arrive. An overlay network adds 50 bytes to each packet.
    WireGuard adds 60: an interface of it, on the host or in a container, may have got an MTU with
    which its packets do not fit. It is a warning where programs behind it say that answers do not
    arrive.
    """
    for tunnel in tunnel_sizes or ():
        yield _tunnel_finding(tunnel, timeouts_behind(tunnel, containers, recent_logs, clock))
    if tunnel_sizes and not sizes.limit:
        return None
    if not sizes.limit:
        return Skipped("the host has no IPv4 default route")
    clamped = "" if path_mtu is None else path_mtu.clamped
    bridges = [oversized for oversized in sizes if oversized.network.is_bridge]
    if clamped and len(bridges) == len(sizes):
        return Skipped(f"the packet filter clamps connections to a smaller size: {clamped}")
    for oversized in sizes:
        if not (clamped and oversized.network.is_bridge):
            yield _finding(oversized, sizes, path_mtu, mtu_harm)


def _tunnel_finding(tunnel: TunnelSize, timeouts: dict[str, str]) -> Finding:
    container = tunnel.container
    place = f"in {container}" if container is not None else "of this host"
    small = {"tunnel": tunnel.name, "tunnel_mtu": str(tunnel.fitting)}
    inside = {"inside": container.name} if container is not None else {}
    names = sorted(timeouts)
    return Finding(
        subject=container.subject if container is not None else Subject("interface", tunnel.name),
        summary=sentence(
            f"tunnel {tunnel.name} {place} takes packets of {tunnel.mtu} bytes, which with "
            f"WireGuard's header do not fit {tunnel.carrier} (MTU {tunnel.carrier_mtu})",
            f"answers to {named('container', names)} do not arrive" if names else "",
        ),
        evidence={
            f"MTU of {tunnel.name}": tunnel.mtu,
            f"MTU of {tunnel.carrier}": tunnel.carrier_mtu,
            "MTU that fits": tunnel.fitting,
            **{f"log of {name}": line for name, line in timeouts.items()},
        },
        variables=inside | small if inside else {"host_tunnel": tunnel.name} | small,
        discriminator=tunnel.name,
        severity=Severity.warning if timeouts else Severity.advice,
        touches=tuple(Subject("container", name) for name in names),
        signs=frozenset({"timeout"}),
    )


def _finding(
    oversized: OversizedNetwork,
    sizes: PacketSizes,
    path_mtu: PathMtu | None,
    mtu_harm: MtuHarm | None,
) -> Finding:
    network = oversized.network
    members = oversized.members
    proof = LossProof(
        rule="" if path_mtu is None else path_mtu.blocked.get(network.bridge, ""),
        harm=() if mtu_harm is None else mtu_harm.of(oversized),
        probe="not sent" if mtu_harm is None else mtu_harm.probes.get(network.name, "not sent"),
    )
    fate = f"dropped by {proof.rule}" if proof.rule else "not dropped here"
    wrapped = f" plus {oversized.overhead} of the overlay" if oversized.overhead else ""
    return Finding(
        subject=network.subject,
        summary=sentence(
            f"containers on {network} send packets "
            f"of {oversized.size} bytes{wrapped}, but {sizes.uplink} carries {sizes.limit}",
            proof.clause,
        ),
        evidence={
            f"MTU inside {named('container', names_of(members))}": oversized.size,
            f"MTU of {sizes.uplink}": sizes.limit,
            f"Options.{MTU_OPTION}": network.option(MTU_OPTION) or None,
            "ICMP fragmentation needed, host to container": fate,
            "DNS query of full size": proof.probe,
            **{f"container {harm.container.name}": harm.sign for harm in proof.harm[:5]},
        },
        variables=packet_size_steps(oversized, sizes),
        severity=Severity.warning if proof else Severity.advice,
        touches=subjects_of(members),
        signs=frozenset({"timeout"}),
    )
