"""A program that takes no HTTP/1.0, behind a real nginx, which speaks it; and the healthy twin."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "network.http-version-refused"
_SERVER = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_old = self.request_version == "HTTP/1.0"
        self.send_response_only(426 if is_old else 200)
        self.send_header("Server", "envoy")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
    def log_message(self, *_):
        pass

Handler.protocol_version = "HTTP/1.1"
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
"""As Envoy answers."""


def _site(box: Box, number: int, settings: str) -> str:
    """A program behind nginx; the URL of its API."""
    net, name = f"net{number}", f"mesh{number}"
    box.docker("network", "create", net)
    words = ("bb:1.36", "/usr/bin/python3", "-uc", _SERVER)
    box.docker("run", "-d", f"--name={name}", f"--network={net}", *SAFE, *MACHINE, *words)
    page = "location = / { return 200 page; }"
    site = f"listen 80; {page} location /v2/ {{ {settings} proxy_pass http://{name}:8000; }}"
    site_of(box, f"edge{number}", site, "-p", f"{8000 + number}:80", f"--network={net}")
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the page")
    return f"{url}/v2/catalog"


@fault(CHECK, subject="container:mesh86")
def http_1_0_before_envoy(box: Box) -> None:
    """nginx calls by HTTP/1.0, as it does unless it is told, and the program answers 426."""
    url = _site(box, 86, "")
    for _ in range(6):
        assert browse(box, url) == "426"
    box.write("/root/before", box.sh("cat /srv/edge86/nginx.conf"))
    box.sh(first_command(box, CHECK, "mesh86"))
    box.wait_for(lambda: browse(box, url) == "200", what="the API after the command")
    box.sh("cat /root/before >/srv/edge86/nginx.conf")
    box.docker("restart", "-t", "1", "edge86")
    box.wait_for(lambda: browse(box, url) == "426", what="the API again")
    for _ in range(6):
        assert browse(box, url) == "426"


@healthy()
def http_1_1_before_envoy(box: Box) -> None:
    """The same with the version that the program takes."""
    url = _site(box, 87, "proxy_http_version 1.1;")
    for _ in range(6):
        assert browse(box, url) == "200"
