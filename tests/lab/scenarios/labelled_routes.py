"""Reverse proxies that make their routes from labels of containers, and labels that do not fit.

Debian has neither Traefik nor nginx-proxy: a stand-in reads containers and labels from the engine
as Traefik does, and answers with its words.
"""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.real_servers import NGINX

CHECK = "network.route-unserved"
SAFE = ("--memory=64m", "--pids-limit=64")
READS_ENGINE = ("security.docker-socket-mounted", "container:traefik")
_SITE = "shop.lab.test"
_TRAEFIK = r"""
import http.client, http.server, json, re, socket, sys, urllib.request
flags = dict(word.lstrip("-").lower().partition("=")[::2] for word in sys.argv[1:])
open_to_all = flags.get("providers.docker.exposedbydefault", "true") == "true"
points = {name.split(".")[1] for name in flags if name.startswith("entrypoints.")}

class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")

def ask(path):
    engine = Engine("docker")
    engine.request("GET", path)
    return json.loads(engine.getresponse().read())

def place_of(site):
    rows = ask("/containers/json")
    defined = {label.split(".")[3] for row in rows for label in row["Labels"] or {} if ".middlewares." in label and ".routers." not in label}
    for row in rows:
        container = ask("/containers/" + row["Id"] + "/json")
        labels = container["Config"]["Labels"] or {}
        if container["State"].get("Health", {}).get("Status", "healthy") != "healthy":
            continue
        if labels.get("traefik.enable", str(open_to_all).lower()) != "true":
            continue
        for label, rule in labels.items():
            router = re.fullmatch(r"(traefik\.http\.routers\.[^.]+)\.rule", label)
            if router is None or site not in re.findall(r"`([^`]+)`", rule):
                continue
            wanted = labels.get(router[1] + ".entrypoints")
            if wanted and not set(wanted.split(",")) & points:
                continue
            chain = labels.get(router[1] + ".middlewares", "").removesuffix("@docker")
            if chain and chain not in defined:
                continue
            networks = container["NetworkSettings"]["Networks"]
            ports = container["NetworkSettings"]["Ports"] or {}
            numbers = sorted(int(port.split("/")[0]) for port in ports)
            told = [labels[name] for name in labels if name.endswith("server.port")]
            if told or numbers:
                called = labels.get("traefik.docker.network", min(networks))
                address = networks[called]["IPAddress"]
                return "http://%s:%s/" % (address, (told or numbers)[0])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        place = place_of(self.headers["Host"].split(":")[0])
        if place is None:
            return self.answer(404, b"404 page not found\n")
        try:
            self.answer(200, urllib.request.urlopen(place, timeout=2).read())
        except OSError as error:
            late = "timed out" in str(error)
            self.answer(504 if late else 502, b"Gateway Timeout" if late else b"Bad Gateway")

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
"""


_ROUTER = f"traefik.http.routers.shop.rule=Host(`{_SITE}`)"
_ON = "traefik.enable=true"


def _traefik(box: Box, *flags: str, options: tuple[str, ...] = ()) -> None:
    """Traefik on a network of its own, which serves only what has the label for it."""
    box.docker("network", "create", "edge")
    start = b'#!/bin/sh\nexec /usr/bin/python3 /traefik.py "$@"\n'
    files = {"traefik.py": (_TRAEFIK.encode(), 0o644), "entrypoint.sh": (start, 0o755)}
    load(box, "traefik:v3.1", Recipe(files, ('ENTRYPOINT ["/entrypoint.sh"]',)))
    usual = ("--name=traefik", "--net=edge", *SAFE, *MACHINE, "-p", "80:80", *options)
    engine = "--volume=/var/run/docker.sock:/var/run/docker.sock:ro"
    given = ("--providers.docker.exposedbydefault=false", "--entrypoints.web.address=:80", *flags)
    box.docker("run", "-d", *usual, engine, "traefik:v3.1", *given)
    box.wait_for(lambda: "404" in _get(box, "nobody.lab.test"), what="Traefik")


@fault(CHECK, subject="container:traefik", also=(READS_ENGINE,), args=PATIENT)
def routers_in_the_static_file(box: Box) -> None:
    """Somebody wrote a router into Traefik's static file, which drops it: its site is a 404."""
    router = f"http:\n  routers:\n    shop: {{rule: Host(`{_SITE}`), service: shop}}\n"
    box.write("/srv/traefik/traefik.yml", f"providers:\n  docker: {{}}\n{router}")
    _traefik(box, options=("--volume=/srv/traefik/traefik.yml:/etc/traefik/traefik.yml:ro",))
    assert _get(box) == "404 page not found\n404"


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def routers_in_a_file_of_their_own(box: Box) -> None:
    """The static file names the provider that loads another one."""
    provider = "  file: {filename: /etc/traefik/sites.yml}\n"
    box.write("/srv/traefik/traefik.yml", f"providers:\n  docker: {{}}\n{provider}")
    _traefik(box, options=("--volume=/srv/traefik:/etc/traefik:ro",))


def _shop(
    box: Box, *options: str, name: str = "shop10", network: str = "edge", program: str = "shop"
) -> None:
    """A shop that listens on 8080, of an image that declares another port too."""
    image, files = f"{program}:ports", {"www/index.html": (b"hello\n", 0o644)}
    load(box, image, Recipe({**files, f"www/{program}": (b"", 0o644)}, ("EXPOSE 8025 8080",)))
    words = (image, "httpd", "-f", "-p", "8080", "-h", "/www")
    labels = tuple(f"--label={option}" for option in options)
    box.docker("run", "-d", f"--name={name}", f"--net={network}", *SAFE, *labels, *words)


@fault(CHECK, subject="container:shop13", also=(READS_ENGINE,), args=PATIENT)
def program_that_listens_on_loopback(box: Box) -> None:
    """A program listens at 127.0.0.1 of its container, as development servers do: 502."""
    _traefik(box)
    words = ("bb:1.36", "httpd", "-f", "-p", "127.0.0.1:8080")
    port = "traefik.http.services.shop.loadbalancer.server.port=8080"
    labels = (f"--label={_ON}", f"--label={_ROUTER}", f"--label={port}")
    box.docker("run", "-d", "--name=shop13", "--net=edge", *SAFE, *labels, *words)
    assert _get(box) == "Bad Gateway502"
    box.sh("sleep 21", timeout=40)  # a program may open its first port so late
    findings = box.diagnose("check", CHECK, "--format", "json").findings
    assert findings[0]["summary"].endswith("on the loopback address only")


def _get(box: Box, site: str = _SITE) -> str:
    """What Traefik answers to a client of a site, with its code."""
    url = f"http://{BOX_ADDRESS}/"
    curl = ["curl", "-sS", "--noproxy", "*", "-m", "5", "-H", f"Host: {site}", "-w", "%{http_code}"]
    return box.provider.run([*curl, url], check=False).stdout


def _heals(box: Box, name: str = "shop10") -> None:
    """The first command of the report brings the site back."""
    findings = box.diagnose("check", CHECK, "--format", "json").findings
    assert [finding["subject"]["name"] for finding in findings] == [name]
    for line in findings[0]["fix"][0]["command"].splitlines():
        words = line.removesuffix(" | sh").split()
        box.sh(box.diagnose(*words[1:]).out if words[0] == "diagnose" else line, timeout=60)
    box.wait_for(lambda: _get(box) == "hello\n200", what="the site")


def _with_two_ports(box: Box) -> None:
    _traefik(box)
    _shop(box, _ON, _ROUTER)
    box.wait_for(lambda: _get(box) == "Bad Gateway502", what="a bad gateway")
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault(CHECK, subject="container:shop10", also=(READS_ENGINE,), args=PATIENT)
def lowest_port_that_an_image_declares(box: Box) -> None:
    """An image declares two ports: Traefik calls the lower one, where nobody listens."""
    _with_two_ports(box)


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def port_in_a_label(box: Box) -> None:
    """The same after the first command, beside containers that Traefik is not to serve."""
    _with_two_ports(box)
    _heals(box)
    _shop(box, "traefik.enable=false", _ROUTER, name="shop11")
    _shop(box, name="shop12")


@fault(CHECK, subject="container:shop10", also=(READS_ENGINE,), args=PATIENT)
def label_that_traefik_does_not_know(box: Box) -> None:
    """Traefik is told to serve only what has traefik.enable, and the label is misspelt."""
    _traefik(box)
    _shop(box, "traefik.enabled=true", _ROUTER)
    assert _get(box) == "404 page not found\n404"


@fault(CHECK, subject="container:shop10", also=(READS_ENGINE,), args=PATIENT)
def entry_point_that_traefik_lacks(box: Box) -> None:
    """A router asks for an entry point of another name than Traefik's only one."""
    _traefik(box)
    port = "traefik.http.services.shop.loadbalancer.server.port=8080"
    _shop(box, _ON, _ROUTER, "traefik.http.routers.shop.entrypoints=websecure", port)
    assert _get(box) == "404 page not found\n404"


_PORT = "traefik.http.services.shop.loadbalancer.server.port=8080"
_GUARDED = "traefik.http.routers.shop.middlewares=auth@docker"


@fault(CHECK, subject="container:shop10", also=(READS_ENGINE,), args=PATIENT)
def middleware_that_nobody_defines(box: Box) -> None:
    """A router asks for a middleware that is called otherwise where it is defined."""
    _traefik(box)
    _shop(box, _ON, _ROUTER, _PORT, _GUARDED)
    _shop(box, "traefik.http.middlewares.auth2.ipallowlist.sourcerange=0.0.0.0/0", name="shop11")
    assert _get(box) == "404 page not found\n404"


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def middleware_of_another_container(box: Box) -> None:
    """The same, and the name is the one that another container defines."""
    _traefik(box)
    _shop(box, _ON, _ROUTER, _PORT, _GUARDED)
    _shop(box, "traefik.http.middlewares.auth.ipallowlist.sourcerange=0.0.0.0/0", name="shop11")
    box.wait_for(lambda: _get(box) == "hello\n200", what="the site")


def _apart(box: Box) -> None:
    _traefik(box)
    box.docker("network", "create", "back")
    port = "traefik.http.services.shop.loadbalancer.server.port=8080"
    _shop(box, _ON, _ROUTER, port, network="back")
    assert _get(box) == "Gateway Timeout504"


@fault(CHECK, subject="container:shop10", also=(READS_ENGINE,), args=PATIENT)
def site_on_a_network_of_its_own(box: Box) -> None:
    """Traefik finds a container, and is on none of its networks: 504."""
    _apart(box)


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def site_that_was_given_the_network_of_traefik(box: Box) -> None:
    """The same container on both networks after the commands of the report."""
    _apart(box)
    _heals(box)


def _mail_page(box: Box, *labels: str) -> None:
    """A server of mail with a page, whose image declares the port for mail too."""
    _traefik(box)
    load(box, "mail:25", Recipe({"www/index.html": (b"hello\n", 0o644)}, ("EXPOSE 25 8080",)))
    marks = tuple(f"--label={label}" for label in (_ON, _ROUTER, "traefik.port=8080", *labels))
    serve = "nc -ll -p 25 -e cat & exec httpd -f -p 8080 -h /www"
    words = ("--name=mail17", "--net=edge", *SAFE, *marks, "mail:25", "sh", "-c", serve)
    box.docker("run", "-d", *words)
    box.wait_for(lambda: len(_listeners(box, "mail17")) >= 2, what="both ports")
    box.sh("sleep 4")  # a program may open its next port so long after its first one


def _listeners(box: Box, name: str) -> list[str]:
    lines = box.docker("exec", name, "netstat", "-ltn").stdout.splitlines()
    return [line for line in lines if "LISTEN" in line]


@fault(CHECK, subject="container:mail17", also=(READS_ENGINE,), args=PATIENT)
def port_in_a_label_of_traefik_1(box: Box) -> None:
    """A label of Traefik 1 names the port: Traefik 3 calls the lowest one, which is for mail."""
    _mail_page(box)
    findings = box.diagnose("check", CHECK, "--format", "json").findings
    assert "server.port=8080" in findings[0]["fix"][0]["command"]


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def ports_in_labels_of_both_traefiks(box: Box) -> None:
    """The same with the label of Traefik 3 beside the former one."""
    _mail_page(box, _PORT)
    box.wait_for(lambda: _get(box) == "hello\n200", what="the site")


def _site_of_https(box: Box, name: str, answer: str) -> None:
    """A site that leads to HTTPS at port 80, behind a Traefik that ends HTTPS for it."""
    _traefik(box)
    load_server(box, "nginx", "panel:1")
    location = f"location / {{ {answer} return 301 https://{_SITE}$request_uri; }}"
    box.write(f"/srv/{name}/nginx.conf", NGINX % f"server {{ listen 80; {location} }}")
    mount = f"--volume=/srv/{name}/nginx.conf:/etc/nginx/nginx.conf:ro"
    port = "traefik.http.services.shop.loadbalancer.server.port=80"
    labels = (_ON, _ROUTER, "traefik.http.routers.shop.tls=true", port)
    marks = tuple(f"--label={label}" for label in labels)
    nginx = ("/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")
    box.docker("run", "-d", f"--name={name}", "--net=edge", *SAFE, mount, *marks, "panel:1", *nginx)
    box.wait_for(lambda: _listeners(box, name), what="the site")
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault("network.redirect-loop", subject="container:panel18", also=(READS_ENGINE,), args=PATIENT)
def site_that_leads_clients_of_traefik_to_https(box: Box) -> None:
    """A program with its own HTTPS leads everybody to it: Traefik's clients come back for ever."""
    _site_of_https(box, "panel18", "")
    box.wait_for(
        lambda: box.diagnose("check", "network.redirect-loop", "--format", "json").findings,
        what="the answers of the site",
        timeout=90,
    )


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def site_that_knows_of_the_https_of_traefik(box: Box) -> None:
    """The same program, which serves those who came by HTTPS."""
    _site_of_https(box, "panel19", "if ($http_x_forwarded_proto = https) { return 200; }")


_TELLS_APART = "traefik.http.routers.new.priority=90"


def _two_of_a_site(box: Box, *labels: str) -> None:
    """A shop, and another program, whose labels were copied and got another name alone."""
    _traefik(box)
    _shop(box, _ON, _ROUTER, _PORT)
    port = "traefik.http.services.new.loadbalancer.server.port=8080"
    rule = f"traefik.http.routers.new.rule=Host(`{_SITE}`)"
    _shop(box, _ON, rule, port, *labels, name="shop16", program="blog")


@fault(
    CHECK, subject="container:shop16", expect=((CHECK, "container:slow16"),),
    also=(READS_ENGINE,), args=PATIENT,
)  # fmt: skip
def site_of_two_containers_and_one_that_is_not_checked_yet(box: Box) -> None:
    """Two routers have one rule, and Traefik waits for a health check that runs each half hour."""
    _two_of_a_site(box)
    check = ("--health-cmd=true", "--health-interval=30m", *SAFE)
    labels = (f"--label={_ON}", "--label=traefik.http.routers.slow.rule=Host(`slow.lab.test`)")
    words = ("bb:1.36", "httpd", "-f", "-p", "8080")
    box.docker("run", "-d", "--name=slow16", "--net=edge", *check, *labels, *words)
    assert _get(box, "slow.lab.test") == "404 page not found\n404"
    box.sh("sleep 21", timeout=40)  # the site may be missing for so long after a start


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def site_of_two_containers_by_priority(box: Box) -> None:
    """The same two, and a priority says which of them serves the site."""
    _two_of_a_site(box, _TELLS_APART)
    box.wait_for(lambda: _get(box) == "hello\n200", what="the site")


_FPM = b"#!/bin/sh\nexec nc -ll -p 9000 -e true\n"
"""A stand-in for PHP-FPM: it listens where that does, and speaks no HTTP."""
_BEFORE_FPM = "server { listen 8080; location / { proxy_pass http://php14:9000; } }"


def _php_behind_nginx_proxy(box: Box, *options: str) -> None:
    """A site of PHP-FPM, and nginx under the name of nginx-proxy's image in front of it."""
    load(box, "php:8-fpm", Recipe({"bin/php-fpm": (_FPM, 0o755)}, ("EXPOSE 9000",)))
    box.docker("network", "create", "site14")
    words = ("--env=VIRTUAL_HOST=shop.lab.test", *options, "php:8-fpm", "php-fpm")
    box.docker("run", "-d", "--name=php14", "--net=site14", *SAFE, *words)
    load_server(box, "nginx", "nginxproxy/nginx-proxy:1.6")
    box.write("/srv/proxy14/nginx.conf", NGINX % _BEFORE_FPM)
    mount = "/srv/proxy14/nginx.conf:/etc/nginx/nginx.conf:ro"
    run = ("run", "-d", "--name=proxy14", "--net=site14", *SAFE, "-p=80:8080", "-v", mount)
    nginx = ("/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")
    box.docker(*run, "nginxproxy/nginx-proxy:1.6", *nginx)
    box.wait_for(lambda: "502" in _get(box), what="the proxy")
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault(CHECK, subject="container:php14", args=PATIENT)
def php_fpm_that_is_called_by_http(box: Box) -> None:
    """nginx-proxy is not told that a container speaks FastCGI, and calls it by HTTP: 502."""
    _php_behind_nginx_proxy(box)


@healthy(args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def php_fpm_that_is_called_by_fastcgi(box: Box) -> None:
    """The same with the variable that tells nginx-proxy so."""
    _php_behind_nginx_proxy(box, "--env=VIRTUAL_PROTO=fastcgi")


def _two_ports_behind_nginx_proxy(box: Box, *options: str) -> None:
    """A program with two ports, neither of which is 80, behind nginx-proxy."""
    load(box, "console:1", Recipe(changes=("EXPOSE 8080 9990",)))
    box.docker("network", "create", "site15")
    serve = "httpd -p 9990 -h /; exec httpd -f -p 8080 -h /"
    words = ("--env=VIRTUAL_HOST=shop.lab.test", *options, "console:1", "sh", "-c", serve)
    box.docker("run", "-d", "--name=console15", "--net=site15", *SAFE, *words)
    load_server(box, "nginx", "nginxproxy/nginx-proxy:1.6")
    body = "upstream shop { server 127.0.0.1:1; } server { listen 8080; return 502; }"
    box.write("/srv/proxy15/nginx.conf", NGINX % body)
    mount = "/srv/proxy15/nginx.conf:/etc/nginx/nginx.conf:ro"
    run = ("run", "-d", "--name=proxy15", "--net=site15", *SAFE, "-p=80:8080", "-v", mount)
    box.docker(*run, "nginxproxy/nginx-proxy:1.6", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")
    box.wait_for(lambda: "502" in _get(box), what="the proxy")
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault(CHECK, subject="container:console15", args=PATIENT)
def two_ports_of_which_nginx_proxy_calls_neither(box: Box) -> None:
    """A container declares two ports, and no variable says which one nginx-proxy is to call."""
    _two_ports_behind_nginx_proxy(box)
    (found,) = box.diagnose("check", CHECK, *PATIENT, "--format", "json").findings
    assert "ports 8080 and 9990, and without VIRTUAL_PORT" in found["summary"], found


@healthy(args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def two_ports_with_the_variable_that_names_one(box: Box) -> None:
    """The same with VIRTUAL_PORT."""
    _two_ports_behind_nginx_proxy(box, "--env=VIRTUAL_PORT=9990")


_TOLD = "traefik.http.services.shop.loadbalancer.server.port=8080"


@fault(
    "firewall.direct-access-dropped",
    subject="container:shop10",
    also=(READS_ENGINE,),
    args=PATIENT,
    engines=Engines(since=28),
)
def traefik_that_takes_the_address_of_another_network(box: Box) -> None:
    """A container is on a network of its own too, and no label names the one that Traefik is on."""
    _traefik(box)
    box.docker("network", "create", "aback")
    _shop(box, _ON, _ROUTER, _TOLD, network="aback")
    box.docker("network", "connect", "edge", "shop10")
    assert [_get(box) for _ in range(3)] == ["Gateway Timeout504"] * 3


@healthy(also=(READS_ENGINE,), args=(*PATIENT, "--fail-on", "critical"), exit_code=0)
def traefik_that_knows_the_network(box: Box) -> None:
    """The same with the label."""
    _traefik(box)
    box.docker("network", "create", "aback")
    _shop(box, _ON, _ROUTER, _TOLD, "traefik.docker.network=edge", network="aback")
    box.docker("network", "connect", "edge", "shop10")
    assert "hello" in _get(box)
