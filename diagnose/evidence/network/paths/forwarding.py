"""Whether the kernel forwards packets between interfaces."""

import msgspec

from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

FORWARDING6 = "net.ipv6.conf.all.forwarding"


class Forwarding(msgspec.Struct, frozen=True):
    """Kernel settings, text as in /proc/sys; None where there is none (br_netfilter not loaded)."""

    everywhere: str | None
    by_interface: dict[str, str | None]
    """`forwarding` of the bridges and uplinks; a packet is forwarded if its incoming interface says
    1."""
    bridge_filter: str | None
    everywhere6: str | None = None
    """Of IPv6, where one setting decides (ip6_forward, net/ipv6/ip6_output.c); asked where a
    network has it."""

    def forwards_from(self, interface: str) -> bool:
        """Whether nothing says that packets from an interface are not forwarded."""
        return "0" not in (self.everywhere, self.by_interface.get(interface))

    @property
    def off(self) -> list[str]:
        """The interfaces from which nothing is forwarded."""
        return sorted(name for name, value in self.by_interface.items() if value == "0")


@evidence
def forwarding(host: Host, networks: Networks, uplinks: Uplinks | None) -> Forwarding | Unavailable:
    """The kernel settings of forwarding, which every user may read."""
    interfaces = [network.bridge for network in networks.bridges]
    if uplinks is not None:
        interfaces += [uplink.name for uplink in uplinks]
    keys_by_interface = {
        interface: f"net/ipv4/conf/{interface}/forwarding" for interface in interfaces
    }
    names = [
        "net.ipv4.ip_forward",
        "net.bridge.bridge-nf-call-iptables",
        *keys_by_interface.values(),
    ]
    answer = host.require(ReadSysctls(names=names))
    by_interface = {interface: answer.get(name) for interface, name in keys_by_interface.items()}
    everywhere6 = None
    if any(network.enable_ipv6 for network in networks.bridges):
        answer6 = host.ask(ReadSysctls(names=[FORWARDING6]))
        everywhere6 = None if isinstance(answer6, Failed) else answer6.get(FORWARDING6)
    return Forwarding(answer.get(names[0]), by_interface, answer.get(names[1]), everywhere6)
