"""Web servers whose first page is an error, a circle, or never comes; and their healthy twins.

Nobody calls them: only the tool's own request shows it.
"""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, run
from tests.lab.scenarios.real_servers import nginx

CHECK = "container.answers-with-errors"
_SERVER = r"""
import http.server, sys, time, traceback

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body="", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        MANNER

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


def _serve(box: Box, name: str, port: int, manner: str, *options: str) -> None:
    """A server in Python that answers each request so, and writes no access log."""
    program = _SERVER.replace("MANNER", "\n        ".join(manner.strip().splitlines()))
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    published = ("-p", f"{port}:8080")
    box.docker("run", "-d", f"--name={name}", *GOOD, *MACHINE, *published, *options, *words)


def _grow(box: Box, name: str, seconds: int = 22) -> None:
    """Wait until the tool no longer takes it for a program that starts."""
    box.wait_for(
        lambda: float(box.sh(f"ps -o etimes= -p {box.inspect(name)['State']['Pid']}")) > seconds,
        seconds + 30,
        "the program to be older",
    )


_NO_DATABASE = """
try:
    raise ConnectionRefusedError('connection to server at "db" (172.18.0.9), port 5432 failed: Connection refused')
except OSError:
    traceback.print_exc()
    self.answer(500, "<html><title>Server Error (500)</title><h1>Server Error (500)</h1></html>")
"""


@fault(CHECK, subject="container:shop81")
def page_that_fails_and_the_log_says_why(box: Box) -> None:
    """Nobody has called the program: its log is empty until the tool asks for the first page."""
    _serve(box, "shop81", 8181, _NO_DATABASE)
    _grow(box, "shop81")
    run_ = box.diagnose("check", CHECK, "--format", "json")
    (finding,) = run_.findings
    assert "refuses the connection" in finding["summary"]
    assert finding["evidence"]["GET / at port 8080"].startswith("500")
    assert finding["evidence"]["body of the answer"] == "Server Error (500)"


@fault(CHECK, subject="container:site82")
def site_without_an_index(box: Box) -> None:
    """An empty folder of the host is mounted where nginx has its pages."""
    box.sh("mkdir -p /srv/pages82")
    site = "server { listen 8080; root /site; }"
    nginx(box, "site82", site, "-p", "8182:8080", "-v", "/srv/pages82:/site:ro")
    box.wait_for(lambda: status_outside(box, 8182, "/") == "403", what="nginx to answer")
    _grow(box, "site82", 12)
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    assert "folder /site/ holds no index file" in finding["summary"]


@fault(CHECK, subject="container:site83")
def site_that_its_server_may_not_read(box: Box) -> None:
    """The page belongs to root, who alone may read it; nginx runs as another user."""
    box.sh("mkdir -p /srv/pages83 && echo hello >/srv/pages83/index.html")
    box.sh("chmod 600 /srv/pages83/index.html")
    site = "server { listen 8080; root /site; }"
    nginx(box, "site83", site, "-p", "8183:8080", "-v", "/srv/pages83:/site:ro")
    box.wait_for(lambda: status_outside(box, 8183, "/") == "403", what="nginx to answer")
    _grow(box, "site83", 12)
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    assert "its workers may not read /site/index.html" in finding["summary"]


@fault(CHECK, subject="container:shop84")
def error_that_a_proxy_passes_on(box: Box) -> None:
    """The proxy is well: it passes on what the program behind it answers."""
    box.docker("network", "create", "net84")
    failing = "self.answer(500, 'something went wrong')"
    program = _SERVER.replace("MANNER", failing)
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    run(box, "shop84", *GOOD, *MACHINE, "--network=net84", *words)
    site = "server { listen 8080; location / { proxy_pass http://shop84:8080; } }"
    nginx(box, "edge84", site, "--network=net84", "-p", "80:8080")
    box.wait_for(lambda: status_outside(box, 80, "/") == "500", what="the proxy to answer")
    _grow(box, "edge84")
    (finding,) = box.diagnose("check", CHECK, "--format", "json").findings
    assert 'which container "edge84" may pass on' in finding["summary"]


@fault("network.redirect-loop", subject="container:blog85")
def page_that_leads_to_itself(box: Box) -> None:
    """The program sends each visitor to the address that he has just called."""
    site = "server { listen 8080; location / { return 301 http://$http_host/; } }"
    nginx(box, "blog85", site, "-p", "8185:8080")
    box.wait_for(lambda: status_outside(box, 8185, "/") == "301", what="nginx to answer")
    _grow(box, "blog85", 12)


@fault("network.page-unanswered", subject="container:shop86")
def page_that_never_comes(box: Box) -> None:
    """Each request waits for a lock that nobody gives back; the program's port is open."""
    box.write("/etc/diagnose/lab.toml", '[thresholds."network.page-unanswered"]\nsettled = 12\n')
    _serve(box, "shop86", 8186, "time.sleep(3000)")
    _grow(box, "shop86", 14)


_HEALTHY = {
    "fine87": "self.answer(200, 'welcome')",
    "login87": """
if self.path == '/login':
    self.answer(200, 'log in')
else:
    self.answer(302, Location='/login')
""",
    "basic87": "self.answer(401, WWW_Authenticate='Basic realm=shop')",
    "closed87": "self.answer(403, '{\\\"message\\\": \\\"forbidden\\\"}', Content_Type='application/json')",
    "api87": "self.answer(404, 'no route for /')",
    "ws87": "self.answer(426, 'Upgrade Required')",
    "hosts87": "self.answer(400, 'DisallowedHost')",
    "cookie87": "self.answer(302, Location='/', Set_Cookie='seen=1')",
    "other87": "self.answer(302, Location='https://accounts.example.org/login')",
    "slow87": "time.sleep(2); self.answer(200, 'at last')",
    "down87": "self.answer(503, 'starting')",
}
"""By container, what it answers: none of it is a fault, and 503 belongs to a start."""
_SINK = """
import socket, time
server = socket.create_server(("0.0.0.0", 8888))
kept = []
while True:
    kept.append(server.accept()[0])
    kept[-1].recv(65536)
"""


@healthy()
def first_pages_that_are_no_fault(box: Box) -> None:
    """Log-ins, APIs without a first page, unknown host names, slow pages, and no HTTP at all."""
    for number, (name, manner) in enumerate(_HEALTHY.items()):
        _serve(box, name, 8300 + number, manner)
    words = ("bb:1.36", "/usr/bin/python3", "-uc", _SINK)
    run(box, "sink87", *GOOD, *MACHINE, "-p", "8387:8888", *words)
    run(box, "echo87", *GOOD, "-p", "8388:8080", "bb:1.36", "nc", "-ll", "-p", "8080", "-e", "cat")
    box.write("/etc/diagnose/lab.toml", '[thresholds."network.page-unanswered"]\nsettled = 12\n')
    _grow(box, "fine87")
    box.docker("restart", "--time=0", "down87")
    _grow(box, "down87", 11)


@healthy()
def site_that_leads_to_https(box: Box) -> None:
    """Port 80 leads to HTTPS, which another container serves."""
    site = "server { listen 8080; location / { return 301 https://$host/; } }"
    nginx(box, "edge88", site, "-p", "80:8080")
    _serve(box, "secure88", 443, "self.answer(200, 'welcome')")
    box.wait_for(lambda: status_outside(box, 80, "/") == "301", what="nginx to answer")
    _grow(box, "edge88", 12)


_QUIC = "self.answer(200, 'welcome', Alt_Svc='h3=\":{port}\"; ma=86400')"
_DATAGRAMS = """
import socket, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 8080))
time.sleep(900)
"""


def _announce(box: Box, name: str, port: int, *options: str) -> None:
    """A server that sends browsers on to HTTP/3 at a port of the host."""
    _serve(box, name, port, _QUIC.format(port=port), *options)
    box.spawn(box.in_netns(name, "/usr/bin/python3", "-c", _DATAGRAMS))
    _grow(box, name, 12)


@fault("network.udp-not-published", subject="container:quic98", exit_code=0)
def http3_that_is_announced_and_not_published(box: Box) -> None:
    """A web server takes HTTP/3 and says so to browsers; its port is published for TCP alone."""
    _announce(box, "quic98", 8198)
    command = first_command(box, "network.udp-not-published", "quic98")
    assert "--publish=8198:8080/udp" in command, command


@healthy()
def http3_that_is_published(box: Box) -> None:
    """The same server with its port published for UDP too."""
    _announce(box, "quic99", 8199, "-p", "8199:8080/udp")
