"""Programs that take no connections, that have no port left, or that may not listen; and a host
that reaches the outside only over IPv6."""

from __future__ import annotations

import sys

from tests.lab import Box, fault
from tests.lab.provider import BOX_ADDRESS

_SLEEPS = """
import socket, time
server = socket.create_server(("0.0.0.0", 8080), backlog=2)
time.sleep(3000)
"""
"""A program that listens and never accepts, as one that hangs."""


def _listening(box: Box, name: str) -> None:
    run = ("run", "-d", f"--name={name}", "-m=32m", "--network=drowsynet")
    box.docker(*run, "bb:1.36", "sleep", "1000")
    box.spawn(box.in_netns(name, sys.executable, "-c", _SLEEPS))
    box.wait_for(
        lambda: ":8080" in box.run(box.in_netns(name, "ss", "-ltn")).stdout, what="a listener"
    )


@fault("network.accept-queue-full", subject="container:drowsy11", shareable=True)
def program_that_never_accepts(box: Box) -> None:
    """A program hangs: its socket listens, and nobody accepts what comes. Another one has room."""
    box.docker("network", "create", "--subnet=10.151.11.0/24", "drowsynet")
    for name in ("drowsy11", "awake11"):
        _listening(box, name)
    address = box.inspect("drowsy11")["NetworkSettings"]["Networks"]["drowsynet"]["IPAddress"]
    url = f"http://{address}:8080/"
    for _ in range(6):
        box.spawn(["curl", "-s", "--noproxy", "*", "--max-time", "300", url])
    box.wait_for(
        lambda: "ListenOverflows" in box.run(box.in_netns("drowsy11", "nstat", "-a")).stdout,
        what="an overflow",
    )


_LINE = (
    "2026/11/27 06:00:00 [crit] 29#29: *1 connect() to 10.151.10.9:8080 failed (99: Cannot assign "
    "requested address) while connecting to upstream, client: 192.0.2.1, server: shop"
)


@fault("network.local-ports-exhausted", subject="container:edge9", shareable=True)
def proxy_without_a_local_port(box: Box) -> None:
    """A proxy has twelve local ports, and holds a connection by each of them."""
    box.docker("network", "create", "--subnet=10.151.10.0/24", "edgenet9")
    limits = ("-m=32m", "--pids-limit=64", "--network=edgenet9")
    box.docker("run", "-d", "--name=api9", "--ip=10.151.10.9", *limits, "shop:1.4")
    holds = "i=0; while [ $i -lt 13 ]; do (sleep 1000 | nc 10.151.10.9 8080) & i=$((i+1)); done"
    tells = f"while :; do nc -w 2 10.151.10.9 8080 </dev/null || echo '{_LINE}' >&2; sleep 1; done"
    ports = "--sysctl=net.ipv4.ip_local_port_range=40000 40011"
    script = f"{holds}; sleep 1; {tells}"
    box.docker("run", "-d", "--name=edge9", ports, *limits, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.docker("logs", "edge9").stderr.count("99: Cannot") > 1, what="failed calls"
    )


_CANNOT = (
    "[ALERT] (1) : Starting frontend web: cannot bind socket (Cannot assign requested address)"
)


@fault(
    "network.listen-address-missing",
    subject="container:balancer9",
    also=["container.restart-loop"],
    shareable=True,
)
def balancer_without_its_floating_address(box: Box) -> None:
    """A load balancer on the host's network is configured to listen at an address that another
    machine has."""
    place = "192.0.2.99:18443"
    script = f"sleep 1; httpd -f -p {place} || {{ echo '{_CANNOT} [{place}]' >&2; exit 1; }}"
    options = ("--name=balancer9", "--network=host", "--restart=always", "-m=32m")
    box.docker("run", "-d", *options, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.docker("logs", "balancer9").stderr.count(_CANNOT) > 2, what="failed starts"
    )


@fault("network.replies-misrouted", subject="network:hairnet9", config={"userland-proxy": False})
def neighbour_called_by_the_hosts_address(box: Box) -> None:
    """Without docker-proxy a container calls its neighbour by the host's address, while the kernel
    shows the host's rules nothing of what passes between ports of a bridge."""
    box.docker("network", "create", "--subnet=10.151.12.0/24", "hairnet9")
    limits = ("-m=32m", "--pids-limit=64", "--network=hairnet9")
    box.docker("run", "-d", "--name=served9", "-p=18712:8080", *limits, "shop:1.4")
    url = f"http://{BOX_ADDRESS}:18712/"
    run = ("run", "-d", "--name=caller9", f"--env=API_URL={url}", *limits)
    box.docker(*run, "bb:1.36", "sleep", "1000")
    get = box.in_netns("caller9", "curl", "-sS", "--noproxy", "*", "--max-time", "2", url)
    assert box.run(get, check=False).returncode == 0
    box.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0")
    assert box.run(get, check=False).returncode != 0


def _only_ipv6(box: Box) -> None:
    box.provider.sh("ip -6 addr add 2001:db8:9::1/64 dev uplink nodad")
    box.sh(
        "ip -4 addr flush dev eth0; ip -6 addr add 2001:db8:9::10/64 dev eth0 nodad; "
        "ip -6 route add default via 2001:db8:9::1 dev eth0"
    )


@fault(
    "network.ipv4-leads-nowhere",
    subject="network:oldnet9",
    expect=[("network.ipv4-leads-nowhere", "network:bridge")],
    also=["dns.*"],
)
def network_without_ipv6_on_a_host_with_nothing_else(box: Box) -> None:
    """The host has lost IPv4, and reaches the outside over IPv6; a network has IPv4 alone."""
    box.docker("network", "create", "--subnet=10.151.8.0/24", "oldnet9")
    run = ("run", "-d", "--name=old9", "--network=oldnet9", "-m=32m", "--pids-limit=64")
    box.docker(*run, "shop:1.4")
    _only_ipv6(box)
    get = box.in_netns("old9", "curl", "-sS", "--noproxy", "*", "--max-time", "2", "192.0.2.80")
    assert box.run(get, check=False).returncode != 0
    (dns,) = box.diagnose("check", "dns.host-broken", "--format", "json").findings
    assert "no route of this host leads to that address" in dns["summary"], dns
