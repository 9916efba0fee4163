"""Programs that refuse the host name by which nginx calls them, and the healthy twins."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "network.host-name-refused"
_PUBLIC = "files.lab.test"
_STORE = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        is_signed = "X-Amz-Signature" in self.path
        is_known = self.headers.get("Host", "").partition(":")[0] == "files.lab.test"
        self.send_response(403 if is_signed and not is_known else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 9000), Handler).serve_forever()
"""
"""As MinIO answers: the signature was made for the public name."""


def _store(box: Box, number: int, settings: str) -> str:
    """A store behind nginx; the URL of a signed address."""
    net, name = f"net{number}", f"minio{number}"
    box.docker("network", "create", net)
    words = ("bb:1.36", "/usr/bin/python3", "-uc", _STORE)
    box.docker("run", "-d", f"--name={name}", f"--network={net}", *SAFE, *MACHINE, *words)
    site = f"listen 80; location / {{ {settings} proxy_pass http://{name}:9000; }}"
    site_of(box, f"edge{number}", site, "-p", f"{8000 + number}:80", f"--network={net}")
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the store")
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={now}&X-Amz-Expires=3600"
    return f"{url}/docs/a.pdf?{query}&X-Amz-SignedHeaders=host&X-Amz-Signature=0a1b"


def _asked(box: Box, url: str, name: str = _PUBLIC) -> str:
    return browse(box, url, "-H", f"Host: {name}")


@fault(CHECK, subject="container:minio31")
def signed_addresses_behind_another_name(box: Box) -> None:
    """nginx calls the store by its name on the network, and signatures hold for the public one."""
    url = _store(box, 31, "")
    for _ in range(6):
        assert _asked(box, url) == "403"
    box.write("/root/before", box.sh("cat /srv/edge31/nginx.conf"))
    box.sh(first_command(box, CHECK, "minio31"))
    box.wait_for(lambda: _asked(box, url) == "200", what="the store after the command")
    box.sh("cat /root/before >/srv/edge31/nginx.conf")
    box.docker("restart", "-t", "1", "edge31")
    box.wait_for(lambda: _asked(box, url) == "403", what="the store again")
    for _ in range(6):
        assert _asked(box, url) == "403"


@healthy()
def signed_addresses_behind_their_name(box: Box) -> None:
    """The same with the name that clients ask for."""
    url = _store(box, 32, "proxy_set_header Host $http_host;")
    for _ in range(6):
        assert _asked(box, url) == "200"


def _other_site(box: Box, number: int, settings: str) -> str:
    """A site of its own name, and an nginx that leads there; its URL."""
    net, name = f"net{number}", f"site{number}.lab.test"
    box.docker("network", "create", net)
    site_of(
        box, f"site{number}", f"listen 80; server_name {name}; return 200 page;",
        f"--network={net}", f"--network-alias={name}",
        included="server { listen 80 default_server; return 421; }",
    )  # fmt: skip
    way = f"listen 80; location / {{ {settings} proxy_pass http://{name}; }}"
    site_of(box, f"edge{number}", way, "-p", f"{8000 + number}:80", f"--network={net}")
    return f"http://{BOX_ADDRESS}:{8000 + number}/"


@fault(CHECK, subject="container:site33")
def site_that_is_told_the_name_of_the_clients(box: Box) -> None:
    """nginx passes on what clients typed, and the site behind it knows its own name alone."""
    url = _other_site(box, 33, "proxy_set_header Host $host;")
    box.wait_for(lambda: browse(box, url) == "421", what="the site")
    for _ in range(6):
        assert browse(box, url) == "421"


@healthy()
def site_that_is_told_its_own_name(box: Box) -> None:
    """The same without the header."""
    url = _other_site(box, 34, "")
    box.wait_for(lambda: browse(box, url) == "200", what="the site")
    for _ in range(6):
        assert browse(box, url) == "200"
