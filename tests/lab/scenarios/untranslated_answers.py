"""Answers over UDP from another port than the one that was called; and the healthy twins."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE

CHECK = "network.answers-untranslated"
_TFTP = """
import socket
calls = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
calls.bind(("192.0.2.80", 69))
while True:
    _, client = calls.recvfrom(600)
    data = calls if SAME else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if not SAME:
        data.bind(("192.0.2.80", 0))
    data.sendto(b"\\x00\\x03\\x00\\x01kernel", client)
"""
_NETBOOT = """
import socket, time
while True:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 0))
    s.settimeout(1)
    s.sendto(b"\\x00\\x01pxelinux.0\\x00octet\\x00", ("192.0.2.80", 69))
    try:
        s.recvfrom(600)
        print("INFO pxelinux.0 received", flush=True)
    except TimeoutError:
        print("ERROR tftp 192.0.2.80: request for pxelinux.0 timed out", flush=True)
        time.sleep(2)
    time.sleep(0.5)
    s.close()
"""
_CAMERA = """
import socket, threading, time
def serve(client, who):
    client.recv(2000)
    client.sendall(b"RTSP/1.0 200 OK\\r\\n\\r\\n")
    picture = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    picture.bind(("192.0.2.80", 6970))
    for _ in range(40):
        picture.sendto(b"\\x80" * 900, (who, 50000))
        time.sleep(0.05)
    picture.close()
    client.close()
calls = socket.create_server(("192.0.2.80", 554))
while True:
    client, (who, _) = calls.accept()
    serve(client, who)
"""
_RECORDER = """
import socket, time
while True:
    camera = socket.create_connection(("192.0.2.80", 554))
    picture = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    picture.bind(("0.0.0.0", 50000))
    picture.settimeout(3)
    camera.sendall(b"SETUP rtsp://cam/1 RTSP/1.0\\r\\nTransport: RTP/AVP;unicast;client_port=50000-50001\\r\\n\\r\\n")
    try:
        picture.recv(2000)
        print("frame", flush=True)
    except TimeoutError:
        print("[rtsp @ 0x55] front_door: No frames received in 3 seconds. Exiting ffmpeg...", flush=True)
    camera.close()
    picture.close()
    time.sleep(1)
"""


def _run(box: Box, number: int, code: str, *options: str) -> str:
    name = f"caller{number}"
    box.docker("network", "create", f"net{number}")
    words = ("bb:1.36", "/usr/bin/python3", "-uc", code)
    box.docker(
        "run", "-d", f"--name={name}", f"--network=net{number}", *SAFE, *MACHINE, *options, *words
    )
    return name


def _said(box: Box, name: str) -> str:
    return str(box.docker("logs", name).stdout)


@fault(CHECK, subject="container:caller21")
def boot_file_from_another_port(box: Box) -> None:
    """A TFTP server answers from a new port, as all do."""
    box.provider.spawn([sys.executable, "-c", _TFTP.replace("SAME", "False")])
    name = _run(box, 21, _NETBOOT)
    box.wait_for(lambda: _said(box, name).count("timed out") > 4, what="lost answers")
    box.sh(first_command(box, CHECK, name))
    box.wait_for(lambda: "received" in _said(box, name), what="the boot file")
    box.sh("iptables -t raw -F PREROUTING; conntrack -F 2>/dev/null || true")
    before = _said(box, name).count("timed out")
    box.wait_for(lambda: _said(box, name).count("timed out") > before + 2, what="lost answers")


@fault(CHECK, subject="container:caller22")
def pictures_to_the_port_that_a_call_named(box: Box) -> None:
    """A camera sends its pictures to the port that the recorder named over TCP."""
    box.provider.spawn([sys.executable, "-c", _CAMERA])
    name = _run(box, 22, _RECORDER)
    box.wait_for(lambda: _said(box, name).count("No frames") > 3, what="missing frames")


@healthy()
def boot_file_from_the_port_that_was_called(box: Box) -> None:
    """The same server, which answers from port 69."""
    box.provider.spawn([sys.executable, "-c", _TFTP.replace("SAME", "True")])
    name = _run(box, 23, _NETBOOT)
    box.wait_for(lambda: _said(box, name).count("received") > 4, what="the boot file")
