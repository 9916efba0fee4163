"""Copies of evidence without a cause in the packet filter or in forwarding.

Pure edits of evidence.
"""

from msgspec.structs import replace

from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths
from diagnose.evidence.network.paths.wanted.wanted_paths import ARRIVES, WantedPath, WantedPaths
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.model import Edit, Finding
from diagnose.registry import without

PASSES = ConnectionVerdict("accept", nat_unknown=True)
"""The verdict for a connection where Docker's rules are as the engine writes them."""


@without("firewall.forwarding-off")
def forwarding_on(forwarding: Forwarding) -> Edit:
    """All forwarding settings are 1."""
    on = {name: "1" if value == "0" else value for name, value in forwarding.by_interface.items()}
    everywhere6 = "1" if forwarding.everywhere6 == "0" else forwarding.everywhere6
    return {
        Forwarding: replace(forwarding, everywhere="1", by_interface=on, everywhere6=everywhere6)
    }


@without("firewall.chains-missing", "firewall.masquerade-missing", "firewall.forward-dropped")
def paths_open(
    finding: Finding, packet_paths: PacketPaths, resolver_paths: ResolverPaths | None
) -> Edit:
    """Packets that leave the finding's networks get through, with the host's address.

    Queries to DNS servers get through too.
    """
    touched = {finding.subject, *finding.touches}

    def opened(outbound: OutboundPath) -> OutboundPath:
        if outbound.network.subject in touched:
            return replace(outbound, reach=PASSES, sample=PASSES)
        return outbound

    def answered(path: ResolverPath) -> ResolverPath:
        return replace(path, trace=ARRIVES) if path.network.subject in touched else path

    edit: Edit = {
        PacketPaths: replace(
            packet_paths,
            outbound_paths=tuple(opened(outbound) for outbound in packet_paths.outbound_paths),
        )
    }
    if resolver_paths is not None:
        edit = {
            **edit,
            ResolverPaths: replace(
                resolver_paths, items=tuple(answered(path) for path in resolver_paths)
            ),
        }
    return edit


@without("firewall.backend-mixed")
def one_backend(firewall: Firewall) -> Edit | None:
    """Only the iptables backend that Docker writes to has rules.

    None where Docker has chains in both.
    """
    docker = {table.backend for table in firewall.docker_tables if table.family == "ip"}
    if len(docker) != 1:
        return None
    strange = {"nft", "legacy"} - docker
    other_chains = tuple(chain for chain in firewall.chains if chain.table.backend not in strange)
    return {Firewall: replace(firewall, ruleset=replace(firewall.ruleset, chains=other_chains))}


@without("firewall.input-dropped", "firewall.between-containers")
def wanted_paths_open(finding: Finding, wanted_paths: WantedPaths) -> Edit:
    """The connections that the touched containers need get through."""
    touched = {finding.subject, *finding.touches}

    def opened(path: WantedPath) -> WantedPath:
        return replace(path, trace=ARRIVES) if path.want.container.subject in touched else path

    return {WantedPaths: replace(wanted_paths, items=tuple(opened(path) for path in wanted_paths))}
