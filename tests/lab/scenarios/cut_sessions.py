"""Sessions through HAProxy that it ends because nothing is said; and their healthy twin.

The balancer is a script that ends sessions, and writes of it, as HAProxy 2.6 does.
"""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE

CHECK = "network.quiet-connections-cut"
_BALANCER = """#!/usr/bin/python3
import re, socket, sys, threading, time
text = open("/etc/haproxy/haproxy.cfg").read()
limits = dict(re.findall(r"timeout (client|tunnel) (\\d+)", text))
limit = float(limits.get("tunnel") or limits["client"])
def serve(client, address):
    begun = time.time()
    server = socket.create_connection((sys.argv[1], 5432))
    server.sendall(client.recv(4000))
    client.settimeout(limit)
    try:
        client.recv(4000)
        ended = "CD"
    except TimeoutError:
        ended = "cD"
    client.close()
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S.000")
    took = int((time.time() - begun) * 1000)
    print(f"{address[0]}:{address[1]} [{stamp}] db pg/pg1 1/0/{took} 8 {ended} 1/1/0/0/0 0/0", flush=True)
balancer = socket.create_server(("0.0.0.0", 5432))
while True:
    threading.Thread(target=serve, args=balancer.accept(), daemon=True).start()
"""
_CLIENT = """
import socket, sys, time
while True:
    session = socket.create_connection((sys.argv[1], 5432))
    session.sendall(b"startup")
    print("ready", flush=True)
    while session.recv(4000):
        pass
    LOST
"""
_ENDS = 'print("Error: Connection terminated unexpectedly", flush=True); sys.exit(1)'
_COMES_AGAIN = "time.sleep(0.2)"
_SETTINGS = "defaults\n    mode tcp\n    timeout client 4s\n    timeout server 4s\n"


def _pool(box: Box, number: int, lost: str) -> None:
    """A program that keeps a session to its database, through a balancer that waits 4 seconds."""
    net, balancer, database = f"net{number}", f"lb{number}", f"db{number}"
    box.docker("network", "create", net)
    images.load(box, "haproxy:2.6-tcp", Recipe({"haproxy": (_BALANCER.encode(), 0o755)}))
    listens = ("nc", "-ll", "-p", "5432", "-e", "cat")
    box.docker("run", "-d", f"--name={database}", f"--net={net}", *SAFE, "bb:1.36", *listens)
    box.write(f"/srv/{balancer}/haproxy.cfg", _SETTINGS)
    mounted = ("-v", f"/srv/{balancer}:/etc/haproxy:ro", *MACHINE)
    words = ("haproxy:2.6-tcp", "/haproxy", database)
    box.docker("run", "-d", f"--name={balancer}", f"--net={net}", *SAFE, *mounted, *words)
    box.wait_for(lambda: _listens(box, balancer), what="the balancer")
    program = ("/usr/bin/python3", "-uc", _CLIENT.replace("LOST", lost), balancer)
    options = (f"--name=pads{number}", f"--net={net}", *SAFE, *MACHINE)
    box.docker("run", "-d", "--restart=always", *options, "bb:1.36", *program)
    box.wait_for(lambda: _cut(box, balancer) > 3, 60, what="sessions that were cut off")


def _listens(box: Box, name: str) -> bool:
    return ":5432" in box.run(box.in_netns(name, "ss", "-ltn")).stdout


def _cut(box: Box, balancer: str) -> int:
    return str(box.docker("logs", balancer).stdout).count(" cD ")


@fault(CHECK, subject="container:lb61", also=["container.*"])
def program_that_ends_with_its_session(box: Box) -> None:
    """A program ends whenever HAProxy cuts its quiet session, and is started again."""
    _pool(box, 61, _ENDS)
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    said = 'of container "pads61" to pg/pg1 that had been silent for 4 s'
    assert said in finding["summary"], finding["summary"]
    command = finding["fix"][0]["command"]
    assert "timeout tunnel 24h' /srv/lb61/haproxy.cfg" in command, command


@healthy()
def program_that_connects_again_in_silence(box: Box) -> None:
    """The same balancer, and a program that connects again when a session was cut off."""
    _pool(box, 62, _COMES_AGAIN)
    assert box.inspect("pads62")["RestartCount"] == 0
