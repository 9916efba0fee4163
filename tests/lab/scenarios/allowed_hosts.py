"""Programs that take requests for certain host names alone."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command, status_outside, typed
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, run

CHECK = "container.host-not-allowed"
_SITE = r"""
import http.server, os, sys

ALLOWED = os.environ["ALLOWED_HOSTS"].split(",")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "").partition(":")[0]
        status = 200 if host in ALLOWED else 400
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        print('%s "GET %s HTTP/1.1" %d -' % (self.client_address[0], self.path, status), flush=True)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def _site(box: Box, name: str, port: int, hosts: str, status: int) -> None:
    """A program, and five clients on another machine."""
    options = (f"--env=ALLOWED_HOSTS={hosts}", "-p", f"{port}:8000")
    run(box, name, *GOOD, *MACHINE, *options, "bb:1.36", "/usr/bin/python3", "-uc", _SITE)
    box.wait_for(lambda: status_outside(box, port, "/") == str(status), what="the program")
    for _ in range(5):
        assert status_outside(box, port, "/") == str(status)


@fault(CHECK, subject="container:cloud95", shareable=True)
def list_without_the_address_of_the_host(box: Box) -> None:
    """The program takes localhost alone, and clients call the host by its address; the command of
    the report adds it."""
    _site(box, "cloud95", 15195, "localhost", 400)
    typed(box, first_command(box, CHECK, "cloud95"))
    box.wait_for(lambda: status_outside(box, 15195, "/") == "200", what="the page")
    box.docker("rm", "-f", "cloud95")
    _site(box, "cloud95", 15195, "localhost", 400)


@healthy(shareable=True)
def list_with_the_address_of_the_host(box: Box) -> None:
    """The same program with the address by which its clients come."""
    _site(box, "cloud96", 15196, f"localhost,{BOX_ADDRESS}", 200)
