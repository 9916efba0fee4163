"""Rules of nftables about ARP: those that cut everybody off, and those that harm nobody."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import status_outside

_DROPS = """nft -f - <<'END'
table arp filter {
  chain input {
    type filter hook input priority 0; policy %s;
    iifname "eth0" accept
    %s
  }
}
END
ip neigh flush all"""


@fault("firewall.arp-dropped", subject="host:host", also=[("network.*", "*"), ("dns.*", "*")])
def policy_that_drops_arp(box: Box) -> None:
    """A firewall has a chain for ARP with the policy drop, and knows the uplink alone."""
    healthy_container(box, "arp95", 18395)
    assert status_outside(box, 18395, "/") == "200"
    box.sh(_DROPS % ("drop", ""))
    pid = box.inspect("arp95")["State"]["Pid"]
    box.sh(f"nsenter -t {pid} -n ip neigh flush all")
    assert status_outside(box, 18395, "/") != "200"


@healthy(advice=None)
def rule_that_drops_arp_of_another_interface(box: Box) -> None:
    """A chain for ARP that drops what comes in by an interface that has nothing to do with it."""
    healthy_container(box, "arp96", 18396)
    box.sh(_DROPS % ("accept", 'iifname "wlan7" drop'))
    assert status_outside(box, 18396, "/") == "200"


@healthy(advice=None)
def rules_about_a_virtual_address(box: Box) -> None:
    """keepalived and LVS keep ARP of a virtual address back, on the host and for its containers."""
    healthy_container(box, "arp97", 18397)
    box.sh(
        "nft add table arp keepalived; "
        "nft add chain arp keepalived in '{ type filter hook input priority 0; }'; "
        "nft add chain arp keepalived out '{ type filter hook output priority 0; }'; "
        "nft add rule arp keepalived in arp daddr ip 192.0.2.77 drop; "
        "nft add rule arp keepalived out arp saddr ip 192.0.2.77 drop"
    )
    assert status_outside(box, 18397, "/") == "200"
