"""The kill switch of a VPN among the rules of the host: packets leave by its tunnel alone."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.firewall.rules import Chain
from diagnose.firewall.verdict import Step
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_KINDS = ("tun", "wireguard")
_NAMES = LazyPattern(r"(?:tun|wg|ppp|nordlynx|proton|mullvad|pia|azire)[\w.-]{0,15}")
_BY_INTERFACE = LazyPattern(r"-o (?P<name>[\w.+-]{1,16}) -j ACCEPT")
_TO_SERVER = LazyPattern(
    r"-d \S{1,50}(?: [^\n]{0,200})? -j ACCEPT|-p udp[^\n]{0,200} --dport \d{1,5} -j ACCEPT"
)
"""A rule for the server of the VPN, or for its port."""
_OF_OPEN_ONES = LazyPattern(r"(?:RELATED|ESTABLISHED)[A-Z,]{0,60} -j ACCEPT")


class KillSwitch(msgspec.Struct, frozen=True):
    """The rules for what the host sends: nothing leaves but by a tunnel."""

    by: Step | None = None
    """The policy; None where the host has no such rules."""
    tunnel: str = ""
    """The interface of the tunnel, as the rules name it: tun0 or tun+."""
    is_down: bool = False
    """Whether the host has no such interface now."""
    closed: tuple[Step, ...] = ()
    """The policies of the other chains of that table that drop everything: INPUT and FORWARD."""

    @property
    def policies(self) -> frozenset[Step]:
        """All policies that belong to it."""
        return frozenset([*self.closed, *([self.by] if self.by is not None else [])])


@evidence
def kill_switch(firewall: Firewall, links: Interfaces | None) -> KillSwitch:
    """Pure: the rules of iptables that the packet filter has already.

    Every rule of OUTPUT accepts lo, a tunnel, the VPN's server or open connections: a chain with
    any other rule belongs to an ordinary firewall.
    """
    for chain in firewall.chains:
        if chain.hook != "output" or chain.policy != "drop" or chain.table.family != "ip":
            continue
        tunnel = _only_tunnel(chain, links)
        if not tunnel:
            continue
        begin = tunnel.removesuffix("+")
        names = [link.name for link in links or () if link.up]
        return KillSwitch(
            _policy(chain),
            tunnel=tunnel,
            is_down=links is not None and not any(name.startswith(begin) for name in names),
            closed=tuple(_policy(other) for other in _closed_beside(chain, firewall.chains)),
        )
    return KillSwitch()


def _only_tunnel(chain: Chain, links: Interfaces | None) -> str:
    """The tunnel by which alone packets leave; "" where the chain has another kind of rule."""
    tunnel = ""
    for rule in chain.rules:
        match = _BY_INTERFACE.fullmatch(rule.text)
        if match and match["name"] == "lo":
            continue
        if match and _is_tunnel(match["name"], links):
            tunnel = match["name"]
        elif not (_TO_SERVER.fullmatch(rule.text) or _OF_OPEN_ONES.search(rule.text)):
            return ""
    return tunnel


def _is_tunnel(name: str, links: Interfaces | None) -> bool:
    kinds = [link.kind for link in links or () if link.name.startswith(name.removesuffix("+"))]
    return _NAMES.fullmatch(name.removesuffix("+")) is not None or any(
        kind in _KINDS for kind in kinds
    )


def _closed_beside(chain: Chain, chains: Iterable[Chain]) -> list[Chain]:
    return [
        other
        for other in chains
        if other.table == chain.table
        if other.hook in ("input", "forward") and other.policy == "drop"
    ]


def _policy(chain: Chain) -> Step:
    return Step(str(chain.table), chain.name, f"policy {chain.policy}")
