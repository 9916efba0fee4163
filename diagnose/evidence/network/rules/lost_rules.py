"""The rules of the engine that are missing, and the repair that puts them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules.packet_filter import FLAVOURS, Firewall
from diagnose.evidence.network.wiring.engine_bridges import bridges_of
from diagnose.firewall import iptables
from diagnose.firewall.docker import NFTABLES_TABLE
from diagnose.firewall.engine_rules import Bridge, PublishedPort, wanted_rules
from diagnose.firewall.packet import Family
from diagnose.firewall.restore import with_restored
from diagnose.firewall.rule_repair import Repair, present, repair
from diagnose.firewall.rules import Ruleset, Table
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.firewall import Flavour, SaveIptables
from diagnose.registry import evidence

if TYPE_CHECKING:
    from diagnose.firewall.native_rules import NativeTable

KNOWN_MODES = ("nat", "routed")
"""Gateway modes whose rules were seen on a real engine."""
UNKNOWN_OPTIONS = (
    "com.docker.network.bridge.trusted_host_interfaces",
    "com.docker.network.host_ipv4",
    "com.docker.network.host_ipv6",
)
"""Options of a network that change its rules in a way that was not seen on a real engine."""
NATIVE = "nftables"
"""The engine's name for its nftables backend."""
INGRESS = ":DOCKER-INGRESS "
"""The chain of swarm's routing mesh in an output of iptables-save; its rules are not known here."""


class RuleRepair(msgspec.Struct, frozen=True):
    """The command and text that restore the engine's rules, and the packet filter afterwards."""

    command: str
    """The command that takes the text on its standard input."""
    text: str
    missing: tuple[str, ...]
    """The rules that are missing, each with its table or chain."""
    stale: tuple[str, ...]
    """The rules for removed containers, in the same form."""
    families: tuple[Family, ...]
    """The families whose rules the repair knows."""
    ruleset: Ruleset
    """The whole packet filter as it would be."""
    chains: tuple[str, ...] = ()
    """The engine's own chains of iptables that are gone, by the table: `filter DOCKER-FORWARD`."""


class LostRules(msgspec.Struct, frozen=True):
    """The engine's rules that are missing, and the rules left over from former containers.

    With the iptables backend the rules of IPv4 are covered, with nftables those of both families.
    """

    repair: RuleRepair | None
    """The repair; None where nothing is missing or left over."""


@evidence
def lost_rules(
    host: Host,
    ping: Ping,
    info: Info,
    networks: Networks,
    containers: Containers,
    firewall: Firewall,
    config: DaemonConfig | None,
) -> LostRules | Unavailable:
    """The rules that the engine wants and the packet filter lacks.

    Unavailable where the engine writes no rules, or writes rules that are not known here.
    """
    unknown = _why_unknown(ping, info, networks, config)
    if unknown:
        return Unavailable("not allowed", unknown)
    has_proxy = config is None or config.starts_proxies
    if info.firewall_driver == NATIVE:
        return _lost_native_rules(ping, firewall, networks, containers, has_proxy=has_proxy)
    rules = _engines_rules(host)
    flavour = rules.flavour
    text = rules.text
    if text is None:
        return Unavailable("refused", "the output of iptables-save could not be had")
    if INGRESS in text:
        return Unavailable("not allowed", "the rules of swarm's routing mesh are not known here")
    bridges = bridges_of(networks, containers, "ip")
    tables = wanted_rules(ping.version, bridges, has_proxy=has_proxy)
    if tables is None:
        return _unknown_layout(ping)
    rule_repair = repair(tables, present(text), [bridge.subnet for bridge in bridges])
    if rule_repair is None:
        return LostRules(None)
    mended = _with_saved(firewall.ruleset, flavour, with_restored(text, rule_repair.text))
    return LostRules(_repair_by_iptables(rule_repair, flavour, mended))


def _repair_by_iptables(lost: Repair, flavour: Flavour, mended: Ruleset) -> RuleRepair:
    """The command that puts lost rules back, with its input.

    mended: the packet filter as it is afterwards.
    """
    program = "iptables-legacy-restore" if flavour == "legacy" else "iptables-restore"
    return RuleRepair(
        f"{program} --noflush --wait",
        text=lost.text,
        missing=lost.missing,
        stale=lost.stale,
        families=("ip",),
        ruleset=mended,
        chains=lost.chains,
    )


class _EnginesRules(msgspec.Struct, frozen=True):
    """The rules that the engine has written, and their flavour of iptables."""

    flavour: Flavour
    text: str | None
    """None if no rules were read."""


def _engines_rules(host: Host) -> _EnginesRules:
    texts = {flavour: _saved_rules(host, flavour) for flavour in FLAVOURS}
    if _holds_docker(texts["legacy"]) and not _holds_docker(texts["nft"]):
        return _EnginesRules("legacy", texts["legacy"])
    return _EnginesRules("nft", texts["nft"])


def _with_saved(ruleset: Ruleset, flavour: Flavour, text: str) -> Ruleset:
    """The packet filter with these IPv4 rules of iptables as the replacement of its own.

    A rule that exists now is taken as it was read: only that one knows the members of its sets.
    """
    tables = {Table(flavour, "ip", name) for name in iptables.tables(text)}
    saved = {
        (chain.table, rule.text): rule
        for chain in ruleset.chains
        if chain.table in tables
        for rule in chain.rules
    }
    other_chains = [chain for chain in ruleset.chains if chain.table not in tables]
    mended = []
    for chain in iptables.chains(text, flavour, "ip"):
        rules = [saved.get((chain.table, rule.text), rule) for rule in chain.rules]
        mended.append(replace(chain, rules=tuple(rules)))
    return replace(ruleset, chains=(*mended, *other_chains))


def _lost_native_rules(
    ping: Ping, firewall: Firewall, networks: Networks, containers: Containers, *, has_proxy: bool
) -> LostRules | Unavailable:
    """The missing rules in the tables that an engine with the nftables backend writes."""
    if not (29, 7) <= ping.version < (30,):
        return _unknown_layout(ping)
    if "nftables" in firewall.ruleset.unread:
        return Unavailable("refused", "the nftables rules could not be read")
    families: tuple[Family, ...] = ("ip", "ip6")
    bridges = {family: bridges_of(networks, containers, family) for family in families}
    if any(port.protocol not in ("tcp", "udp") for port in _all_ports(bridges.values())):
        return Unavailable(
            "not allowed", "the rules of a port that is not TCP or UDP are not known"
        )
    from diagnose.firewall.native_rules import native_table  # few engines write these

    tables = [native_table(family, bridges[family], has_proxy=has_proxy) for family in families]
    return LostRules(_native_repair(firewall, tables))


def _native_repair(firewall: Firewall, tables: Sequence[NativeTable]) -> RuleRepair | None:
    """The repair that gives the engine's own tables this content; None where they have it."""
    missing: list[str] = []
    stale: list[str] = []
    for table in tables:
        own_table = _own_table(table.family)
        own_chains = [chain for chain in firewall.chains if chain.table == own_table]
        missing += table.missing_in(own_chains)
        stale += table.stale_in(own_chains)
    if not missing and not stale:
        return None
    return RuleRepair(
        "nft -f -",
        text="\n".join(table.text for table in tables) + "\n",
        missing=tuple(missing),
        stale=tuple(stale),
        families=tuple(table.family for table in tables),
        ruleset=_with_tables(firewall, tables),
    )


def _with_tables(firewall: Firewall, tables: Sequence[NativeTable]) -> Ruleset:
    """The packet filter with these tables as the replacement of the engine's own."""
    own_tables = {_own_table(table.family) for table in tables}
    other_chains = [chain for chain in firewall.chains if chain.table not in own_tables]
    written_chains = [chain for table in tables for chain in table.chains]
    return replace(firewall.ruleset, chains=(*other_chains, *written_chains))


def _own_table(family: Family) -> Table:
    """The engine's table of this family."""
    return Table("nft", family, NFTABLES_TABLE)


def _all_ports(bridges: Iterable[Sequence[Bridge]]) -> Iterator[PublishedPort]:
    return (port for listed in bridges for bridge in listed for port in bridge.ports)


def _unknown_layout(ping: Ping) -> Unavailable:
    version = ".".join(map(str, ping.version))
    return Unavailable(
        "not allowed", f"the layout of the rules of engine {version} is not known here"
    )


def _why_unknown(ping: Ping, info: Info, networks: Networks, config: DaemonConfig | None) -> str:
    """The reason why the expected rules are not known; empty where they are."""
    if ping.is_podman or info.is_rootless:
        return "only the rules of a Docker engine that runs as root are known here"
    if config is not None and not config.writes_rules:
        return "the engine is configured to write no rules"
    for network in networks.bridges:
        if not _is_known(network):
            return f"the rules of {network} are not known here"
        if [subnet.version for subnet in network.subnets].count(4) != 1:
            return f"{network} has not one IPv4 subnet"
    return ""


def _is_known(network: Network) -> bool:
    """Whether the rules that an engine writes for a network with these options are known."""
    mode, mode6 = (
        network.option(f"com.docker.network.bridge.gateway_mode_{family}", "nat")
        for family in ("ipv4", "ipv6")
    )
    if mode not in KNOWN_MODES or mode6 != "nat":
        return False
    return not any(network.option(option) for option in UNKNOWN_OPTIONS)


def _saved_rules(host: Host, flavour: Flavour) -> str | None:
    answer = host.ask(SaveIptables(flavour=flavour, family="ip"))
    return None if isinstance(answer, Failed) else answer.text


def _holds_docker(text: str | None) -> bool:
    return text is not None and "\n:DOCKER" in text
