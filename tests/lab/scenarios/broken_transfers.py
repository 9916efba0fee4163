"""Transfers that break off: by packets that conntrack cannot assign, or by the server itself."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB
from tests.lab.scenarios.programs.helpers import MACHINE

CHECK = "network.transfers-reset"
_SERVER = """
import http.server, sys, time
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2000000")
        self.end_headers()
        for part in range(20):
            if part == int(sys.argv[2]):
                return
            self.wfile.write(bytes(100000))
            time.sleep(0.05)
http.server.ThreadingHTTPServer((sys.argv[1], 8000), Server).serve_forever()
"""
_REPEATER = """
import socket, struct, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("uplink", 3))
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
began = {}
while True:
    frame = wire.recv(65535)
    if frame[12:14] != bytes([8, 0]) or frame[23] != 6:
        continue
    ip, tcp = frame[14:34], frame[34:]
    sport, dport, seq, ack = struct.unpack("!HHII", tcp[:12])
    if sport != 8000 or len(tcp) < 200:
        continue
    place = (ip[16:20], dport)
    if place in began and began[place] and time.time() - began[place] > 0.4:
        began[place] = 0.0
        far = (seq + 0x10000000) & 0xffffffff
        segment = struct.pack("!HHIIBB", sport, dport, far, ack, 5 << 4, 0x18) + tcp[14:16]
        segment += bytes(4) + bytes(100)
        pseudo = ip[12:20] + struct.pack("!BBH", 0, 6, len(segment))
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
        head = ip[:2] + struct.pack("!H", 20 + len(segment)) + ip[4:10] + bytes(2) + ip[12:]
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        wire.send(frame[:14] + head + segment)
    began.setdefault(place, time.time())
"""
"""A device on the wire that sends one packet of each connection far outside of its window."""
_FETCHES = (
    f"while :; do curl -sS -m 3 --noproxy '*' -o /dev/null http://{WEB}:8000/ && echo fetched; "
    "sleep 0.5; done"
)


def _mirror(box: Box, name: str, *, ends_at: int = 99, repeats: bool = False) -> None:
    """A container that fetches a large file again and again. ends_at: the part before which the
    server gives up. repeats: whether a device sends packets outside the window."""
    box.provider.sh(f"cat >/run/serve.py <<'END'\n{_SERVER}END\n")
    box.provider.spawn(["python3", "/run/serve.py", WEB, str(ends_at)])
    if repeats:
        box.provider.sh(f"cat >/run/repeat.py <<'END'\n{_REPEATER}END\n")
        box.provider.spawn(["python3", "/run/repeat.py"])
    limits = ("--memory=64m", "--pids-limit=64", "--restart=always")
    box.docker("run", "-d", f"--name={name}", *limits, *MACHINE, "bb:1.36", "sh", "-c", _FETCHES)


def _log(box: Box, name: str) -> str:
    done = box.docker("logs", name)
    return done.stdout + done.stderr


def _wait_for_broken(box: Box, name: str) -> None:
    box.wait_for(lambda: _log(box, name).count("curl: (") >= 4, 60, "transfers that break off")


@fault(CHECK, subject="host:host", also=["container.errors-in-log"])
def transfers_ended_by_the_host(box: Box) -> None:
    """Packets outside the window reach the host, which answers them with resets; the rule of the
    fix ends that."""
    _mirror(box, "mirror71", repeats=True)
    _wait_for_broken(box, "mirror71")
    assert "fetched" not in _log(box, "mirror71")
    rule = "INPUT -m conntrack --ctstate INVALID -j DROP"
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    assert finding["fix"][0]["command"] == f"iptables -I {rule}"
    box.sh(f"iptables -I {rule}")
    box.wait_for(lambda: "fetched" in _log(box, "mirror71"), 20, "a whole file")
    box.sh(f"iptables -D {rule}")
    box.sh("sleep 8")


@healthy(also=["container.errors-in-log"])
def transfers_ended_by_the_server(box: Box) -> None:
    """The server itself ends its answers early: conntrack knows each packet."""
    _mirror(box, "mirror72", ends_at=9)
    _wait_for_broken(box, "mirror72")


@healthy()
def stray_packets_dropped(box: Box) -> None:
    """The same packets on a host with a rule that drops them: each file arrives."""
    box.sh("iptables -I INPUT -m conntrack --ctstate INVALID -j DROP")
    _mirror(box, "mirror73", repeats=True)
    box.wait_for(lambda: _log(box, "mirror73").count("fetched") >= 3, 40, "whole files")
