"""Whether the message "fragmentation needed" gets through to containers.

The host's packet filter may drop it.
"""

import msgspec

from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import Firewall
from diagnose.firewall.packet import Packet
from diagnose.firewall.walk import walk
from diagnose.mappings import first_of
from diagnose.registry import evidence

_FRAGMENTATION_NEEDED = 3 * 256 + 4
"""ICMP type 3 (destination unreachable), code 4."""


class PathMtu(msgspec.Struct, frozen=True):
    """The rule that drops the host's own ICMP errors on their way to containers, by bridge."""

    blocked: dict[str, str]
    """Bridge -> rule, only where that is certain."""
    clamped: str = ""
    """The rule that makes TCP connections agree on smaller packets, so that they never need that
    message; empty without one."""


@evidence
def path_mtu(firewall: Firewall, networks: Networks) -> PathMtu:
    """The rules that drop the host's own ICMP errors, by a trace for each bridge.

    The trace uses the output hook: the host itself writes that message.
    """
    blocked = {}
    for network in networks.bridges:
        error = Packet(
            iif=None,
            oif=network.bridge,
            src=first_of(network.gateways, None),
            dst=None,
            proto="icmp",
            state="related",
            dst_local=False,
            src_local=True,
            icmp=_FRAGMENTATION_NEEDED,
        )
        verdict = walk(firewall.ruleset, "output", error)
        if verdict.outcome in ("drop", "reject"):
            blocked[network.bridge] = str(verdict.by)
    rules = (rule.text for chain in firewall.ruleset.chains for rule in chain.rules)
    clamping = (text for text in rules if "TCPMSS" in text or "maxseg" in text)
    return PathMtu(blocked, next(clamping, ""))
