"""Subnets, packet sizes and tables that are too small."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.network.helpers import refused

LONG_REQUEST = (
    "import socket; s=socket.create_connection(('192.0.2.80',80),2); s.settimeout(2);"
    "s.sendall(b'GET / HTTP/1.0\\r\\n'+b''.join(b'X-%d: %s\\r\\n'%(n,b'x'*500) for n in range(10))+b'\\r\\n');"
    "assert s.recv(4)==b'HTTP'"
)
"""A program that sends a request of several full packets and wants the beginning of an answer."""


@fault(
    "network.address-pools-exhausted",
    subject="daemon:docker",
    config={"default-address-pools": [{"base": "10.210.0.0/22", "size": 24}]},
)
def pools_used_up(box: Box) -> None:
    """Four subnets are in the pool and four networks have them: a fifth cannot be created."""
    for number in range(3):
        box.docker("network", "create", f"left{number}")
    said = box.docker("network", "create", "fifth", check=False).stderr
    assert "non-overlapping" in said or "fully subnetted" in said


@fault("network.subnet-exhausted", subject="network:tinynet", shareable=True)
def third_of_two(box: Box) -> None:
    """A network of four addresses holds one container; the second cannot start."""
    box.docker("network", "create", "--subnet=10.77.0.0/30", "tinynet")
    healthy_container(box, "tiny1", 18096, "--net=tinynet")
    assert "no available IPv4 addresses" in refused(box, "tiny2", "--net=tinynet")


@healthy(shareable=True)
def full_on_purpose(box: Box) -> None:
    """A network of four addresses was made for one container, which has it."""
    box.docker("network", "create", "--subnet=10.78.0.0/30", "pairnet")
    healthy_container(box, "pair", 18097, "--net=pairnet")


@fault("network.mtu-mismatch", subject="network:bridge")
def large_packets_lost(box: Box) -> None:
    """The uplink carries 1400 bytes, and the host's filter drops the message that would tell
    containers."""
    box.sh("ip link set eth0 mtu 1400; iptables -A OUTPUT -p icmp -j DROP")
    pid = box.inspect("web")["State"]["Pid"]
    stuck = box.run(
        ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", LONG_REQUEST], check=False
    )
    assert "timed out" in stuck.stderr
    assert (
        "mtu 1500"
        in box.run(["nsenter", "-t", str(pid), "-n", "ip", "link", "show", "eth0"]).stdout
    )


@healthy()
def smaller_uplink(box: Box) -> None:
    """A cloud's uplink carries 1400 bytes: path discovery works, and connections adapt."""
    box.run(["ip", "link", "set", "eth0", "mtu", "1400"])
    assert (
        box.docker("exec", "web", "timeout", "2", "wget", "-qO-", "http://192.0.2.80/").stdout
        == "hello from the web\n"
    )


@healthy()
def clamped_to_a_smaller_uplink(box: Box) -> None:
    """The uplink is small and ICMP is dropped, but a rule makes connections agree on a size that
    fits."""
    box.sh("ip link set eth0 mtu 1400; iptables -A OUTPUT -p icmp -j DROP")
    clamp = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu"
    box.run(["iptables", "-t", "mangle", "-A", "FORWARD", *clamp.split()])
    pid = box.inspect("web")["State"]["Pid"]
    through = box.run(
        ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", LONG_REQUEST], check=False
    )
    assert through.returncode == 0, through.stderr


@fault("network.conntrack-full", subject="host:host", also=["dns.*", "container.unhealthy"])
def connections_beyond_number(box: Box) -> None:
    """Nine tenths of the table of tracked connections are taken by a flood of UDP on loopback."""
    limit = int(box.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_max"]).stdout)
    program = (
        "import socket\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
        f"for n in range({limit * 9 // 10}):\n"
        "    try:\n        s.sendto(b'',(f'127.1.{n>>14&255}.{1}',1024+(n&16383)))\n"
        "    except OSError:\n        pass\n"
    )
    box.run([sys.executable, "-c", program], timeout=60)
    assert int(box.run(["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]).stdout) > limit * 0.8
