"""Routes that overlap a subnet, and routes that may."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, RESOLVER
from tests.lab.runner import healthy_container


@fault(
    "network.subnet-overlaps-route",
    subject="network:office",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:office")],
)
def route_into_a_subnet(box: Box) -> None:
    """A VPN brings a route to a part of a network's subnet: containers there are out of reach."""
    box.docker("network", "create", "--subnet=172.29.0.0/16", "office")
    healthy_container(box, "stray", 18084, "--net=office", "--ip=172.29.5.9")
    fetch = ["curl", "-sS", "-m", "1", "http://172.29.5.9:8080/"]
    assert box.run(fetch).stdout == "hello\n"
    box.run(["ip", "route", "add", "172.29.5.0/24", "via", GATEWAY])
    assert box.run(fetch, check=False).returncode != 0


@fault(
    "network.subnet-overlaps-route",
    subject="network:voidnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:voidnet")],
)
def route_to_nowhere(box: Box) -> None:
    """A blackhole route, as for an attacker's address, takes the answers to a container."""
    box.docker("network", "create", "--subnet=172.28.0.0/16", "voidnet")
    healthy_container(box, "swallowed", 18099, "--net=voidnet", "--ip=172.28.5.9")
    box.run(["ip", "route", "add", "blackhole", "172.28.5.9/32"])
    assert (
        box.run(["curl", "-sS", "-m", "1", "http://172.28.5.9:8080/"], check=False).returncode != 0
    )


@fault(
    "network.subnet-overlaps-route",
    subject="network:vpnnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:vpnnet")],
)
def routing_policy_without_its_vpn(box: Box) -> None:
    """A routing rule sends a network by a VPN's table, where nothing is left but the stop for the
    time without VPN."""
    box.docker("network", "create", "--subnet=172.26.0.0/16", "vpnnet")
    healthy_container(box, "routed", 18105, "--net=vpnnet")
    box.sh(
        "ip rule add from 172.26.0.0/16 lookup 77 priority 100; ip route add prohibit default table 77"
    )
    fetch = ["timeout", "2", "wget", "-qO-", "http://192.0.2.80/"]
    assert box.docker("exec", "routed", *fetch, check=False).returncode != 0


@healthy(shareable=True)
def vpn_by_routing_policy(box: Box) -> None:
    """A full tunnel as wg-quick sets it up: a default route in a table of its own, and rules that
    keep the rest in the main one."""
    box.sh(f"""
        ip route add default via {GATEWAY} table 51820
        ip rule add not fwmark 51820 lookup 51820
        ip rule add table main suppress_prefixlength 0
    """)
    healthy_container(box, "tunneled", 18106)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18106/") == "hello\n"


@healthy()
def vpn_with_a_kill_switch(box: Box) -> None:
    """A full tunnel as OpenVPN sets it up, in two halves of the world, and a rule that keeps
    containers from leaving beside it."""
    box.sh(f"""
        ip link add link eth0 name tun9 type macvlan mode bridge
        ip addr add 192.0.2.9/32 dev tun9
        ip link set tun9 up
        ip route add 0.0.0.0/1 via {GATEWAY} dev tun9 onlink
        ip route add 128.0.0.0/1 via {GATEWAY} dev tun9 onlink
        ip route add {RESOLVER}/32 dev tun9
        iptables -I DOCKER-USER -o eth0 -j DROP
        iptables -I DOCKER-USER -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN
    """)
    box.provider.sh("ip addr add 198.51.100.80/32 dev uplink")
    box.provider.spawn(["busybox", "httpd", "-f", "-p", "198.51.100.80:80", "-h", "/run/www"])
    healthy_container(box, "switched", 18107)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18107/") == "hello\n"
    assert (
        "hello"
        in box.docker(
            "exec", "switched", "timeout", "2", "wget", "-qO-", "http://198.51.100.80/"
        ).stdout
    )


@healthy(shareable=True)
def company_route_around_a_subnet(box: Box) -> None:
    """A company's 10.0.0.0/8 leads to the gateway, and a network has its planned part of it."""
    box.run(["ip", "route", "add", "10.0.0.0/8", "via", GATEWAY])
    box.docker("network", "create", "--subnet=10.200.0.0/24", "planned")
    healthy_container(box, "planned", 18085, "--net=planned")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18085/") == "hello\n"


@healthy(shareable=True)
def default_route_in_halves(box: Box) -> None:
    """A full-tunnel VPN sets 0.0.0.0/1 and 128.0.0.0/1: they overlap every subnet, and no harm is
    done."""
    box.sh(f"ip route add 0.0.0.0/1 via {GATEWAY}; ip route add 128.0.0.0/1 via {GATEWAY}")
    healthy_container(box, "tunnelled", 18086)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18086/") == "hello\n"
