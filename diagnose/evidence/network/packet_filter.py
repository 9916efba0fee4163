"""The host's packet filter: nftables, iptables over it, and the legacy tables, as one ruleset."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from diagnose.evidence.network.uplinks import Uplinks
from diagnose.firewall import docker
from diagnose.firewall.docker import PortRule
from diagnose.firewall.iptables import sets as named_sets
from diagnose.firewall.rules import Chain, Family, Ruleset, Table
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.walk import Step
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.firewall import ListNftables, ReadIpset, SaveIptables
from diagnose.questions.question import Question
from diagnose.registry import evidence
from diagnose.shapes import convert

__all__ = ["FAMILIES", "Firewall", "PortRule", "firewall"]

FAMILIES: tuple[Family, ...] = ("ip", "ip6")


class Firewall(msgspec.Struct, frozen=True, dict=True):
    """The ruleset of nftables, of iptables over it, and of the legacy tables."""

    ruleset: Ruleset

    @property
    def chains(self) -> tuple[Chain, ...]:
        return self.ruleset.chains

    @functools.cached_property
    def docker_tables(self) -> frozenset[Table]:
        """The tables that hold chains of the engine, whether anything leads there or not."""
        return docker.homes(self.ruleset)

    @functools.cached_property
    def translates_ports(self) -> bool:
        """Whether the chain in which Docker keeps the published ports is reached from the prerouting hook."""
        return docker.translates_ports(self.ruleset)

    @functools.cached_property
    def port_rules(self) -> tuple[PortRule, ...]:
        """The engine's rules that send a port of the host to a container."""
        return tuple(docker.port_rules(self.ruleset))

    def names_bridge(self, bridge: str) -> bool:
        """Whether a rule about this bridge in a table of Docker's kind is reached from the forward hook."""
        return docker.names_bridge(self.ruleset, bridge)

    @property
    def hides_docker(self) -> str:
        """The tables of iptables that could not be read, in which Docker's rules may stand; empty where all were."""
        return next((each for each in self.ruleset.unread if each.startswith("iptables")), "")

    def is_lost(self, by: Step) -> bool:
        """Whether what decided shows that a rule of Docker's, which should have taken the packet, is not there."""
        return docker.is_lost(self.ruleset, by)


@evidence
def firewall(host: Host, uplinks: Uplinks | Unavailable) -> Firewall | Unavailable:
    """What may be read of it; unavailable when nothing may."""
    asked = {
        **{("nft", family): SaveIptables("nft", family) for family in FAMILIES},
        **{("legacy", family): SaveIptables("legacy", family) for family in FAMILIES},
    }
    answers = dict(host.ask_many([ListNftables(), *asked.values()]))
    nftables = answers[ListNftables()]
    texts = {which: answers[wanted] for which, wanted in asked.items()}
    if isinstance(nftables, Failed) and isinstance(texts["nft", "ip"], Failed):
        return Unavailable.of(nftables)
    return Firewall(
        assemble(
            None if isinstance(nftables, Failed) or not nftables["consistent"] else nftables,
            {family: _text(texts["nft", family]) or "" for family in FAMILIES},
            {family: _text(texts["legacy", family]) for family in FAMILIES if _text(texts["legacy", family]) != ""},
            uplinks.interfaces if isinstance(uplinks, Uplinks) else None,
            _sets(host, {name for answer in texts.values() for name in named_sets(_text(answer) or "")}),
        )
    )


class _Set(msgspec.Struct, frozen=True):
    members: list[str] | None


def _sets(host: Host, names: set[str]) -> dict[str, list[str]]:
    """The members of those sets that could be read and hold addresses."""
    asked: dict[Question[Any], str] = {ReadIpset(name): name for name in sorted(names)}
    answers = ((asked[wanted], answer) for wanted, answer in host.ask_many(asked) if not isinstance(answer, Failed))
    return {name: read for name, answer in answers if (read := convert(answer, _Set).members) is not None}


def _text(answer: Any) -> str | None:
    return None if isinstance(answer, Failed) else str(answer["text"])
