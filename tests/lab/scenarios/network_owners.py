"""Routes and addresses that other programs set: network managers on Docker's interfaces, tunnels
over Docker's subnets."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY
from tests.lab.runner import healthy_container

TUN_HOLDER = """
import fcntl, struct, sys, time
device = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH", sys.argv[1].encode(), 0x1001))
time.sleep(3600)
"""
"""A program that brings up a tun interface and holds it, as a VPN client does (TUNSETIFF, IFF_TUN,
no packet information)."""


def open_tunnel(box: Box, name: str, comm: str) -> None:
    """Bring up a tun interface that a process of this name serves."""
    box.write("/opt/tun.py", TUN_HOLDER)
    box.sh("mkdir -p /dev/net; [ -e /dev/net/tun ]")
    box.sh(f"cp $(readlink -f {sys.executable}) /opt/{comm}")
    box.spawn([f"/opt/{comm}", "/opt/tun.py", name])
    box.wait_for(lambda: box.path(f"/sys/class/net/{name}").exists(), what=f"tunnel {name}")
    box.run(["ip", "link", "set", name, "up"])


def reaches_the_web(box: Box) -> bool:
    return box.run(["curl", "-sS", "-m", "2", "http://198.51.100.80/"], check=False).returncode == 0


def serve_beyond_the_gateway(box: Box) -> None:
    """A web server that only the default route leads to."""
    box.provider.sh("ip addr add 198.51.100.80/32 dev uplink")
    box.provider.spawn(["busybox", "httpd", "-f", "-p", "198.51.100.80:80", "-h", "/run/www"])
    box.wait_for(lambda: reaches_the_web(box), what="the web server beyond the gateway")


@fault(
    "network.interface-taken",
    subject="interface:veth*",
    also=["dns.*", "container.unhealthy", "network.*"],
)
def default_route_on_a_port(box: Box) -> None:
    """A DHCP client takes a veth interface for a network card: it sets 169.254.7.9 and a default
    route that wins."""
    serve_beyond_the_gateway(box)
    veth = box.sh("ls /sys/class/net/docker0/brif").strip()
    box.sh(
        f"ip addr add 169.254.7.9/16 dev {veth}; ip route add default dev {veth} metric 0 proto dhcp || true"
    )
    box.sh(f"ip route del default via {GATEWAY}; ip route add default via {GATEWAY} metric 1002")
    box.sh(f"ip route replace default dev {veth} scope link src 169.254.7.9 metric 207 proto dhcp")
    assert not reaches_the_web(box)
    findings = box.diagnose("all", "--format", "json").findings
    blamed = [
        f["summary"]
        for f in findings
        if f["id"].startswith("firewall.") and f["severity"] != "advice"
    ]
    assert not blamed, blamed


@fault(
    "network.interface-taken",
    subject="interface:docker0",
    also=["dns.*", "container.unhealthy", "network.*"],
)
def default_route_on_docker0(box: Box) -> None:
    """systemd-networkd matches docker0 and gives it a default route, which wins over the route of
    the uplink."""
    serve_beyond_the_gateway(box)
    box.write("/etc/systemd/network/10-all.network", "[Match]\nName=*\n\n[Network]\nDHCP=yes\n")
    box.sh(f"cp $(readlink -f {sys.executable}) /opt/systemd-networkd")
    box.spawn(["/opt/systemd-networkd", "-c", "import time; time.sleep(3600)"])
    box.sh(f"ip route del default via {GATEWAY}; ip route add default via {GATEWAY} metric 1024")
    box.sh("ip route add default dev docker0 proto static scope link")
    box.write("/etc/resolv.conf", "nameserver 198.51.100.80\n")
    assert not reaches_the_web(box)
    findings = box.diagnose("all", "--format", "json").findings
    (dns,) = (f for f in findings if f["id"] == "dns.host-broken")
    assert [cause["id"] for cause in dns["caused_by"]] == ["network.interface-taken"], dns
    (taken,) = (f for f in findings if f["id"] == "network.interface-taken")
    assert "systemd-networkd" in taken["summary"]
    assert "/etc/systemd/network/10-all.network" in taken["summary"]
    blamed = [
        f["summary"]
        for f in findings
        if f["id"].startswith("firewall.") and f["severity"] != "advice"
    ]
    assert not blamed, blamed


@healthy(shareable=True)
def tunnel_that_covers_nothing(box: Box) -> None:
    """A VPN client with a tun interface and a route to an office network, which no network of
    Docker uses."""
    open_tunnel(box, "tun7", "openvpn")
    box.sh("ip addr add 10.99.7.2/24 dev tun7; ip route add 10.99.128.0/20 dev tun7")


@fault("network.address-pools-exhausted", subject="daemon:docker", baseline=False)
def tunnel_over_the_pools(box: Box) -> None:
    """A VPN client brings routes over all of the engine's address pools: no network can be created
    any more."""
    open_tunnel(box, "tun0", "openvpn")
    box.sh(
        "ip addr add 10.77.0.2/24 dev tun0; ip route add 172.16.0.0/12 dev tun0; ip route add 192.168.0.0/16 dev tun0"
    )
    said = box.docker("network", "create", "fresh", check=False).stderr
    assert "non-overlapping" in said or "fully subnetted" in said
    findings = box.diagnose("all", "--format", "json").findings
    (exhausted,) = (f for f in findings if f["id"] == "network.address-pools-exhausted")
    assert "(tun0 of openvpn (pid " in exhausted["summary"], exhausted["summary"]
    assert "10.77.0" not in exhausted["summary"]


@fault(
    "network.subnet-overlaps-route",
    subject="network:vpnet",
    shareable=True,
    also=[("dns.upstream-unreachable", "network:vpnet")],
)
def tunnel_into_a_subnet(box: Box) -> None:
    """A VPN client brings a route to a part of a network's subnet: the host cannot reach a
    container there."""
    box.docker("network", "create", "--subnet=10.91.0.0/16", "vpnet")
    healthy_container(box, "hidden", 18211, "--net=vpnet", "--ip=10.91.5.9")
    open_tunnel(box, "tun0", "openvpn")
    box.sh("ip route add 10.91.5.0/24 dev tun0")
    assert (
        box.run(["curl", "-sS", "-m", "1", "http://10.91.5.9:8080/"], check=False).returncode != 0
    )


@fault("network.subnet-overlaps-route", subject="network:bridge")
def clients_in_the_range_of_docker0(box: Box) -> None:
    """An office has the range of docker0 too: its clients come by the gateway, and the answers to
    them go to docker0. No route of the host mentions it."""
    client = "172.17.77.5"
    box.provider.sh(f"""
        ip addr add {client}/32 dev lo
        for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done
    """)
    box.sh("for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/")
    call = ["curl", "-sS", "--noproxy", "*", "--interface", client, "--max-time", "2"]
    done = box.provider.run([*call, f"http://{BOX_ADDRESS}:8080/"], check=False)
    assert "timed out" in done.stderr
