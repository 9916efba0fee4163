"""A VPN that takes the network which the host is on; and its healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, status_outside

CHECK = "network.local-net-diverted"
_OWN_NET = "192.0.2.0/24"
_VPN = """
ip tuntap add vpn0 mode tun
ip addr add 100.101.102.103/32 dev vpn0
ip link set vpn0 up
ip route add {announced} dev vpn0 table 52
ip rule add fwmark 0x80000/0xff0000 lookup main priority 5210
ip rule add {selector} lookup 52 priority 5270
"""


def _shop_beside_vpn(box: Box, name: str, port: int, announced: str, selector: str = "") -> None:
    healthy_container(box, name, port)
    assert status_outside(box, port, "/") == "200"
    box.sh(_VPN.format(announced=announced, selector=selector))


@fault(CHECK, subject="interface:eth0", also=["dns.*"])
def own_net_announced_by_a_vpn(box: Box) -> None:
    """The other end of a VPN announces the network that the host is on itself."""
    _shop_beside_vpn(box, "shop41", 18041, _OWN_NET)
    assert status_outside(box, 18041, "/") == "000"
    box.sh(first_command(box, CHECK, "eth0"))
    box.wait_for(lambda: status_outside(box, 18041, "/") == "200", what="an answer")
    box.sh(f"ip rule del to {_OWN_NET} lookup main priority 50")
    assert status_outside(box, 18041, "/") == "000"


@healthy()
def other_net_announced_by_a_vpn(box: Box) -> None:
    """The same VPN with the network of another office."""
    _shop_beside_vpn(box, "shop42", 18042, "10.3.0.0/24")
    assert status_outside(box, 18042, "/") == "200"


@healthy()
def own_net_by_vpn_for_one_source(box: Box) -> None:
    """The table has the host's own network, and is asked only for packets from the VPN's own
    address."""
    _shop_beside_vpn(box, "shop43", 18043, _OWN_NET, "from 100.101.102.103")
    assert status_outside(box, 18043, "/") == "200"


@healthy()
def own_net_looked_up_first(box: Box) -> None:
    """The host's own network is looked up in the main table before the VPN's."""
    _shop_beside_vpn(box, "shop44", 18044, _OWN_NET)
    box.sh(f"ip rule add to {_OWN_NET} lookup main priority 2500")
    assert status_outside(box, 18044, "/") == "200"
