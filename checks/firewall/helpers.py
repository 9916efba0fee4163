"""The functions that the checks of the packet filter share.

They name and count networks and rules, and give reasons not to judge.
"""

from collections.abc import Iterable, Iterator, Sequence

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.simulated_repair import SimulatedRepair
from diagnose.mappings import by_key, distinct
from diagnose.model import Json, PageVariables, Subject, Unexamined
from diagnose.phrases import and_more, count, numbered

ICC = "com.docker.network.bridge.enable_icc"


def left_alone(config: DaemonConfig | None) -> str:
    """The reason why the engine writes no rules here; "" where it does."""
    if config is not None and not config.writes_rules:
        return (
            "the engine is configured to leave the packet filter alone (iptables, "
            f"{config.where('iptables')})"
        )
    return ""


def with_bridges(networks: Iterable[Network]) -> tuple[Subject, ...]:
    """The networks and their bridges."""
    subjects = [
        subject
        for network in networks
        for subject in (network.subject, Subject("interface", network.bridge))
    ]
    return distinct(subjects)


def container_subjects(
    outbound_paths: Sequence[OutboundPath], inbound_paths: Sequence[InboundPath]
) -> tuple[Subject, ...]:
    """The containers of these ways, each once."""
    subjects = [way.container.subject for way in outbound_paths] + [
        way.container.subject for way in inbound_paths
    ]
    return distinct(subjects)


def first_names(names: Iterable[str]) -> str:
    """Names in alphabetical order, each once, the first three of them."""
    return and_more(sorted(set(names)))


def unsure(paths: PacketPaths) -> Iterator[Unexamined]:
    """Paths whose verdict depends on a rule that is not understood, one of each network."""
    undecided = [
        way
        for way in paths.all_ways
        if way.reach.outcome == "unknown" and way.sample.outcome == "unknown"
    ]
    for ways in by_key((way.network.name, way) for way in undecided).values():
        first = ways[0]
        yield Unexamined(first.network.subject, f"the verdict depends on {first.sample.by}")


def base_chain_evidence(firewall: Firewall, hook: str) -> dict[str, Json]:
    """The policies and the numbers of rules of the base chains that lead to Docker's rules, as
    evidence."""
    table_names = {table.name for table in firewall.docker_tables} | {"filter", "nat"}
    return {
        f"chain {chain.name} of table {chain.table}": f"policy {chain.policy}, {count(len(chain.rules), 'rule')}"
        for chain in firewall.chains
        if chain.hook == hook and chain.table.family == "ip" and chain.table.name in table_names
    }


def has_proxy(config: DaemonConfig | None) -> bool:
    """Whether docker-proxy listens on each published port."""
    return config is None or config.starts_proxies


def port_list(inbound_paths: Sequence[InboundPath]) -> str:
    """The published ports of these ways: port 80; ports 80, 443."""
    return numbered("port", sorted({inbound.host_port for inbound in inbound_paths}))


def repair_of(repair: SimulatedRepair | None, id: str) -> PageVariables:
    """The variable for the computed repair of a finding of this check.

    Empty where none is known, or where the simulation has shown that it would break something.
    """
    return {"repair": id} if repair is not None and repair.helps else {}


def simulation(repair: SimulatedRepair | None) -> dict[str, Json]:
    """The result of the simulated repair, as evidence; empty where it does not help."""
    return (
        {"after the repair, simulated": str(repair)} if repair is not None and repair.helps else {}
    )


def iptables_off(config: DaemonConfig | None) -> str:
    """The clause that names the setting by which the engine writes no rules.

    "" without its configuration.
    """
    return f"{config.where('iptables')} sets iptables to false" if config is not None else ""


def iptables_off_evidence(config: DaemonConfig | None) -> dict[str, Json]:
    """The setting that switches the engine's rules off, as evidence."""
    return (
        {"iptables": False, "configured in": config.where("iptables")} if config is not None else {}
    )


def nat_gone(firewall: Firewall, paths: PacketPaths) -> str:
    """The reason not to report a single missing rule of translation: all are gone; "" where they
    are not."""
    if paths.inbound_paths and not firewall.translates_ports:
        return "all of Docker's translation rules are gone: firewall.chains-missing"
    return ""
