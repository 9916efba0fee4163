"""Programs that Traefik or Caddy call by another path than they know; and their healthy twins.

Caddy is real. Debian has no Traefik: a stand-in goes by the labels as Traefik does.
"""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.proxied_paths import PLAIN, PREFIXED, SERVER, restart, use
from tests.lab.scenarios.untold_programs import SAFE, browse

CHECK = "network.proxied-path-unknown"
READS_ENGINE = ("security.docker-socket-mounted", "container:traefik*")
_TRAEFIK = r"""
import http.client, http.server, json, re, socket, urllib.error, urllib.request

class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")

def place_of(path):
    engine = Engine("docker")
    engine.request("GET", "/containers/json")
    rows = json.loads(engine.getresponse().read())
    every = {k: v for row in rows for k, v in (row["Labels"] or {}).items()}
    for row in rows:
        for label, rule in (row["Labels"] or {}).items():
            router = re.fullmatch(r"traefik\.http\.routers\.(\w+)\.rule", label)
            prefix = re.search(r"PathPrefix\(`([^`]+)`\)", rule)
            if router is None or prefix is None or not path.startswith(prefix[1]):
                continue
            for name in row["Labels"].get(f"traefik.http.routers.{router[1]}.middlewares", "").split(","):
                cut = every.get(f"traefik.http.middlewares.{name}.stripprefix.prefixes")
                path = path.removeprefix(cut) if cut else path
            address = next(iter(row["NetworkSettings"]["Networks"].values()))["IPAddress"]
            return f"http://{address}:8000{path}"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        place, code = place_of(self.path), 404
        try:
            code = urllib.request.urlopen(place, timeout=2).status if place else 404
        except urllib.error.HTTPError as error:
            code = error.code
        except OSError:
            code = 502
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
"""


def _api(box: Box, number: int, known: str, *labels: str) -> None:
    """A program that knows some paths, on a network of its own."""
    box.docker("network", "create", f"net{number}")
    program = SERVER.replace("KNOWN", known).replace("LOGS", "True")
    words = ("bb:1.36", "/usr/bin/python3", "-uc", program)
    options = (f"--network=net{number}", *(f"--label={label}" for label in labels))
    box.docker("run", "-d", f"--name=api{number}", *options, *SAFE, *MACHINE, *words)


def _traefik(box: Box, number: int, known: str, *labels: str) -> str:
    """The program behind Traefik; the URL of the site."""
    router = f"traefik.http.routers.api{number}"
    service = f"traefik.http.services.api{number}.loadbalancer.server.port=8000"
    _api(box, number, known, f"{router}.rule=PathPrefix(`/api`)", service, *labels)
    start = b'#!/bin/sh\nexec /usr/bin/python3 /traefik.py "$@"\n'
    files = {"traefik.py": (_TRAEFIK.encode(), 0o644), "entrypoint.sh": (start, 0o755)}
    load(box, "traefik:v3.1", Recipe(files, ('ENTRYPOINT ["/entrypoint.sh"]',)))
    publish = ("-p", f"{8000 + number}:80", f"--network=net{number}")
    engine = "--volume=/var/run/docker.sock:/var/run/docker.sock:ro"
    given = ("traefik:v3.1", "--providers.docker=true", "--entrypoints.web.address=:80")
    box.docker("run", "-d", f"--name=traefik{number}", *publish, *SAFE, *MACHINE, engine, *given)
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/other") == "404", what="Traefik")
    return url


_STRIP = (
    "traefik.http.middlewares.cut{0}.stripprefix.prefixes=/api",
    "traefik.http.routers.api{0}.middlewares=cut{0}",
)


@fault(CHECK, subject="container:api11", also=(READS_ENGINE,))
def prefix_that_traefik_leaves_on(box: Box) -> None:
    """A router asks for /api, no middleware cuts it off, and the API knows /users."""
    url = _traefik(box, 11, PLAIN)
    use(box, url, "404")
    command = first_command(box, CHECK, "api11")
    strip = "--label=traefik.http.middlewares.api11-strip.stripprefix.prefixes=/api"
    assert strip in command, command


@healthy(also=(READS_ENGINE,))
def prefix_that_traefik_cuts_off(box: Box) -> None:
    """The same with the middleware."""
    labels = (label.format(12) for label in _STRIP)
    use(box, _traefik(box, 12, PLAIN, *labels), "200")


def _caddy(box: Box, number: int, known: str, body: str) -> str:
    """The program behind a real Caddy; the URL of the site."""
    _api(box, number, known)
    program = load_server(box, "caddy", "caddy:2.6")
    page = "handle / {\n\t\trespond page\n\t}"
    global_options = "{\n\tadmin localhost:2019\n\tauto_https off\n}\n"
    box.write(f"/srv/caddy{number}/Caddyfile", f"{global_options}:80 {{\n\t{page}\n\t{body}\n}}\n")
    mount = f"--volume=/srv/caddy{number}:/etc/caddy:ro"
    publish = ("-p", f"{8000 + number}:80", f"--network=net{number}", "-e", "PATH=/usr/bin:/bin")
    run = (program, "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
    options = ("-e", "HOME=/tmp", "--memory=128m", "--pids-limit=64")
    box.docker("run", "-d", f"--name=caddy{number}", *options, *publish, mount, "caddy:2.6", *run)
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="Caddy")
    return url


@fault(CHECK, subject="container:api13")
def prefix_that_caddy_leaves_on(box: Box) -> None:
    """A Caddyfile has `handle` where `handle_path` was meant."""
    url = _caddy(box, 13, PLAIN, "handle /api/* {\n\t\treverse_proxy api13:8000\n\t}")
    use(box, url, "404")
    box.write("/root/before", box.sh("cat /srv/caddy13/Caddyfile"))
    box.sh(first_command(box, CHECK, "api13"))
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "200", what="the API")
    box.sh("cat /root/before >/srv/caddy13/Caddyfile")
    restart(box, "caddy13", "api13")
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "404", what="the API again")
    use(box, url, "404")


@fault(CHECK, subject="container:api14")
def path_in_a_line_of_reverse_proxy(box: Box) -> None:
    """A Caddyfile gives the path in the line of reverse_proxy, which leaves it on."""
    url = _caddy(box, 14, PLAIN, "reverse_proxy /api/* api14:8000")
    use(box, url, "404")
    box.write("/root/before", box.sh("cat /srv/caddy14/Caddyfile"))
    box.sh(first_command(box, CHECK, "api14"))
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "200", what="the API")
    box.sh("cat /root/before >/srv/caddy14/Caddyfile")
    restart(box, "caddy14", "api14")
    box.wait_for(lambda: browse(box, f"{url}/api/users") == "404", what="the API again")
    use(box, url, "404")


@healthy()
def prefix_that_caddy_cuts_off(box: Box) -> None:
    """The same with `handle_path`."""
    body = "handle_path /api/* {\n\t\treverse_proxy api15:8000\n\t}"
    use(box, _caddy(box, 15, PLAIN, body), "200")


@healthy()
def prefix_that_program_and_caddy_know(box: Box) -> None:
    """The path is left on, and the API knows it."""
    use(box, _caddy(box, 16, PREFIXED, "reverse_proxy /api/* api16:8000"), "200")


@fault(CHECK, subject="container:api17", also=(READS_ENGINE,))
def prefix_that_traefik_cuts_off_in_vain(box: Box) -> None:
    """A middleware cuts /api off, and the API knows /api/users."""
    labels = (label.format(17) for label in _STRIP)
    use(box, _traefik(box, 17, PREFIXED, *labels), "404")
