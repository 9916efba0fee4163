"""Programs behind a proxy that ends TLS, and that name their own files by http://, or do not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, run

CHECK = "container.links-insecure"
_PROGRAM = r"""
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        scheme = self.headers.get("X-Forwarded-Proto", "http") if os.environ.get("TRUST") else "http"
        base = "%s://%s" % (scheme, self.headers.get("Host", ""))
        page = '<html><head><script src="%s/app.js"></script></head></html>' % base
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
_PROXY = r"""
import http.server, ssl, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        headers = {"Host": self.headers.get("Host", ""), "X-Forwarded-Proto": "https"}
        asked = urllib.request.Request("http://%s:8080" + self.path, headers=headers)
        with urllib.request.urlopen(asked, timeout=5) as answer:
            body, kind = answer.read(), answer.headers["Content-Type"]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("", 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/certs/site.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def _site(box: Box, number: int, *options: str) -> None:
    """A program, and the proxy by which its clients come."""
    name, edge, net = f"sso{number}", f"ssoedge{number}", f"sso{number}net"
    folder = f"/srv/sso{number}"
    box.sh(
        f"mkdir -p {folder} && openssl req -x509 -newkey rsa:2048 -nodes -days 90 "
        f"-subj /CN=localhost -keyout {folder}/key.pem -out {folder}/cert.pem 2>&1 && "
        f"cat {folder}/key.pem {folder}/cert.pem > {folder}/site.pem && chmod 644 {folder}/site.pem"
    )
    box.docker("network", "create", net)
    python = ("bb:1.36", "/usr/bin/python3", "-uc")
    run(box, name, *GOOD, *MACHINE, f"--network={net}", *options, *python, _PROGRAM)
    port = ("-p", f"{15000 + number}:443", "-v", f"{folder}:/certs:ro")
    run(
        box, edge, *GOOD, "--sysctl=net.ipv4.ip_unprivileged_port_start=0", *MACHINE,
        f"--network={net}", *port, *python, _PROXY % name,
    )  # fmt: skip
    curl = f"curl -sk --noproxy '*' -m 5 https://127.0.0.1:{15000 + number}/"
    box.wait_for(lambda: "app.js" in box.sh(f"{curl} || true"), 90, "the page")
    box.wait_for(lambda: _runs_for(box, edge) > 12, 90, "a proxy that runs for a while")


def _runs_for(box: Box, name: str) -> float:
    """Seconds since the start of a container; 0 for one that does not run."""
    pid = int(box.inspect(name)["State"]["Pid"])
    return float(box.sh(f"ps -o etimes= -p {pid}")) if pid else 0.0


@fault(CHECK, subject="container:ssoedge197", shareable=True)
def page_with_scripts_by_http(box: Box) -> None:
    """The program does not take the word of its proxy: its scripts have http:// addresses."""
    _site(box, 197)


@healthy(shareable=True)
def page_with_scripts_by_https(box: Box) -> None:
    """The same program, which trusts its proxy."""
    _site(box, 198, "--env=TRUST=1")
