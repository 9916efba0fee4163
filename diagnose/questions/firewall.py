"""Questions about the packet filter."""

from __future__ import annotations

from typing import Literal

from diagnose.model import Json
from diagnose.questions.question import Policy, Question


class ListNftables(Question[Json], frozen=True):
    """Every table, chain, rule and set of nftables."""

    POLICY = Policy("nftables", "the nftables rules", "network.process:ask", "local", "network", 3, 3)


class SaveIptables(Question[Json], frozen=True):
    """The text of iptables-save or ip6tables-save."""

    POLICY = Policy(
        "iptables", "the iptables rules", "network.iptables:iptables_save", "probe", "network", 3, 3, longest=16 * 2**20
    )
    flavour: Literal["nft", "legacy"]
    family: Literal["ip", "ip6"]

    def about(self) -> str:
        version = "IPv6" if self.family == "ip6" else "IPv4"
        return f"the {version} rules of iptables-{self.flavour}"


class ReadIpset(Question[Json], frozen=True):
    """One set of ipset."""

    POLICY = Policy("ipset", "an ipset", "network.process:ask", "local", "network", 3, 3)
    name: str

    def about(self) -> str:
        return f"ipset {self.name}"
