"""Programs below a path of a site, and programs that forget who has logged in."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

_PROGRAM = """
import http.server, os, time

base = os.environ.get("BASE", "")

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_known = self.path in (base + "/", base + "/a.js", base + "/b.css")
        self.send_response_only(200 if is_known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def _below_a_path(box: Box, number: int, base: str, target: str) -> None:
    """A program that nginx serves at /kopia/, and a browser that loads its page."""
    net, port = f"paths{number}net", 8300 + number
    box.docker("network", "create", net)
    python = ["-e", f"BASE={base}", "bb:1.36", "/usr/bin/python3", "-uc", _PROGRAM]
    box.docker("run", "-d", f"--name=kopia{number}", f"--network={net}", *SAFE, *MACHINE, *python)
    location = f"location /kopia/ {{ proxy_pass http://kopia{number}:8000{target}; }}"
    server = f"listen 80; root /www; {location}"
    site_of(box, f"paths{number}", server, "-p", f"{port}:80", f"--network={net}")
    url = f"http://{BOX_ADDRESS}:{port}"
    box.wait_for(lambda: status_outside(box, port, "/kopia/") == "200", what="the page")
    expected = "200" if base else "404"
    for _ in range(4):
        for file in ("a.js", "b.css"):
            asked = browse(box, f"{url}{base}/{file}", "-e", f"{url}/kopia/")
            assert asked == expected


@fault(
    "network.sub-path-unknown",
    subject="container:paths85",
    shareable=True,
    also=["container.errors-in-log"],
)
def program_that_believes_to_be_at_the_root(box: Box) -> None:
    """Its page at /kopia/ asks for /a.js and /b.css, which the site does not have."""
    _below_a_path(box, 85, "", "/")


@healthy(shareable=True)
def program_that_knows_its_path(box: Box) -> None:
    """The same program, with its base path."""
    _below_a_path(box, 86, "/kopia", "")


def _page_with_a_script(box: Box, number: int, script: str) -> None:
    """nginx with a page that names /static/app.js, and a browser that loads both."""
    port = 8300 + number
    page = "<html><script src=/static/app.js></script></html>"
    location = f"location = / {{ default_type text/html; return 200 '{page}'; }}"
    found = f"location = /static/{script} {{ return 200 'go()'; }} location / {{ return 404; }}"
    site_of(box, f"page{number}", f"listen 80; {location} {found}", "-p", f"{port}:80")
    url = f"http://{BOX_ADDRESS}:{port}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the page")
    expected = "200" if script == "app.js" else "404"
    for _ in range(4):
        assert browse(box, f"{url}/") == "200"
        assert browse(box, f"{url}/static/app.js", "-e", f"{url}/") == expected


@fault("container.page-files-missing", subject="container:page88", args=PATIENT)
def page_whose_script_is_not_there(box: Box) -> None:
    """The build has given the script another name, and the page is that of the build before."""
    _page_with_a_script(box, 88, "app.4f2a.js")
    box.sh("sleep 11", timeout=20)  # a program may listen so late, and is not asked before


@healthy(args=PATIENT)
def page_whose_script_is_there(box: Box) -> None:
    """The same page and its script."""
    _page_with_a_script(box, 89, "app.js")


_SHOP = """
import http.server, os, time

MARK = "; Secure" if os.environ.get("SESSION_COOKIE_SECURE") == "true" else ""

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, *headers):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
        print('%s - - "%s %s HTTP/1.1" %d 0 "-" "%s"' % (
            self.client_address[0], self.command, self.path, status, self.headers["User-Agent"]),
            flush=True)
    def do_GET(self):
        is_known = "session=1" in self.headers.get("Cookie", "")
        self.answer(200 if is_known or self.path == "/" else 401)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200, ("Set-Cookie", "session=1; Path=/" + MARK))
    def log_message(self, *rest):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def _log_in_five_times(box: Box, number: int, is_secure: str, after: str) -> None:
    port, jar = 8300 + number, [f"-b/tmp/jar{number}", f"-c/tmp/jar{number}"]
    python = [
        "-e",
        f"SESSION_COOKIE_SECURE={is_secure}",
        "bb:1.36",
        "/usr/bin/python3",
        "-uc",
        _SHOP,
    ]
    box.docker(
        "run", "-d", f"--name=cookies{number}", "-p", f"{port}:8000", *SAFE, *MACHINE, *python
    )
    url = f"http://{BOX_ADDRESS}:{port}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the shop")
    for _ in range(5):
        assert browse(box, f"{url}/login", *jar, "-d", "user=me") == "200"
        assert browse(box, f"{url}/orders", *jar) == after


@fault("container.login-not-kept", subject="container:cookies87", shareable=True)
def cookie_for_https_over_plain_http(box: Box) -> None:
    """The cookie is marked Secure, and clients come by plain HTTP: they do not keep it."""
    _log_in_five_times(box, 87, "true", "401")
    command = first_command(box, "container.login-not-kept", "cookies87")
    assert command.endswith("-- --env=SESSION_COOKIE_SECURE=false | sh"), command


@healthy(shareable=True)
def cookie_that_comes_back(box: Box) -> None:
    """The same without the mark."""
    _log_in_five_times(box, 88, "false", "200")
