"""Sites that a reverse proxy leaves out, or calls where nobody answers, by labels and networks.

Debian has none of these proxies. Servers of other names stand in: the check compares settings.
"""

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.programs import load_server
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.real_servers import NGINX

CHECK = "network.route-unserved"
SAFE = ("--memory=64m", "--pids-limit=64")
_RULE = "traefik.http.routers.shop.rule=Host(`shop.lab.test`)"
_SECURE = "traefik.http.routers.shop-https"
_PORT = "traefik.http.services.shop.loadbalancer.server.port=8080"


def _serves(box: Box, image: str, port: int) -> None:
    """An image that serves one page at a port and declares that port."""
    start = f"#!/bin/sh\nexec httpd -f -p {port} -h /www\n".encode()
    files = {"www/index.html": (b"hello\n", 0o644), "start.sh": (start, 0o755)}
    load(box, image, Recipe(files, ('ENTRYPOINT ["/start.sh"]', f"EXPOSE {port}")))


def _traefik(box: Box, number: int, *labels: str, options: tuple[str, ...] = ()) -> None:
    """Traefik with entry points for HTTP and HTTPS, and a shop behind it."""
    _serves(box, "traefik:v3.1", 80)
    _serves(box, "shop:8080", 8080)
    box.docker("network", "create", f"edge{number}")
    net = f"--network=edge{number}"
    points = ("--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443")
    published = ("--publish=80:80", "--publish=443:443")
    run = ("run", "-d", net, *SAFE)
    proxy = ("traefik:v3.1", "--providers.docker=true", *points)
    box.docker(*run, f"--name=traefik{number}", *published, *proxy)
    marks = tuple(f"--label={label}" for label in (_RULE, _PORT, *labels))
    box.docker(*run, f"--name=shop{number}", *marks, *options, "shop:8080")
    box.wait_for(lambda: _listens(box, f"shop{number}", 8080), what="the shop", timeout=60)
    box.sh("sleep 4")  # a program may open its next port so long after its first one


def _listens(box: Box, name: str, port: int) -> bool:
    lines = box.docker("exec", name, "netstat", "-ltn").stdout.splitlines()
    return any("LISTEN" in line and f":{port} " in line for line in lines)


@fault(
    CHECK,
    subject="container:shop31",
    also=(("network.published-port-not-listening", "container:traefik31"),),
    args=PATIENT,
)
def site_without_a_router_for_https(box: Box) -> None:
    """A router has no TLS: Traefik answers whoever calls the site by HTTPS with 404."""
    _traefik(box, 31)
    command = first_command(box, CHECK, "shop31")
    assert f"{_SECURE}.tls=true" in command


@healthy(
    also=(("network.published-port-not-listening", "container:traefik32"),),
    args=(*PATIENT, "--fail-on", "warning"),
    exit_code=0,
)
def site_with_routers_for_http_and_https(box: Box) -> None:
    """The same with a second router, which asks for TLS."""
    second = (f"{_SECURE}.rule=Host(`shop.lab.test`)", f"{_SECURE}.tls=true")
    _traefik(box, 32, *second)
    found = box.diagnose("check", CHECK, *PATIENT, "--format", "json").findings
    assert not found, found


@healthy(
    also=(("network.published-port-not-listening", "container:traefik33"),),
    args=(*PATIENT, "--fail-on", "warning"),
    exit_code=0,
)
def site_for_http_alone(box: Box) -> None:
    """The router names the entry point for HTTP: the site is meant for that alone."""
    _traefik(box, 33, "traefik.http.routers.shop.entrypoints=web")
    found = box.diagnose("check", CHECK, *PATIENT, "--format", "json").findings
    assert not found, found


@fault(
    "container.unhealthy",
    subject="container:shop34",
    expect=((CHECK, "container:shop34"),),
    also=(("network.published-port-not-listening", "container:traefik34"),),
    args=PATIENT,
)
def site_that_traefik_leaves_out_while_it_is_unhealthy(box: Box) -> None:
    """A health check asks for a file that is not there: Traefik serves no unhealthy container."""
    probe = ("--health-cmd=test -e /ready", "--health-interval=1s", "--health-retries=2")
    _traefik(box, 34, options=probe)
    state = "{{.State.Health.Status}}"
    box.wait_for(
        lambda: "unhealthy" in box.docker("inspect", "-f", state, "shop34").stdout,
        what="the failed probes",
        timeout=60,
    )
    findings = box.diagnose("check", CHECK, *PATIENT, "--format", "json").findings
    (effect,) = [finding for finding in findings if finding["id"] == CHECK]
    assert "leaves it out" in effect["summary"], findings


def _caddy(box: Box, number: int, upstreams: str) -> None:
    """caddy-docker-proxy, and a shop whose label names the port."""
    _serves(box, "lucaslorentz/caddy-docker-proxy:2.9", 80)
    _serves(box, "shop:3000", 3000)
    box.docker("network", "create", f"edge{number}")
    run = ("run", "-d", f"--network=edge{number}", *SAFE)
    box.docker(*run, f"--name=caddy{number}", "-p=80:80", "lucaslorentz/caddy-docker-proxy:2.9")
    labels = ("--label=caddy=http://shop.lab.test", f"--label=caddy.reverse_proxy={upstreams}")
    box.docker(*run, f"--name=shop{number}", *labels, "shop:3000")
    box.wait_for(lambda: _listens(box, f"shop{number}", 3000), what="the shop", timeout=60)
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault(CHECK, subject="container:shop35", args=PATIENT)
def port_in_a_label_of_caddy(box: Box) -> None:
    """A label of caddy-docker-proxy names port 80, and the program listens on 3000."""
    _caddy(box, 35, "{{upstreams 80}}")
    assert "{{upstreams 3000}}" in first_command(box, CHECK, "shop35")


@healthy(args=(*PATIENT, "--fail-on", "warning"), exit_code=0)
def right_port_in_a_label_of_caddy(box: Box) -> None:
    """The same with the port on which the program listens."""
    _caddy(box, 36, "{{upstreams 3000}}")


_DOWN = "upstream shop.lab.test { server 127.0.0.1 down; }"
_SITE = "server { listen 80; location / { proxy_pass http://%s; } }"


def _nginx_proxy(box: Box, number: int, upstream: str) -> None:
    """nginx-proxy on two networks, and a shop on the one that is internal."""
    load_server(box, "nginx", "nginxproxy/nginx-proxy:1.6")
    _serves(box, "shop:8080", 8080)
    box.docker("network", "create", f"open{number}")
    box.docker("network", "create", "--internal", f"inner{number}")
    shop = (f"--name=shop{number}", "--env=VIRTUAL_HOST=shop.lab.test")
    box.docker("run", "-d", f"--network=inner{number}", *SAFE, *shop, "shop:8080")
    sites = f"{upstream} {_SITE % 'shop.lab.test'}"
    box.write(f"/srv/proxy{number}/nginx.conf", NGINX % "include /etc/nginx/conf.d/*.conf;")
    box.write(f"/srv/proxy{number}/default.conf", sites)
    mounts = (
        f"--volume=/srv/proxy{number}/nginx.conf:/etc/nginx/nginx.conf:ro",
        f"--volume=/srv/proxy{number}/default.conf:/etc/nginx/conf.d/default.conf:ro",
    )
    proxy = (f"--name=proxy{number}", f"--network=open{number}", "-p=80:80", *SAFE, *mounts)
    words = ("nginxproxy/nginx-proxy:1.6", "/usr/sbin/nginx", "-c", "/etc/nginx/nginx.conf")
    box.docker("create", *proxy, *words)
    box.docker("network", "connect", f"inner{number}", f"proxy{number}")
    box.docker("start", f"proxy{number}")
    box.wait_for(lambda: _listens(box, f"shop{number}", 8080), what="the shop", timeout=60)
    box.sh("sleep 4")  # a program may open its next port so long after its first one


@fault(CHECK, subject="container:shop37", args=PATIENT)
def site_on_an_internal_network_alone(box: Box) -> None:
    """The engine lists no ports of internal networks: nginx-proxy marks the server as down."""
    _nginx_proxy(box, 37, _DOWN)
    assert "docker network connect open37 shop37" in first_command(box, CHECK, "shop37")


@healthy(args=(*PATIENT, "--fail-on", "warning"), exit_code=0)
def site_on_an_internal_network_that_is_served(box: Box) -> None:
    """The same networks, and a release of nginx-proxy that takes VIRTUAL_PORT there."""
    _nginx_proxy(box, 38, "upstream shop.lab.test { server shop38:8080; }")


_CALLS = (
    "while :; do nc -w 1 %s %d </dev/null"
    " || echo 'dial tcp %s:%d: connect: connection refused' >&2; sleep 1; done"
)


@fault("network.peer-not-listening", subject="container:caller39", shareable=True)
def high_port_of_the_host_between_containers(box: Box) -> None:
    """A proxy calls a neighbour at its port on the host, which is as high as a caller's own."""
    box.docker("network", "create", "--subnet=10.232.39.0/24", "wiki39net")
    _serves(box, "wiki:80", 80)
    net = ("--network=wiki39net", *SAFE)
    box.docker("run", "-d", "--name=wiki39", "--ip=10.232.39.9", "-p=56701:80", *net, "wiki:80")
    calls = _CALLS % ("10.232.39.9", 56701, "10.232.39.9", 56701)
    box.docker("run", "-d", "--name=caller39", *net, "bb:1.36", "sh", "-c", calls)
    box.wait_for(lambda: _refusals(box, "caller39") >= 4, what="refused calls", timeout=60)


@fault("container.loopback-peer", subject="container:caller40", shareable=True)
def call_of_all_addresses(box: Box) -> None:
    """A proxy calls 0.0.0.0, which is itself: a neighbour publishes that port of the host."""
    _serves(box, "vault:80", 80)
    box.docker("network", "create", "vault40net")
    net = ("--network=vault40net", *SAFE)
    box.docker("run", "-d", "--name=vault40", "-p=127.0.0.1:18440:80", *net, "vault:80")
    calls = _CALLS % ("0.0.0.0", 18440, "0.0.0.0", 18440)
    box.docker("run", "-d", "--name=caller40", *net, "bb:1.36", "sh", "-c", calls)
    box.wait_for(lambda: _refusals(box, "caller40") >= 6, what="refused calls", timeout=60)


@healthy(shareable=True)
def server_that_listens_at_all_addresses(box: Box) -> None:
    """A program that says at which address it listens, and nobody is refused."""
    says = "echo 'listening on 0.0.0.0:18441'; echo 'metrics on 0.0.0.0:18442'; exec sleep 1000"
    box.docker("run", "-d", "--name=says41", *SAFE, "bb:1.36", "sh", "-c", says)


def _refusals(box: Box, name: str) -> int:
    return box.docker("logs", name).stderr.count("connection refused")


@fault("network.published-port-not-listening", subject="container:edge42", args=PATIENT)
def host_port_that_leads_to_a_former_entry_point(box: Box) -> None:
    """80:8000 was left when the program moved to port 80; a second port is not served yet."""
    _serves(box, "edge:80", 80)
    published = ("--publish=80:8000", "--publish=443:443")
    box.docker("run", "-d", "--name=edge42", *published, *SAFE, "edge:80")
    box.sh("sleep 21", timeout=40)  # a program may open its first port so late
    run = box.diagnose("check", "network.published-port-not-listening", "--format", "json")
    found = {finding["key"].rpartition("#")[2]: finding for finding in run.findings}
    severities = {port: finding["severity"] for port, finding in found.items()}
    assert severities == {"8000": "warning", "443": "advice"}, severities
    typed(box, found["8000"]["fix"][0]["command"])
    url = f"http://{BOX_ADDRESS}/"
    box.wait_for(lambda: "hello" in box.provider.curl(url, check=False), what="the page")
    box.docker("rm", "-f", "edge42")
    box.docker("run", "-d", "--name=edge42", *published, *SAFE, "edge:80")
    box.sh("sleep 21", timeout=40)
