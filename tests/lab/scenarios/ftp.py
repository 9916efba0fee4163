"""FTP servers in containers, with and without their data ports."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.programs.helpers import MACHINE

_SERVES = """
import socket, sys, threading
FIRST = int(sys.argv[1])

def listening():
    for port in [FIRST, FIRST + 1, FIRST + 2] if FIRST else [0]:
        try:
            return socket.create_server(("0.0.0.0", port))
        except OSError:
            continue

def serve(control):
    data, say = None, lambda text: control.sendall(text.encode() + b"\\r\\n")
    say("220 ready")
    for line in control.makefile():
        word = line.split()[0].upper()
        if word == "PASV":
            data = listening()
            port = data.getsockname()[1]
            say("227 Entering Passive Mode (%s,%d,%d)" % (sys.argv[2].replace(".", ","), port >> 8, port & 255))
        elif word in ("LIST", "NLST"):
            say("150 here it comes")
            data.settimeout(20)
            try:
                data.accept()[0].close()
                say("226 done")
            except OSError:
                say("425 no connection")
            data.close()
        else:
            say({"USER": "331 password", "PASS": "230 in", "QUIT": "221 bye"}.get(word, "200 ok"))
    if data:
        data.close()

server = socket.create_server(("0.0.0.0", 21))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""
"""A server that knows what a listing takes: a login, PASV and LIST. Its arguments are the first of
three data ports, or 0 for any, and the address that it tells its clients."""
_LISTS = """
import ftplib, sys, time
while True:
    client = ftplib.FTP()
    client.connect(sys.argv[1], int(sys.argv[2]), timeout=3)
    client.login("app", "made-up")
    try:
        client.nlst()
    except OSError:
        if sys.argv[3] == "once":
            sys.exit("no list")
        time.sleep(3)
    client.close()
    if sys.argv[3] == "once":
        break
    time.sleep(0.2)
"""
"""A client that lists the folder of a server: "once", or over and over with any other word."""


def _server(box: Box, name: str, port: int, first: int, *options: str) -> None:
    """An FTP server, and a client on another machine that lists its folder. first: the first of the
    three data ports that it may choose, 0 for any."""
    limits = ("--memory=64m", "--pids-limit=64", "--restart=always", f"-p={port}:21")
    served = ("/usr/bin/python3", "-c", _SERVES, str(first), BOX_ADDRESS)
    box.docker("run", "-d", f"--name={name}", *limits, *MACHINE, *options, "bb:1.36", *served)
    client = ["/usr/bin/python3", "-c", _LISTS, BOX_ADDRESS, str(port)]
    greeting = ["timeout", "1", "bash", "-c", f"head -n 1 </dev/tcp/{BOX_ADDRESS}/{port}"]
    box.wait_for(lambda: "220" in box.provider.run(greeting, check=False).stdout, what="the server")
    done = box.provider.run([*client, "once"], check=False)
    assert (done.returncode == 0) == bool(first), done.stderr
    box.provider.spawn([*client, "on"])


@fault("network.ftp-data-unpublished", subject="container:ftp71", shareable=True)
def data_ports_of_ftp_unpublished(box: Box) -> None:
    """Clients log in, and get no list: the server chooses any port for it, and publishes none."""
    _server(box, "ftp71", 18021, 0)


@healthy(args=("--budget", "60"))
def data_ports_of_ftp_published(box: Box) -> None:
    """The same server with a range of data ports, which is published."""
    _server(box, "ftp72", 18022, 30000, "-p=30000-30002:30000-30002")
