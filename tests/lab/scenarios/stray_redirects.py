"""Web servers that send their visitors on to where nobody serves; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, certificate, site_of

CHECK = "network.redirect-unserved"
_APP = "location = / {{ return 302 {app}; }} location /app/ {{ return 200 hello; }}"
_SERVER = """
import http.server, ssl, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        came_by_https = self.headers.get("X-Forwarded-Proto") == "https" and TRUSTS
        if isinstance(self.connection, ssl.SSLSocket) or came_by_https:
            self.send_response(200)
        else:
            self.send_response(308)
            self.send_header("Location", LOCATION)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

plain = http.server.ThreadingHTTPServer(("", 8080), Handler)
threading.Thread(target=plain.serve_forever).start()
inner = http.server.ThreadingHTTPServer(("", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/certs/cert.pem", "/certs/key.pem")
inner.socket = context.wrap_socket(inner.socket, server_side=True)
inner.serve_forever()
"""
"""It serves HTTPS inside, and leads to it who comes by HTTP, as Caddy does."""


def _grow(box: Box, name: str) -> None:
    """Wait until the tool no longer takes it for a program that starts."""
    pid = box.inspect(name)["State"]["Pid"]
    box.wait_for(lambda: float(box.sh(f"ps -o etimes= -p {pid}")) > 12, what="an older program")


def _nginx(box: Box, name: str, port: int, inner: int, app: str) -> None:
    server = f"listen {inner}; {_APP.format(app=app)}"
    site_of(box, name, server, "-p", f"{port}:{inner}", included="include conf.d/*.conf;")
    box.wait_for(lambda: status_outside(box, port, "/") == "302", what="nginx to answer")
    _grow(box, name)


@fault(CHECK, subject="container:site91")
def redirect_with_the_port_inside(box: Box) -> None:
    """nginx listens at 8080 and is published at 8191: its redirect has its own port."""
    _nginx(box, "site91", 8191, 8080, "/app/")
    url = f"http://{BOX_ADDRESS}:8191/"
    assert browse(box, url, "-L") != "200"
    box.sh(first_command(box, CHECK, "site91"))
    box.wait_for(lambda: browse(box, url, "-L") == "200", what="the page after the command")
    box.docker("exec", "site91", "sh", "-c", "rm /etc/nginx/conf.d/zz-*; nginx -s reload")
    box.wait_for(lambda: browse(box, url, "-L") != "200", what="the fault again")


@healthy(shareable=True)
def redirect_with_the_port_outside(box: Box) -> None:
    """The same with the name and port that the visitor has called."""
    _nginx(box, "site92", 8192, 8080, "http://$http_host/app/")


@healthy(shareable=True)
def redirect_at_the_same_port(box: Box) -> None:
    """The port inside is the one outside, so that a redirect may have it."""
    _nginx(box, "site93", 8193, 8193, "/app/")


def _secure(box: Box, number: int, *options: str, trusts: bool = False, location: str = "") -> None:
    name = f"secure{number}"
    certificate(box, name)
    to = location or '"https://" + self.headers["Host"].partition(":")[0] + self.path'
    program = _SERVER.replace("LOCATION", to).replace("TRUSTS", str(trusts))
    publish = ("-p", f"{8000 + number}:8080", *options, "-v", f"/srv/{name}:/certs:ro")
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    box.docker("run", "-d", f"--name={name}", *SAFE, *MACHINE, *publish, *words)
    port = 8000 + number
    box.wait_for(lambda: status_outside(box, port, "/") == "308", what="the server")
    _grow(box, name)


@fault(CHECK, subject="container:secure94", also=["container.stopped-by-hand"])
def https_that_is_not_published(box: Box) -> None:
    """A server leads to HTTPS, which it serves inside; only its plain port is published."""
    _secure(box, 94)
    url = f"http://{BOX_ADDRESS}:8094/"
    assert browse(box, url, "-L") != "200"
    command = first_command(box, CHECK, "secure94")
    assert "--publish=443:443" in command, command


@healthy()
def https_that_is_published(box: Box) -> None:
    """The same server with both ports published."""
    _secure(box, 95, "-p", "443:443")
    assert browse(box, f"http://{BOX_ADDRESS}:8095/", "-L") == "200"


@healthy()
def https_that_a_proxy_elsewhere_may_serve(box: Box) -> None:
    """The server takes the word of a proxy that its client came by HTTPS."""
    _secure(box, 96, trusts=True)


@fault(CHECK, subject="container:secure97")
def redirect_to_the_name_of_a_service(box: Box) -> None:
    """The program's public address is set to the name that its neighbours call it by."""
    box.docker("network", "create", "net97")
    _secure(box, 97, "--network=net97", location='"http://secure97:8080/login"')


@fault(CHECK, subject="container:site98")
def redirect_to_the_name_of_no_site(box: Box) -> None:
    """nginx's redirect has the name of a site that is for all names."""
    server = "listen 80; server_name _; return 301 https://$server_name$request_uri;"
    site_of(box, "site98", server, "-p", "8198:80", included="include conf.d/*.conf;")
    box.wait_for(lambda: status_outside(box, 8198, "/") == "301", what="nginx to answer")
    _grow(box, "site98")


@healthy(shareable=True)
def redirect_to_the_host_of_the_request(box: Box) -> None:
    """The same with the host that the visitor has called; another machine serves HTTPS."""
    server = "listen 80; server_name _; return 301 https://$host$request_uri;"
    site_of(box, "site99", server, "-p", "8199:80", included="include conf.d/*.conf;")
    box.wait_for(lambda: status_outside(box, 8199, "/") == "301", what="nginx to answer")
    _grow(box, "site99")
