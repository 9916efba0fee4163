"""Rules that drop the neighbour discovery of IPv6, and firewalls that know of it."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import IPV6_RULES, healthy_container

_GATEWAY = "fd00:66::1"
_CLOSED = """
    ip6tables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    ip6tables -A INPUT -i lo -j ACCEPT
    ip6tables -A INPUT -p tcp --dport 22 -j ACCEPT
    ip6tables -P INPUT DROP
"""
_BY_UFW = "\n".join(
    f"ip6tables -I INPUT -p icmpv6 --icmpv6-type {kind} -m hl --hl-eq 255 -j ACCEPT"
    for kind in (133, 134, 135, 136)
)


def _network(box: Box) -> None:
    box.docker("network", "create", "--ipv6", "--subnet=fd00:66::/64", "shop66")
    healthy_container(box, "cart66", 18391, "--network=shop66")


def _finds(box: Box, name: str, address: str) -> bool:
    """Whether a container gets the hardware address of its IPv6 neighbour.

    A new address is not used for some seconds, until it is known to be nobody else's.
    """
    pid = str(box.inspect(name)["State"]["Pid"])
    enter = ["nsenter", "-t", pid, "-n"]
    call = ["curl", "-s", "--noproxy", "*", "--max-time", "1", f"http://[{address}]:9/"]
    box.run([*enter, "ip", "-6", "neigh", "flush", "all"], check=False)
    for _ in range(5):
        box.run([*enter, *call], check=False)
        if "lladdr" in box.run([*enter, "ip", "-6", "neigh", "show", address]).stdout:
            return True
    return False


@fault("firewall.neighbour-discovery-dropped", subject="host:host")
def input_closed_to_neighbour_discovery(box: Box) -> None:
    """An IPv6 firewall accepts established connections and ssh, and forgets neighbour discovery."""
    _network(box)
    assert _finds(box, "cart66", _GATEWAY)
    box.sh(_CLOSED)
    assert not _finds(box, "cart66", _GATEWAY)


@fault("firewall.neighbour-discovery-dropped", subject="host:host")
def native_rules_without_neighbour_discovery(box: Box) -> None:
    """An nftables firewall accepts ICMP, and means that of IPv4 alone."""
    _network(box)
    box.sh("""nft -f - <<'END'
table inet guard {
  chain incoming {
    type filter hook input priority 0; policy drop;
    ct state { established, related } accept
    iif lo accept
    ip protocol icmp accept
    meta nfproto ipv4 accept
  }
}
END""")
    assert not _finds(box, "cart66", _GATEWAY)


@fault("firewall.neighbour-discovery-dropped", subject="host:host", config=IPV6_RULES)
def icmp_of_containers_dropped(box: Box) -> None:
    """An administrator drops all ICMPv6 of containers, and bridged packets meet ip6tables."""
    _network(box)
    healthy_container(box, "pay66", 18392, "--network=shop66")
    box.sh("sysctl -qw net.bridge.bridge-nf-call-ip6tables=1")
    peer = box.inspect("pay66")["NetworkSettings"]["Networks"]["shop66"]["GlobalIPv6Address"]
    assert _finds(box, "cart66", peer)
    box.sh("ip6tables -I DOCKER-USER -p icmpv6 -j DROP 2>/dev/null || ip6tables -I FORWARD -j DROP")
    assert not _finds(box, "cart66", peer)


@healthy()
def input_open_to_neighbour_discovery(box: Box) -> None:
    """The same firewall with ufw's rules for neighbour discovery."""
    _network(box)
    box.sh(_CLOSED + _BY_UFW)
    assert _finds(box, "cart66", _GATEWAY)


@healthy()
def native_rules_with_neighbour_discovery(box: Box) -> None:
    """An nftables firewall with the usual set of ICMPv6 types."""
    _network(box)
    box.sh("""nft -f - <<'END'
table inet guard {
  chain incoming {
    type filter hook input priority 0; policy drop;
    ct state { established, related } accept
    iif lo accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
    meta nfproto ipv4 accept
  }
}
END""")
    assert _finds(box, "cart66", _GATEWAY)
