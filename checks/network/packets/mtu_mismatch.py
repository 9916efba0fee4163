"""Packets that are larger than the host's uplink carries."""

from __future__ import annotations

import msgspec

from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.packet_size.mtu_harm import Harm, MtuHarm
from diagnose.evidence.network.packet_size.packet_sizes import (
    MTU_OPTION,
    OversizedNetwork,
    PacketSizes,
)
from diagnose.evidence.network.packet_size.path_mtu import PathMtu
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import named, sentence
from diagnose.registry import check


@check("network.mtu-mismatch", severity=Severity.advice)
def mtu_mismatch(
    sizes: PacketSizes, path_mtu: PathMtu | None, mtu_harm: MtuHarm | None
) -> CheckResult:
    """Containers send larger packets than the host's uplink carries.

    The host says so by ICMP and most connections adapt, so that it is advice. It is a warning where
    the host's own packet filter keeps that message from the containers, where a DNS query of full
    size is lost, where connections repeat large packets without an acknowledgement, and where logs
    mention answers that do not arrive. An overlay network adds 50 bytes to each packet.
    """
    if not sizes.limit:
        return Skipped("the host has no IPv4 default route")
    clamped = "" if path_mtu is None else path_mtu.clamped
    bridges = [oversized for oversized in sizes if oversized.network.is_bridge]
    if clamped and len(bridges) == len(sizes):
        return Skipped(f"the packet filter makes connections agree on a smaller size: {clamped}")
    for oversized in sizes:
        if not (clamped and oversized.network.is_bridge):
            yield _finding(oversized, sizes, path_mtu, mtu_harm)
    return None


class _Proof(msgspec.Struct, frozen=True):
    """What shows that packets are lost.

    The rule that drops the ICMP message, and signs that containers show.
    """

    rule: str
    harm: tuple[Harm, ...]
    probe: str

    def __bool__(self) -> bool:
        return bool(self.rule or self.harm)

    @property
    def clause(self) -> str:
        if self.rule:
            return f"{self.rule} drops the ICMP message that says so"
        if self.harm:
            names = dict.fromkeys(harm.container.name for harm in self.harm)
            return f"large packets of {named('container', names)} get lost"
        return ""


def _finding(
    oversized: OversizedNetwork,
    sizes: PacketSizes,
    path_mtu: PathMtu | None,
    mtu_harm: MtuHarm | None,
) -> Finding:
    network, members = oversized.network, oversized.members
    proof = _Proof(
        rule="" if path_mtu is None else path_mtu.blocked.get(network.bridge, ""),
        harm=() if mtu_harm is None else mtu_harm.of(oversized),
        probe="not sent" if mtu_harm is None else mtu_harm.probes.get(network.name, "not sent"),
    )
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
            "ICMP fragmentation needed, host to container": f"dropped by {proof.rule}"
            if proof.rule
            else "not dropped here",
            "DNS query of full size": proof.probe,
            **{f"container {harm.container.name}": harm.sign for harm in proof.harm[:5]},
        },
        variables=_variables(oversized, sizes),
        severity=Severity.warning if proof else Severity.advice,
        touches=subjects_of(members),
        signs=frozenset({"timeout"}),
    )


def _variables(oversized: OversizedNetwork, sizes: PacketSizes) -> PageVariables:
    """The default network is configured in daemon.json.

    A bridge's connections can be clamped, those of an overlay cannot.
    """
    network = oversized.network
    mtu = str(sizes.limit - oversized.overhead)
    variables = {"uplink": sizes.uplink, "mtu": mtu, "container": oversized.members[0].name}
    if not network.is_bridge:
        return variables | {"overlay": network.name}
    variables["clamp"] = "TCPMSS"
    if network.name == DEFAULT_NETWORK:
        return variables | {"daemon_mtu": mtu}
    return variables | {"network": network.name}
