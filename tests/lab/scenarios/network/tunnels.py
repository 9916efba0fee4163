"""Tunnels of containers, by a program in WireGuard's place: not every kernel has WireGuard."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import PATIENT
from tests.lab.scenarios.programs.helpers import MACHINE

_TUNNEL = """
import fcntl, os, select, socket, struct, subprocess, sys
own, address, mtu, peer = sys.argv[1], sys.argv[2], sys.argv[3], None
if own == "0.0.0.0":
    peer = ("192.0.2.88", 51820)
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH", b"wg0", 0x1001))
outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
outer.bind((own, 51820))
for command in (f"addr add {address} dev wg0", f"link set wg0 mtu {mtu} up", *sys.argv[4:]):
    subprocess.run(["ip", *command.split()], check=True)
print("up", flush=True)
while True:
    for ready in select.select([tunnel, outer], [], [])[0]:
        if ready is tunnel:
            packet = os.read(tunnel, 65535)
            if peer:
                outer.sendto(bytes(32) + packet, peer)
        else:
            packet, sender = outer.recvfrom(65535)
            peer = peer or sender
            if len(packet) + 28 <= 1500:
                os.write(tunnel, packet[32:])
"""
"""One end of a tunnel, with the header of WireGuard in front of each packet. The way between both
ends loses fragments, as some routers do."""
_PRIVILEGED = "-v", "/srv/tunnel:/tunnel:ro", "--cap-add=NET_ADMIN", "--device=/dev/net/tun"
_FETCH = """while :; do
  n=$(timeout 3 wget -qO- http://198.51.100.80/large 2>/dev/null | wc -c)
  [ "$n" = 200000 ] && echo fetched || echo "read of http://198.51.100.80/large timed out, $n bytes"
  sleep 1
done"""


def _fetches_by_a_tunnel(box: Box, mtu: str, words: str) -> None:
    """A server behind a tunnel, and a program whose network leads through it."""
    box.write("/srv/tunnel/tunnel.py", _TUNNEL)
    box.provider.sh("mkdir -p /dev/net; [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200")
    box.provider.sh("ip addr add 192.0.2.88/24 dev uplink; ip addr add 198.51.100.80/32 dev lo")
    box.provider.sh("head -c 200000 /dev/zero >/run/www/large")
    box.provider.spawn(["busybox", "httpd", "-f", "-p", "198.51.100.80:80", "-h", "/run/www"])
    box.provider.spawn(["/usr/bin/python3", "-c", _TUNNEL, "192.0.2.88", "10.13.13.1/24", mtu])
    box.docker("network", "create", "--subnet=172.30.9.0/24", "vpnnet")
    routes = ("route add 192.0.2.0/24 via 172.30.9.1", "route add 128.0.0.0/1 dev wg0")
    limits = ("--memory=64m", "--pids-limit=64")
    options = ("--network=vpnnet", *limits, *MACHINE, *_PRIVILEGED, "bb:1.36", "/usr/bin/python3")
    own = ("0.0.0.0", "10.13.13.2/24", mtu, *routes)
    box.docker("run", "-d", "--name=vpn9", *options, "-u", "/tunnel/tunnel.py", *own)
    box.wait_for(lambda: "up" in box.docker("logs", "vpn9").stdout, what="the tunnel")
    guest = ("--network=container:vpn9", *limits, "bb:1.36", "sh", "-c", _FETCH)
    box.docker("run", "-d", "--name=guest9", *guest)
    box.wait_for(lambda: box.docker("logs", "guest9").stdout.count(words) >= 3, what=words)


@fault(
    "network.mtu-mismatch",
    subject="container:vpn9",
    also=["container.errors-in-log", "network.call-unanswered"],
    exit_code=1,
)
def tunnel_with_the_size_of_its_carrier(box: Box) -> None:
    """The configuration of a tunnel sets 1500: full packets do not arrive, small ones do."""
    _fetches_by_a_tunnel(box, "1500", "timed out")
    out = box.diagnose("check", "network.mtu-mismatch", *PATIENT).out
    assert "ip link set dev wg0 mtu 1420" in out
    pid = box.inspect("vpn9")["State"]["Pid"]
    box.sh(f"nsenter -t {pid} -n ip link set dev wg0 mtu 1420")
    box.wait_for(lambda: "fetched" in box.docker("logs", "guest9").stdout, what="a large answer")
    box.sh(f"nsenter -t {pid} -n ip link set dev wg0 mtu 1500")
    said = box.docker("logs", "guest9").stdout.count("timed out")
    box.wait_for(lambda: box.docker("logs", "guest9").stdout.count("timed out") > said + 2)


@healthy()
def tunnel_that_leaves_room_for_its_header(box: Box) -> None:
    """The same with the size that wg-quick chooses."""
    _fetches_by_a_tunnel(box, "1420", "fetched")
