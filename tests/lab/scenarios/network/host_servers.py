"""Servers of the host's network that ask again and again for a port that somebody has."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy

_LIMITS = ("--memory=64m", "--pids-limit=64", "--net=host")
_LISTEN = "import socket,time;s=socket.create_server(('0.0.0.0',{0}));time.sleep(900)"


def _waiting(box: Box, name: str, port: int, image: str = "bb:1.36") -> None:
    """A server like lighttpd below a supervisor: it says so, and tries once more."""
    line = f"(network.c.309) can't bind to socket: 0.0.0.0:{port} Address already in use"
    script = f'while :; do httpd -f -p {port} 2>/dev/null; echo "{line}"; sleep 1; done'
    box.docker("run", "-d", f"--name={name}", *_LIMITS, image, "sh", "-c", script)
    box.wait_for(lambda: box.docker("logs", name).stdout.count(line) > 4, what="its complaints")


@fault("network.host-port-conflict", subject="container:lighttpd91", also=["container.*"])
def server_that_waits_for_a_port_of_the_host(box: Box) -> None:
    """The host's own web server has the port that a container with host networking wants."""
    box.spawn([sys.executable, "-c", _LISTEN.format(18591)])
    box.wait_for(lambda: ":18591" in box.run(["ss", "-ltn"]).stdout, what="the host's server")
    _waiting(box, "lighttpd91", 18591)


@healthy()
def copy_that_waits_for_the_one_before_it(box: Box) -> None:
    """A new copy of a server on the host's network takes over the port once the former one goes."""
    serve = ("bb:1.36", "httpd", "-f", "-p", "18592", "-h", "/www")
    box.docker("run", "-d", "--name=blue92", *_LIMITS, *serve)
    box.wait_for(lambda: ":18592" in box.run(["ss", "-ltn"]).stdout, what="the first copy")
    _waiting(box, "green92", 18592)
