"""The host's packet filter: nftables, iptables over it, and the legacy tables, as one ruleset."""

import functools
import itertools
from collections.abc import Iterable
from typing import Any

import msgspec

from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall import docker
from diagnose.firewall.docker import PortRule, redirected_ports
from diagnose.firewall.iptables import named_sets
from diagnose.firewall.openings import AddressOpening, Openings
from diagnose.firewall.packet import Family, Packet
from diagnose.firewall.rules import Chain, Ruleset, Table
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.untracked import untracked, untracked_dns
from diagnose.firewall.verdict import Step
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.firewall import Flavour, ListNftables, ReadIpset, SavedRules, SaveIptables
from diagnose.questions.network import ListInterfaces
from diagnose.questions.question import Question
from diagnose.registry import evidence

__all__ = ["FAMILIES", "AddressOpening", "Firewall", "PortRule", "firewall"]

FAMILIES: tuple[Family, ...] = ("ip", "ip6")
FLAVOURS: tuple[Flavour, ...] = ("nft", "legacy")


class Firewall(msgspec.Struct, frozen=True, dict=True):
    """The ruleset of nftables, of iptables over it, and of the legacy tables."""

    ruleset: Ruleset

    @property
    def chains(self) -> tuple[Chain, ...]:
        return self.ruleset.chains

    @functools.cached_property
    def openings(self) -> Openings:
        """The rules that let in the ports that they name."""
        return Openings(self.ruleset)

    @functools.cached_property
    def docker_tables(self) -> frozenset[Table]:
        """The tables that hold chains of the engine, whether anything leads there or not."""
        return docker.homes(self.ruleset)

    @functools.cached_property
    def translates_ports(self) -> bool:
        """Whether the prerouting hook reaches the chain of Docker's published ports."""
        return docker.translates_ports(self.ruleset)

    @functools.cached_property
    def redirected_ports(self) -> frozenset[tuple[str, int]]:
        """The protocols and ports of the host that rules lead to another of its ports."""
        return redirected_ports(self.ruleset)

    @functools.cached_property
    def port_rules(self) -> tuple[PortRule, ...]:
        """The engine's rules that send a port of the host to a container."""
        return tuple(docker.port_rules(self.ruleset))

    def untracked_dns(self, bridge: str) -> Step | None:
        """The first rule that leaves DNS queries from a bridge untracked; None without one."""
        return untracked_dns(self.ruleset.chains, bridge)

    def untracked_port(self, interface: str, protocol: str, port: int) -> Step | None:
        """The first rule that exempts packets to a port of the host from tracking, over IPv4."""
        packet = Packet(
            interface,
            oif="",
            src=None,
            dst=None,
            proto=protocol,
            dport=port,
            dst_local=True,
            src_local=False,
        )
        return untracked(self.ruleset.chains, packet)

    def names_bridge(self, bridge: str) -> bool:
        """Whether the forward hook reaches a rule about this bridge in a table of Docker's kind."""
        return docker.names_bridge(self.ruleset, bridge)

    @property
    def hides_docker(self) -> str:
        """The tables of iptables that could not be read, in which Docker's rules may stand.

        Empty where all were.
        """
        return next((part for part in self.ruleset.unread if part.startswith("iptables")), "")

    def is_lost(self, step: Step) -> bool:
        """Whether the deciding step shows that a rule of Docker's is missing.

        That rule would have taken the packet.
        """
        return docker.is_lost(self.ruleset, step)


@evidence
def firewall(host: Host, uplinks: Uplinks | Unavailable) -> Firewall | Unavailable:
    """The rules of nftables and iptables that this user may read.

    Unavailable where none can be read.
    """
    questions = {
        (flavour, family): SaveIptables(flavour, family)
        for flavour, family in itertools.product(FLAVOURS, FAMILIES)
    }
    answers: dict[Question[Any], Any] = dict(host.ask_many([ListNftables(), *questions.values()]))
    texts = {key: _text(answers[question]) for key, question in questions.items()}
    nftables = answers[ListNftables()]
    if isinstance(nftables, Failed) and texts["nft", "ip"] is None:
        return Unavailable.of(nftables)
    if isinstance(nftables, Failed) or not nftables["consistent"]:
        nftables = None
    legacy = {family: texts["legacy", family] for family in FAMILIES}
    ruleset = assemble(
        nftables,
        {family: texts["nft", family] or "" for family in FAMILIES},
        iptables_legacy={family: text for family, text in legacy.items() if text != ""},
        interfaces=uplinks.interfaces if isinstance(uplinks, Uplinks) else None,
        sets=_sets(host, filter(None, texts.values())),
        groups=_groups(host),
    )
    return Firewall(ruleset)


def _groups(host: Host) -> dict[int, list[str]] | None:
    """The names of the interfaces of each group; None where an interface tells none."""
    interfaces = host.ask(ListInterfaces())
    if isinstance(interfaces, Failed):
        return None
    groups: dict[int, list[str]] = {}
    for interface in interfaces:
        if interface.group is None:
            return None
        groups.setdefault(interface.group, []).append(interface.name)
    return groups


def _sets(host: Host, texts: Iterable[str]) -> dict[str, list[str]]:
    """The members of the sets that rules name, as far as they are addresses and could be read."""
    names = {name for text in texts for name in named_sets(text)}
    sets = host.answers_about(sorted(names), ReadIpset)
    return {name: read.members for name, read in sets.items() if read.members is not None}


def _text(answer: SavedRules | Failed) -> str | None:
    return None if isinstance(answer, Failed) else answer.text
