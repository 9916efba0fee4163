"""What people who run other people's programs at home meet: a program that calls the host by
localhost, and the like; each with look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET


def _host_server(box: Box, port: int) -> None:
    """A program of the host's own that listens at a port for everybody."""
    box.sh("mkdir -p /srv/library && echo films >/srv/library/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", str(port), "-h", "/srv/library"])
    box.wait_for(lambda: f":{port}" in box.sh("ss -lnt"), what="the server of the host")


def _count(box: Box, name: str, words: str) -> int:
    done = box.docker("logs", name)
    return (done.stdout + done.stderr).count(words)


_CALLS = (
    "while :; do wget -qO- http://localhost:{port}/ | grep -q films && echo found films || "
    "echo 'couldnt reach local media server at: http://localhost:{port}'; sleep 1; done"
)


@fault("container.loopback-peer", subject="container:finder1", shareable=True)
def program_of_the_host_by_localhost(box: Box) -> None:
    """A program looks for the host's media server at localhost, which is its own container."""
    _host_server(box, 32401)
    calls = ("bb:1.36", "sh", "-c", _CALLS.format(port=32401))
    box.docker("run", "-d", "--name=finder1", *QUIET, *calls)
    box.wait_for(lambda: _count(box, "finder1", "couldnt reach") > 3, what="failed calls")
    command = first_command(box, "container.loopback-peer", "finder1")
    assert command == "diagnose recreate finder1 -- --network=host | sh"


@healthy(shareable=True)
def program_that_finds_its_own_server_late(box: Box) -> None:
    """The same words at the start; then the container's own server listens at that port."""
    _host_server(box, 32402)
    serves = (
        "sleep 3; mkdir -p /tmp/www; echo films >/tmp/www/index.html; httpd -p 32402 -h /tmp/www"
    )
    calls = ("bb:1.36", "sh", "-c", f"({serves}) & {_CALLS.format(port=32402)}")
    box.docker("run", "-d", "--name=finder2", *QUIET, *calls)
    box.wait_for(lambda: _count(box, "finder2", "found films") > 2, what="its own server")
    assert _count(box, "finder2", "couldnt reach") >= 2
