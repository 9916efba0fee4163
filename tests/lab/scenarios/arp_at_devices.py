"""Rules of nftables about ARP at an interface itself; and the healthy twin."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, status_outside

_GUARD = """nft -f - <<'END'
table netdev guard {
  chain ingress {
    type filter hook ingress device "eth0" priority 0; policy %s;
    %s
  }
}
END
ip neigh flush all"""


@fault("firewall.arp-dropped", subject="host:host", also=[("network.*", "*"), ("dns.*", "*")])
def uplink_that_takes_ip_alone(box: Box) -> None:
    """A guard against floods lets IP in by the uplink, and forgets ARP."""
    healthy_container(box, "arp93", 18393)
    assert status_outside(box, 18393, "/") == "200"
    box.sh(_GUARD % ("drop", "ether type { ip, ip6 } accept"))
    box.provider.sh("ip neigh flush all || true")
    assert status_outside(box, 18393, "/") != "200"
    box.sh(first_command(box, "firewall.arp-dropped", "host"))
    box.wait_for(lambda: status_outside(box, 18393, "/") == "200", what="the shop")
    box.sh("nft flush chain netdev guard ingress")
    box.sh("nft add rule netdev guard ingress 'ether type { ip, ip6 }' accept; ip neigh flush all")
    box.provider.sh("ip neigh flush all || true")
    assert status_outside(box, 18393, "/") != "200"


@healthy(advice=None)
def uplink_that_takes_arp_too(box: Box) -> None:
    """The same with ARP among what is let in."""
    healthy_container(box, "arp94", 18394)
    box.sh(_GUARD % ("drop", "ether type { ip, ip6, arp } accept"))
    assert status_outside(box, 18394, "/") == "200"
