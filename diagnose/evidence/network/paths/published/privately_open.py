"""Published ports that a rule leaves open to private addresses only, as ufw-docker's rules do."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.items import Items
from diagnose.evidence.machine.drop_in_files import drop_in_paths
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.paths.packet_paths import USER_CHAIN, InboundPath, PacketPaths, Step
from diagnose.evidence.network.rules.dropping_rules import packets_of
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.flow import Flow, Origin
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.trace import trace
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.firewall import ListNftables
from diagnose.registry import evidence

_PRIVATE_CLIENTS = ("192.168.77.77", "10.77.77.77", "172.29.77.77")
"""A client of each private range (RFC 1918)."""
_JUMP = LazyPattern(r"-j (ufw-\S+)|\bjump (ufw-\S+)")
_SETTINGS = "/etc/ufw/ufw.conf"
_ENABLED = LazyPattern(r"(?im)^[ \t]*ENABLED[ \t]*=[ \t]*[\"']?yes\b")
_FOLDERS = ("/etc/ufw",)
_OTHER_FILES = (
    "/etc/iptables/rules.v4",
    "/etc/iptables.rules",
    "/etc/sysconfig/iptables",
    "/etc/nftables.conf",
)
"""Files of rules that programs load at a start."""


class PrivatelyOpen(msgspec.Struct, frozen=True):
    """The ports that one rule closes to all but private addresses."""

    by: Step
    inbound_paths: tuple[InboundPath, ...]
    is_of_ufw: bool
    """Whether the rule belongs to ufw's chains in DOCKER-USER."""
    left_over: str
    """The reason why ufw does not maintain the rules any more; "" if it does."""
    dropped: int | None
    """Packets that the rule has dropped; None where it does not count them."""
    has_open_neighbours: bool
    """Whether another published port is open to everybody."""


class PrivatelyOpenPorts(Items[PrivatelyOpen], frozen=True):
    """The privately open ports, in their order."""


@evidence
def privately_open_ports(
    host: Host, host_stack: HostStack, firewall: Firewall, packet_paths: PacketPaths
) -> PrivatelyOpenPorts:
    """The ports that are open only to private clients, by a rule of ufw.

    Counters and files are read only where there is such a rule. A rule without any packets shuts
    out no client.
    """
    inbound_paths = list(_half_open(packet_paths, host_stack.stack))
    if not inbound_paths:
        return PrivatelyOpenPorts()
    answer = host.ask(ListNftables())
    packets = {} if isinstance(answer, Failed) else packets_of(answer, firewall)
    is_of_ufw = _has_ufw_rules(firewall)
    left_over = _why_unmaintained(host) if is_of_ufw else ""
    has_open_neighbours = any(
        inbound.sample.outcome == "accept" for inbound in packet_paths.inbound_paths
    )
    by_rule = by_key((_rule_of(inbound), inbound) for inbound in inbound_paths)
    return PrivatelyOpenPorts(
        tuple(
            PrivatelyOpen(
                by=step,
                inbound_paths=tuple(closed),
                is_of_ufw=is_of_ufw,
                left_over=left_over,
                dropped=packets.get(step),
                has_open_neighbours=has_open_neighbours,
            )
            for step, closed in by_rule.items()
            if packets.get(step) != 0
        )
    )


def _rule_of(inbound: InboundPath) -> Step:
    assert inbound.sample.by is not None
    return inbound.sample.by


def _half_open(paths: PacketPaths, stack: NetworkStack) -> Iterator[InboundPath]:
    """The ports of IPv4 that are closed to a public client, and open to a private one."""
    for inbound in paths.inbound_paths:
        sample = inbound.sample
        is_closed = sample.is_blocked and sample.hook == "forward" and sample.by is not None
        if is_closed and not inbound.reach.is_blocked and _lets_in_private(inbound, stack):
            yield inbound


def _lets_in_private(inbound: InboundPath, stack: NetworkStack) -> bool:
    return all(
        trace(stack, _flow(inbound, client)).outcome == "accept" for client in _PRIVATE_CLIENTS
    )


def _flow(inbound: InboundPath, client: str) -> Flow:
    device = inbound.uplink.name
    return Flow(
        Origin(device, client),
        inbound.host_address,
        inbound.protocol,
        inbound.host_port,
        assumed=device,
    )


def _has_ufw_rules(firewall: Firewall) -> bool:
    """Whether DOCKER-USER leads to chains of ufw."""
    return any(
        _JUMP.search(rule.text)
        for chain in firewall.chains
        if chain.name == USER_CHAIN
        for rule in chain.rules
    )


def _why_unmaintained(host: Host) -> str:
    """The reason why no program maintains these rules any more; "" where one does.

    "" too where files could not be read.
    """
    texts = dict(host.ask_many([ReadFile(path) for path in (*_rule_files(host), *_OTHER_FILES)]))
    if any(isinstance(text, Failed) and text.reason != "missing" for text in texts.values()):
        return ""
    read = [text.text for text in texts.values() if not isinstance(text, Failed)]
    settings = host.ask(ReadFile(_SETTINGS))
    if isinstance(settings, Failed):
        has_rules = any(USER_CHAIN in text for text in read)
        return "ufw is not installed" if settings.reason == "missing" and not has_rules else ""
    if not any(USER_CHAIN in text for text in read):
        return f"no file in {_FOLDERS[0]} has them"
    return "" if _ENABLED.search(settings.text) else "ufw is disabled"


def _rule_files(host: Host) -> list[str]:
    return [*drop_in_paths(host, _FOLDERS, ".rules"), *drop_in_paths(host, _FOLDERS, ".init")]
