"""Programs that nginx calls by another path than they know; and their healthy twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "network.proxied-path-unknown"
SERVER = """
import http.server, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.requestline.split()[1]  # the other attribute has no two slashes
        known = path in KNOWN
        self.send_response_only(200 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if LOGS:
            print('INFO:     %s:%d - "GET %s HTTP/1.1" %d' % (
                *self.client_address, path, 200 if known else 404), flush=True)
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def _site(
    box: Box,
    number: int,
    known: str,
    location: str,
    target: str,
    *,
    logs: bool = True,
    more: str = "",
) -> str:
    """A page, and an API behind nginx that knows some paths; the URL of the site."""
    net, api = f"net{number}", f"api{number}"
    box.docker("network", "create", net)
    program = SERVER.replace("KNOWN", known).replace("LOGS", str(logs))
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    box.docker("run", "-d", f"--name={api}", f"--network={net}", *SAFE, *MACHINE, *words)
    page = "location = / { return 200 page; }"
    passed = f"location {location} {{ {more} proxy_pass http://{api}:8000{target}; }}"
    publish = ("-p", f"{8000 + number}:80", f"--network={net}")
    site_of(box, f"edge{number}", f"listen 80; {page} {passed}", *publish)
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the page")
    return url


def use(box: Box, url: str, status: str) -> None:
    """The page calls its API."""
    for path in ("/api/users", "/api/orders/7", "/api/users"):
        for _ in range(2):
            assert browse(box, f"{url}{path}", "-e", f"{url}/") == status


def restart(box: Box, proxy: str, program: str) -> None:
    """Start both again, the program first: a call that fails meanwhile stays in the proxy's log."""
    box.docker("restart", "-t", "1", program)
    (place,) = box.inspect(program)["NetworkSettings"]["Networks"].values()
    url = f"http://{place['IPAddress']}:8000/up"
    call = ["curl", "-s", "--noproxy", "*", "-m", "2", url]
    box.wait_for(lambda: box.run(call, check=False).returncode == 0, what=program)
    box.docker("restart", "-t", "1", proxy)


PLAIN = "('/users', '/orders/7')"
PREFIXED = "('/api/users', '/api/orders/7')"


@fault(CHECK, subject="container:api61")
def prefix_that_the_program_does_not_know(box: Box) -> None:
    """proxy_pass without a slash at its end: the API is asked for /api/users, and knows /users."""
    url = _site(box, 61, PLAIN, "/api/", "")
    use(box, url, "404")
    box.write("/root/before", box.sh("cat /srv/edge61/nginx.conf"))
    box.sh(first_command(box, CHECK, "api61"))
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "200", what="the API")
    box.sh("cat /root/before >/srv/edge61/nginx.conf")
    restart(box, "edge61", "api61")
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "404", what="the API again")
    use(box, url, "404")


@fault(CHECK, subject="container:api62")
def prefix_that_the_program_misses(box: Box) -> None:
    """A slash at the end of proxy_pass cuts the path off, and the API writes no access log."""
    use(box, _site(box, 62, PREFIXED, "/api/", "/", logs=False), "404")


@fault(CHECK, subject="container:api63")
def slash_in_the_one_and_not_in_the_other(box: Box) -> None:
    """`location /api` and `proxy_pass .../`: the API is asked for //users."""
    use(box, _site(box, 63, PLAIN, "/api", "/"), "404")


@healthy(shareable=True)
def prefix_that_both_know(box: Box) -> None:
    """The path is passed on as it is, and the API knows it."""
    url = _site(box, 64, PREFIXED, "/api/", "")
    use(box, url, "200")
    for _ in range(5):
        assert browse(box, f"{url}/api/none") == "404"


@healthy(shareable=True)
def prefix_that_nginx_rewrites(box: Box) -> None:
    """The location cuts the path off by a rule of its own; a page asks for what is gone."""
    rule = "rewrite ^/api/(.*)$ /$1 break;"
    use(box, _site(box, 65, "()", "/api/", "", more=rule), "404")
