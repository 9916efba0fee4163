"""Hosts with several uplinks, tunnels and kill switches."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.paths.helpers import DEAF

_FAR = "198.51.100.80"


def _second_uplink(box: Box) -> None:
    """A second way to the provider, with source routing as cloud images set it up for a second
    interface."""
    box.provider.sh(f"""
        ip link add uplink1 type veth peer name eth1 netns {box.pid} 2>/dev/null || true
        ip addr add 203.0.113.1/24 dev uplink1
        ip link set uplink1 up
        ip addr add {_FAR}/32 dev lo
        ip route replace default via 203.0.113.10
        for name in all default uplink uplink1; do echo 0 >/proc/sys/net/ipv4/conf/$name/rp_filter; done
    """)
    box.sh("""
        ip addr add 203.0.113.10/24 dev eth1
        ip link set eth1 up
        ip route add default via 203.0.113.1 dev eth1 table 102
        ip rule add from 203.0.113.10 lookup 102 priority 100
    """)


def link_second_uplink(box: Box) -> None:
    """The pair of interfaces is made on the machine, where the pids of the box and its provider
    mean the same."""
    import subprocess

    enter = ["nsenter", "-t", str(box.provider.pid), "-n"]
    subprocess.run(
        [
            *enter,
            "ip",
            "link",
            "add",
            "uplink1",
            "type",
            "veth",
            "peer",
            "name",
            "eth1",
            "netns",
            str(box.pid),
        ],
        check=True,
        timeout=10,
    )


@fault("network.replies-misrouted", subject="interface:eth1")
def answers_leave_by_the_first_uplink(box: Box) -> None:
    """A rule `from ADDRESS` routes the host's own answers by the second uplink; those of containers
    leave through the first."""
    link_second_uplink(box)
    _second_uplink(box)


@healthy()
def two_uplinks_with_marks(box: Box) -> None:
    """The same with connection marks, as guides for two uplinks write them."""
    link_second_uplink(box)
    _second_uplink(box)
    box.sh("""
        iptables -t mangle -A PREROUTING -i eth1 -m conntrack --ctstate NEW -j CONNMARK --set-mark 0x2
        iptables -t mangle -A PREROUTING ! -i eth1 -m connmark --mark 0x2 -j CONNMARK --restore-mark
        ip rule add fwmark 0x2 lookup 102 priority 90
    """)


def _full_tunnel(box: Box) -> None:
    """A tunnel that takes all that is not marked, as wg-quick sets it up, and a client beyond the
    gateway."""
    box.sh("""
        ip tuntap add wg0 mode tun; ip addr add 10.64.0.2/32 dev wg0; ip link set wg0 up
        ip route add default dev wg0 table 51820
        ip rule add not fwmark 0xca6c table 51820 priority 200
        ip rule add table main suppress_prefixlength 0 priority 100
    """)
    box.provider.sh(f"ip addr add {_FAR}/32 dev lo; ip route replace default via {BOX_ADDRESS}")


@fault("network.replies-misrouted", subject="interface:eth0", also=[*DEAF])
def answers_leave_by_a_vpn(box: Box) -> None:
    """A VPN takes all traffic, and with it the answers of published ports: a client of another net
    waits for them."""
    _full_tunnel(box)
    box.provider.spawn(
        ["curl", "-s", "--max-time", "60", "--interface", _FAR, f"http://{BOX_ADDRESS}:8080/"]
    )
    box.wait_for(
        lambda: "SYN_RECV" in box.run(["conntrack", "-L", "-p", "tcp"]).stdout,
        what="the client to wait",
    )


@healthy()
def full_tunnel_of_a_host_with_near_clients(box: Box) -> None:
    """The same VPN where all clients are in the host's own net: their answers take the direct
    route."""
    _full_tunnel(box)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


_KILL_SWITCH = "! -o wg0 -m mark ! --mark 0xca6c -m addrtype ! --dst-type LOCAL -j REJECT"


def _host_reaches_its_port(box: Box) -> bool:
    curl = ["curl", "-sS", "--noproxy", "*", "--max-time", "1.5", "http://127.0.0.1:8080/"]
    return box.run(curl, check=False).stdout == "hello\n"


@fault("firewall.output-dropped", subject="host:host")
def kill_switch_that_forgets_the_bridges(box: Box) -> None:
    """The kill switch of a VPN rejects what does not leave through its tunnel: docker-proxy reaches
    no container."""
    assert _host_reaches_its_port(box)
    box.sh(f"iptables -A OUTPUT -d 192.0.2.0/24 -j ACCEPT; iptables -A OUTPUT {_KILL_SWITCH}")
    assert not _host_reaches_its_port(box)


@fault("firewall.output-dropped", subject="host:host")
def answers_dropped_before_they_are_tracked(box: Box) -> None:
    """A rule of table raw drops what containers send to the host: docker-proxy gets no answer."""
    assert _host_reaches_its_port(box)
    box.sh("iptables -t raw -A PREROUTING -i docker0 -m addrtype --dst-type LOCAL -j DROP")
    assert not _host_reaches_its_port(box)


@fault(
    "firewall.output-dropped",
    subject="host:host",
    also=[("dns.host-broken", "host:host"), ("firewall.kill-switch", "host:host"), *DEAF],
)
def host_closed_by_a_vpn_with_host_networking(box: Box) -> None:
    """A VPN container with host networking sets all policies to DROP: the host reaches nobody, and
    asks no DNS server."""
    box.sh("""
        iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT
        iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
        iptables -A OUTPUT -o tun0 -j ACCEPT; iptables -P INPUT DROP; iptables -P OUTPUT DROP
    """)


@healthy()
def kill_switch_that_knows_the_bridges(box: Box) -> None:
    """The same kill switch behind a rule for Docker's subnets and the host's own net."""
    box.sh(f"""
        iptables -A OUTPUT -d 172.16.0.0/12 -j ACCEPT; iptables -A OUTPUT -d 192.0.2.0/24 -j ACCEPT
        iptables -A OUTPUT {_KILL_SWITCH}
    """)
    assert _host_reaches_its_port(box)


@fault("dns.host-broken", subject="host:host", also=DEAF)
def cable_of_the_uplink_is_out(box: Box) -> None:
    """The other end of the uplink is switched off: the interface is up, and has no carrier."""
    box.provider.sh("ip link set uplink down")
    assert "NO-CARRIER" in box.sh("ip link show dev eth0")
    findings = box.diagnose("all", "--format", "json").findings
    found = next(finding for finding in findings if finding["id"] == "dns.host-broken")
    assert "eth0, by which it is asked, has no carrier" in found["summary"], found
