"""Questions about the packet filter."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question

Flavour = Literal["nft", "legacy"]
"""Which of the kernel's packet filters an iptables program speaks to."""


class ListNftables(Question[Json], frozen=True):
    """Every table, chain, rule and set of nftables."""

    POLICY = Policy(
        "nftables",
        what="the nftables rules",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=3,
        priority=3,
    )


class ChainCounters(msgspec.Struct, frozen=True):
    """How many packets each rule of a chain has matched, in the order of its rules.

    None for a rule without a counter.
    """

    family: str
    table: str
    chain: str
    packets: list[int | None]


class CountPackets(Question[list[ChainCounters]], frozen=True):
    """The counters of the rules of some chains of nftables, a moment after its rules were read."""

    POLICY = Policy(
        "nftables.counters",
        what="the counters of nftables rules",
        collector="network.process:count_later",
        lane="probe",
        scope="network",
        deadline=4,
        priority=4,
    )
    chains: Sequence[tuple[str, str, str]]
    """Each as family, table and name."""


class SavedRules(msgspec.Struct, frozen=True):
    """The output of iptables-save."""

    text: str
    command: list[str] | None = None
    """The program that wrote it; None where there is none to ask, and then no rules."""


class SaveIptables(Question[SavedRules], frozen=True):
    """The text of iptables-save or ip6tables-save."""

    POLICY = Policy(
        "iptables",
        what="the iptables rules",
        collector="network.iptables:iptables_save",
        lane="probe",
        scope="network",
        deadline=3,
        priority=3,
        longest=16 * 2**20,
    )
    flavour: Flavour
    family: Literal["ip", "ip6"]
    pid: int = 0
    """A process in the network namespace that is meant; 0 for the tool's own namespace."""

    def about(self) -> str:
        version = "IPv6" if self.family == "ip6" else "IPv4"
        place = f" in the network namespace of process {self.pid}" if self.pid else ""
        return f"the {version} rules of iptables-{self.flavour}{place}"


class CountLegacyPackets(Question[list[str]], frozen=True):
    """The rules of iptables-legacy with their counters, as iptables-save writes them, twice.

    The second text is of a moment later. Both are empty where there are no such rules.
    """

    POLICY = Policy(
        "iptables.counters",
        what="the counters of iptables-legacy's rules",
        collector="network.iptables:counted_twice",
        lane="probe",
        scope="network",
        deadline=6,
        priority=4,
        longest=32 * 2**20,
    )
    family: Literal["ip", "ip6"]


class IpsetMembers(msgspec.Struct, frozen=True):
    """The addresses in a set; None for a set of a kind that holds something else."""

    members: list[str] | None


class ReadIpset(Question[IpsetMembers], frozen=True):
    """One set of ipset."""

    POLICY = Policy(
        "ipset",
        what="an ipset",
        collector="network.process:ask",
        lane="local",
        scope="network",
        deadline=3,
        priority=3,
    )
    name: str

    def about(self) -> str:
        return f"ipset {self.name}"
