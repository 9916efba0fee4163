"""Bridges of other programs, and networks that the host routes for."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB


def _other_bridge(box: Box, *, translated: bool = True) -> None:
    """A bridge as LXC makes it, with a container behind it."""
    box.sh("""
        ip link add lxcbr0 type bridge
        ip addr add 10.0.3.1/24 dev lxcbr0
        ip link set lxcbr0 up
        ip netns add lxc
        ip link add vethlxc type veth peer name eth0 netns lxc
        ip link set vethlxc master lxcbr0 up
        ip -n lxc addr add 10.0.3.20/24 dev eth0
        ip -n lxc link set eth0 up
        ip -n lxc route add default via 10.0.3.1
    """)
    if translated:
        box.sh("iptables -t nat -A POSTROUTING -s 10.0.3.0/24 ! -d 10.0.3.0/24 -j MASQUERADE")


def _lxc_goes_out(box: Box) -> bool:
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", f"http://{WEB}/"]
    return box.run(["ip", "netns", "exec", "lxc", *curl], check=False).returncode == 0


@fault("firewall.other-bridges-cut-off", subject="interface:lxcbr0")
def lxc_behind_dockers_policy(box: Box) -> None:
    """Docker's forward policy drops what a container of LXC sends."""
    _other_bridge(box)
    box.sh("iptables -P FORWARD ACCEPT")
    assert _lxc_goes_out(box)
    box.sh("iptables -P FORWARD DROP")
    assert not _lxc_goes_out(box)


def _translated_net(box: Box, rule: str) -> None:
    """A second interface of the host with a net behind it, and a rule that translates what comes
    from there."""
    box.sh(f"""
        ip link add lan0 type veth peer name pc0
        ip addr add 10.9.0.1/24 dev lan0
        ip link set lan0 up; ip link set pc0 up
        sysctl -qw net.ipv4.ip_forward=1
        iptables -t nat -A POSTROUTING {rule} -j MASQUERADE
        iptables -P FORWARD DROP
    """)


@fault("firewall.other-bridges-cut-off", subject="interface:lan0")
def router_of_a_lan_behind_dockers_policy(box: Box) -> None:
    """The host is the router of a LAN, or the server of a VPN: Docker's forward policy drops what
    its clients send."""
    _translated_net(box, "-s 10.9.0.0/24 -o eth0")


@healthy()
def second_interface_and_a_rule_for_all_that_leaves(box: Box) -> None:
    """A second interface that nobody routes for: the rule translates whatever leaves through the
    uplink."""
    _translated_net(box, "-o eth0")


@healthy()
def router_with_its_own_rules(box: Box) -> None:
    """The same router with rules that let its LAN through."""
    _translated_net(box, "-s 10.9.0.0/24 -o eth0")
    box.sh("iptables -I DOCKER-USER -i lan0 -j ACCEPT; iptables -I DOCKER-USER -o lan0 -j ACCEPT")


@healthy()
def lxc_let_through(box: Box) -> None:
    """The same bridge with the rules that LXC's own script writes."""
    _other_bridge(box)
    box.sh(
        "iptables -P FORWARD DROP; iptables -I FORWARD -i lxcbr0 -j ACCEPT; iptables -I FORWARD -o lxcbr0 -j ACCEPT"
    )
    assert _lxc_goes_out(box)


@healthy()
def isolated_bridge_of_libvirt(box: Box) -> None:
    """A bridge that nobody set up to leave the host, with the rules by which libvirt isolates a
    network."""
    _other_bridge(box, translated=False)
    box.sh(
        "iptables -P FORWARD DROP; iptables -I FORWARD -i lxcbr0 -j REJECT; iptables -I FORWARD -o lxcbr0 -j REJECT"
    )
    assert not _lxc_goes_out(box)
