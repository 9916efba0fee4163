"""Clients of a VPN server in a container who call machines beyond it, each with a look-alike.

The lab has no VPN: a program holds the tunnel, and writes the packets of a client into it.
"""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS

_CLIENT = r"""
import fcntl, os, socket, struct, subprocess, sys, time
net, called = sys.argv[1:3]
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH", b"wg0", 0x1001))
subprocess.run(f"ip addr add {net}.1/24 dev wg0; ip link set wg0 up", shell=True, check=True)
ends = socket.inet_aton(f"{net}.6") + socket.inet_aton(called)

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)

def send(protocol, body):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + ends
    os.write(tunnel, head[:10] + checksum(head) + head[12:] + body)

for number in range(40000, 41000):
    ping = struct.pack("!BBHHH", 8, 0, 0, number, 1)
    send(1, ping[:2] + checksum(ping) + ping[4:])
    call = struct.pack("!HHIIBBHHH", number, 80, number, 0, 0x50, 2, 64000, 0, 0)
    said = checksum(ends + struct.pack("!BBH", 0, 6, len(call)) + call)
    send(6, call[:16] + said + call[18:])
    time.sleep(0.5)
"""
"""A client's pings and calls; its first packets come after the interface is up."""


def _vpn_server(
    box: Box,
    name: str,
    net: str,
    *,
    rule: str = "",
    way_back: bool = False,
    forwards: bool = True,
    called: str = "192.0.2.80",
) -> None:
    """A VPN server on the default network, with one client who calls a machine of the provider."""
    forwarding = f"--sysctl=net.ipv4.ip_forward={int(forwards)}"
    server = ("--cap-add=NET_ADMIN", forwarding, "-m=64m")
    box.docker("run", "-d", f"--name={name}", *server, "bb:1.36", "sleep", "9000")
    state = box.inspect(name)
    pid = state["State"]["Pid"]
    inside = ["nsenter", "-t", str(pid), "-n"]
    if rule:
        box.run([*inside, "iptables", "-t", "nat", *rule.split()])
    if way_back:
        address = state["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        box.sh(f"ip route add {net}.0/24 via {address}")
        box.provider.sh(f"ip route add {net}.0/24 via {BOX_ADDRESS}")
    box.write("/tmp/client.py", _CLIENT)
    box.spawn([*inside, "python3", "/tmp/client.py", net, called])

    def has_called() -> bool:
        """Whether a dozen packets of the client came out of the tunnel."""
        counters = box.sh(f"cat /proc/{pid}/net/dev").partition("wg0:")[2].split()
        return bool(counters) and int(counters[1]) >= 12

    box.wait_for(has_called, what="the calls of a client", timeout=60)


@fault("firewall.tunnel-untranslated", subject="container:vpnbare", shareable=True)
def vpn_server_that_hides_other_clients(box: Box) -> None:
    """The rule of a VPN server names the default network of its image, and not its clients'."""
    rule = "-A POSTROUTING -s 192.168.255.0/24 -o eth0 -j MASQUERADE"
    _vpn_server(box, "vpnbare", "10.231.30", rule=rule)


@fault("firewall.forwarding-off-inside", subject="container:vpnshut", shareable=True)
def vpn_server_that_forwards_nothing(box: Box) -> None:
    """A VPN server whose own network does not forward: the calls of its client end there."""
    rule = "-A POSTROUTING -s 10.231.34.0/24 -o eth0 -j MASQUERADE"
    _vpn_server(box, "vpnshut", "10.231.34", rule=rule, forwards=False)


@healthy(shareable=True)
def vpn_server_that_is_called_itself(box: Box) -> None:
    """The same setting, and the client calls nobody but the server."""
    _vpn_server(box, "vpnitself", "10.231.35", forwards=False, called="10.231.35.1")


@healthy(shareable=True)
def vpn_server_that_hides_these_clients(box: Box) -> None:
    """The same, and the rule names the network of its clients."""
    rule = "-A POSTROUTING -s 10.231.31.0/24 -o eth0 -j MASQUERADE"
    _vpn_server(box, "vpnhides", "10.231.31", rule=rule)


@healthy(shareable=True)
def vpn_server_whose_clients_have_a_way_back(box: Box) -> None:
    """No rule hides the clients: routes of the host and of its router lead back to them."""
    _vpn_server(box, "vpnrouted", "10.231.32", way_back=True)


@fault("network.call-unanswered", subject="container:asker33", shareable=True)
def network_of_clients_that_this_host_does_not_route(box: Box) -> None:
    """A container calls a VPN client, and the host sends the packets to its router."""
    rule = "-A POSTROUTING -s 10.231.33.0/24 -o eth0 -j MASQUERADE"
    _vpn_server(box, "vpnowner", "10.231.33", rule=rule)
    call = "while :; do nc -w 9 10.231.33.77 9100 </dev/null; sleep 1; done"
    box.docker("run", "-d", "--name=asker33", "-m=64m", "bb:1.36", "sh", "-c", call)
    box.sh("sleep 8")  # a request is repeated by then

    def is_named() -> bool:
        run = box.diagnose("check", "network.call-unanswered", "--container", "asker33")
        return "ip route add 10.231.33.0/24 via 172." in run.joined

    box.wait_for(is_named, what="the way through the VPN server", timeout=90)
