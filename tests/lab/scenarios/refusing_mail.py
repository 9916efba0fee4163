"""Stand-ins for mail servers that refuse their clients, and for one that takes mails."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.storage.helpers import SAFE

REFUSED = "container.clients-refused"
_SERVER = """#!/bin/sh
# resolves names with the files of the folder that it is shut in, as a service of Postfix does
host=1
while :; do
    from="mail$host.example[192.0.2.$host]"
    if grep -q '^nameserver' /var/spool/postfix/etc/resolv.conf 2>/dev/null; then
        echo "postfix/smtpd[71]: 4F1A2B3C$host: client=$from"
    else
        echo "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[192.0.2.$host]: 450 4.7.1" \\
            "<mail$host.example>: Helo command rejected: Host not found; from=<a@mail$host.example>"
    fi
    host=$((host % 5 + 1))
    sleep 1
done
"""
_FILES = {
    "usr/bin/smtpd": (_SERVER.encode(), 0o755),
    "usr/bin/postfix": (b"#!/bin/sh\necho postfix: $1\n", 0o755),
    "etc/postfix/master.cf": (b"smtp inet n - y - - smtpd\n", 0o644),
}


def _server(box: Box, name: str, words: str) -> None:
    """A mail server whose log has such words of five clients."""
    load(box, "postfix:3.7", Recipe(_FILES))
    box.docker(*SAFE, f"--name={name}", "postfix:3.7", "/usr/bin/smtpd")
    _wait_for(box, name, words)


def _wait_for(box: Box, name: str, words: str) -> None:
    def said() -> int:
        return str(box.docker("logs", name).stdout).count(words)

    before = said()
    box.wait_for(lambda: said() >= before + 5, what=words, timeout=60)


@fault(REFUSED, subject="container:mail97")
def server_without_a_resolver_in_its_folder(box: Box) -> None:
    """The folder of the server has no resolv.conf; the first command puts it there."""
    _server(box, "mail97", "450 4.7.1")
    box.sh(first_command(box, REFUSED, "mail97"))
    _wait_for(box, "mail97", "client=")
    box.docker("rm", "-f", "mail97")
    _server(box, "mail97", "450 4.7.1")


@healthy()
def server_that_takes_mails_too(box: Box) -> None:
    """The server refused some clients, and takes others by now."""
    _server(box, "mail98", "450 4.7.1")
    copy = "mkdir -p /var/spool/postfix/etc && cp /etc/resolv.conf /var/spool/postfix/etc/"
    box.docker("exec", "mail98", "sh", "-c", copy)
    _wait_for(box, "mail98", "client=")
