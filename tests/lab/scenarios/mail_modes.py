"""Programs that send mail, with the right and the wrong kind of TLS for the port."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE, logs

CHECK = "container.mail-mode-wrong"
_SERVER = """
import socket, threading

def serve(connection):
    try:
        connection.sendall(b"220 mail.lab.test ESMTP\\r\\n")
        for line in connection.makefile("rb"):
            connection.sendall(b"221 bye\\r\\n" if line.lower().startswith(b"quit") else b"250 ok\\r\\n")
    except OSError:
        pass

listener = socket.create_server(("", 587))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
_SENDER = """
import os, smtplib, time

begins_with_tls = os.environ["SMTP_SECURE"] == "true"
client = smtplib.SMTP_SSL if begins_with_tls else smtplib.SMTP
while True:
    try:
        with client(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"]), timeout=5) as server:
            server.helo("shop")
        print("mail sent", flush=True)
    except OSError as error:
        print(f"ERROR mail was not sent: {error}", flush=True)
    time.sleep(1)
"""


def _shop(box: Box, number: int, secure: str) -> str:
    """A shop that sends its mail to a server at port 587; its name."""
    net, name = f"mail{number}net", f"mailer{number}"
    box.docker("network", "create", net)
    safe = ["--memory=96m", "--pids-limit=64", f"--network={net}", *MACHINE]
    python = ["bb:1.36", "/usr/bin/python3", "-uc"]
    box.docker("run", "-d", f"--name=mail{number}", *safe, *python, _SERVER)
    variables = [
        "-e",
        f"SMTP_HOST=mail{number}",
        "-e",
        "SMTP_PORT=587",
        "-e",
        f"SMTP_SECURE={secure}",
    ]
    box.docker("run", "-d", f"--name={name}", *safe, *variables, *python, _SENDER)
    return name


@fault(CHECK, subject="container:mailer81", also=["container.errors-in-log"], shareable=True)
def tls_at_a_port_that_begins_in_plain_text(box: Box) -> None:
    """The client begins with TLS at port 587, and reads the greeting as a broken record."""
    name = _shop(box, 81, "true")
    box.wait_for(lambda: logs(box, name).count("WRONG_VERSION") > 3, what="the failed mails")
    command = first_command(box, CHECK, name)
    assert command == f"diagnose recreate {name} -- --env=SMTP_SECURE=false | sh", command


@healthy(shareable=True)
def plain_text_at_a_port_that_wants_it(box: Box) -> None:
    """The same, beginning in plain text."""
    name = _shop(box, 82, "false")
    box.wait_for(lambda: logs(box, name).count("mail sent") > 2, what="the mails")
