"""Addresses by which containers leave the host, and others who do not take them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE

PYTHON = "/usr/bin/python3"
_SECOND = "192.0.2.20"
_TAKES = f"""
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        known = self.client_address[0] == "{_SECOND}"
        refused = f"550 5.7.25 [{{self.client_address[0]}}] does not have a PTR record"
        self.wfile.write(("250 2.0.0 ok" if known else refused).encode() + b"\\r\\n")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("{WEB}", 25), Handler).serve_forever()
"""
_SENDS = f"""
import socket, time
server = socket.create_server(("", 25))
while True:
    try:
        with socket.create_connection(("{WEB}", 25), timeout=5) as peer:
            said = peer.recv(200).decode().strip()
        status = "sent" if said.startswith("250") else "bounced"
        print(f"postfix/smtp[9]: to=<b@lab.test>, status={{status}} (host mx[{WEB}] said: {{said}})", flush=True)
    except OSError as error:
        print(error, flush=True)
    time.sleep(0.5)
"""


def _mail(box: Box) -> None:
    """A mail server at the second address of the host, and one elsewhere that knows it by that."""
    box.sh(f"ip addr add {_SECOND}/24 dev eth0")
    box.provider.spawn([PYTHON, "-c", _TAKES])
    box.docker("network", "create", "mail")
    options = ("--network=mail", f"--publish={_SECOND}:25:25", *MACHINE)
    box.docker("run", "-d", "--name=mail", *GOOD, *options, "bb:1.36", PYTHON, "-c", _SENDS)


@fault("network.source-address-refused", subject="container:mail")
def mail_that_leaves_by_the_first_address(box: Box) -> None:
    """Its port is published at the second address, and what it sends has the first one."""
    _mail(box)
    box.wait_for(lambda: box.docker("logs", "mail").stdout.count("bounced") >= 4, what="refusals")
    command = first_command(box, "network.source-address-refused", "mail")
    assert command.endswith(f"-j SNAT --to-source {_SECOND}"), command
    box.sh(command)
    box.wait_for(lambda: "status=sent" in box.docker("logs", "mail").stdout, what="a message")
    box.sh(command.replace(" -I ", " -D "))
    last = ("logs", "--tail=1", "mail")
    box.wait_for(lambda: "bounced" in box.docker(*last).stdout, what="the refusals again")


@healthy()
def mail_that_leaves_by_its_own_address(box: Box) -> None:
    """The same with a rule that gives its packets the second address."""
    _mail(box)
    subnet = box.docker("network", "inspect", "--format={{(index .IPAM.Config 0).Subnet}}", "mail")
    rule = f"-s {subnet.stdout.strip()} -o eth0 -j SNAT --to-source {_SECOND}"
    box.sh(f"iptables -t nat -I POSTROUTING {rule}")
    box.docker("restart", "--time=0", "mail")
    box.wait_for(lambda: "status=sent" in box.docker("logs", "mail").stdout, what="a message")
    shown = box.diagnose("check", "network.source-address-refused", *PATIENT).out
    assert "is refused by others" not in shown
