"""Calls that go a wrong way: by a default route, to a proxy, back to the caller, without TLS."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import WEB
from tests.lab.scenarios.programs.helpers import MACHINE

SAFE = [
    "--memory=64m", "--pids-limit=64", "--user=1000:1000", "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]  # fmt: skip


def _calls_out(box: Box, name: str, wire: str, bridge: str, number: int) -> None:
    """A container on a macvlan network without a router and on a bridge, which calls the world.

    The network whose name comes first has the default route.
    """
    box.sh(f"""
        ip link add {wire} type veth peer name {wire}e
        ip link set {wire} up; ip link set {wire}e up
    """)
    subnet = f"10.163.{number}"
    options = (f"-o=parent={wire}", f"--subnet={subnet}.0/24", f"--gateway={subnet}.254")
    box.docker("network", "create", "-d=macvlan", *options, wire)
    box.docker("network", "create", f"--subnet=10.164.{number}.0/24", bridge)
    script = (
        f"while :; do timeout 3 wget -qO- http://{WEB}/ >/dev/null 2>&1 && echo fetched "
        f"|| echo 'dial tcp {WEB}:80: i/o timeout'; sleep 1; done"
    )
    create = ("create", f"--name={name}", f"--network={wire}", *SAFE)
    box.docker(*create, "bb:1.36", "sh", "-c", script)
    box.docker("network", "connect", bridge, name)
    box.docker("start", name)


@fault(
    "network.gateway-unanswered",
    subject="network:dlna31",
    also=["dns.*", "network.parent-subnet-foreign"],
    shareable=True,
)
def default_route_by_a_wire_without_a_router(box: Box) -> None:
    """A media server is on a bridge and on a macvlan network, and its default route goes by the
    second one, where nobody has the gateway's address."""
    _calls_out(box, "media31", "dlna31", "zui31", 31)
    said = "i/o timeout"
    box.wait_for(
        lambda: box.docker("logs", "media31").stdout.count(said) > 2, what="calls without a way"
    )
    arp = box.in_netns("media31", "ip", "neigh", "show", "10.163.31.254")
    box.wait_for(
        lambda: any(word in box.run(arp).stdout for word in ("FAILED", "INCOMPLETE")),
        what="a question without an answer",
    )


@healthy(shareable=True)
def default_route_by_the_bridge(box: Box) -> None:
    """The same two networks, and the default route goes by the bridge."""
    _calls_out(box, "media32", "dlna32", "aui32", 32)
    box.wait_for(lambda: "fetched" in box.docker("logs", "media32").stdout, what="an answer")


_SUITE = (
    "httpd -p 8000 -h /www; while :; do {wget} -qO- http://localhost:8000/ >/dev/null 2>&1 "
    "|| echo 'ERROR request to http://localhost:8000/ failed: HTTP Error 403: Forbidden'; "
    "sleep 1; done"
)
_FORBIDS = "while :; do printf 'HTTP/1.1 403 Forbidden\\r\\n\\r\\n' | nc -l -p 3128; done"


def _suite(box: Box, name: str, number: int, wget: str, *options: str) -> None:
    """Programs of one container that call each other at localhost, with a proxy in the
    environment."""
    network = f"--network=corp{number}"
    box.docker("network", "create", f"--subnet=10.165.{number}.0/24", f"corp{number}")
    box.docker(
        "run", "-d", f"--name=proxy{number}", *SAFE, network, "bb:1.36", "sh", "-c", _FORBIDS
    )
    place = f"http://proxy{number}:3128"
    variables = [f"-e={name}={place}" for name in ("http_proxy", "HTTP_PROXY")]
    box.docker(
        *("run", "-d", f"--name={name}", *SAFE, network, *variables, *options),
        *("bb:1.36", "sh", "-c", _SUITE.format(wget=wget)),
    )


@fault("network.proxy-takes-neighbours", subject="container:suite33", shareable=True)
def proxy_before_localhost(box: Box) -> None:
    """The client's config.json gave a container a proxy without exceptions, and what it calls at
    localhost goes there."""
    _suite(box, "suite33", 33, "wget")
    box.wait_for(
        lambda: box.docker("logs", "suite33").stdout.count("403") > 2, what="what the proxy says"
    )


@healthy(shareable=True)
def proxy_with_localhost_excepted(box: Box) -> None:
    """The same proxy, NO_PROXY names localhost, and an early call has failed."""
    early = "echo 'http://localhost:8000/ failed: 403'; wget -Y off"
    _suite(box, "suite34", 34, early, "-e=NO_PROXY=localhost,127.0.0.1")
    box.wait_for(lambda: "403" in box.docker("logs", "suite34").stdout, what="the early line")


_UPSTREAM = "upstream shop.lab.test {{ server {address}:8080; }}\n"
_EDGE = (
    "httpd -p 8080 -h /www; while :; do a=$(sed -n 's/.*server \\([0-9.]*\\):.*/\\1/p' "
    "/etc/nginx/conf.d/default.conf); timeout 3 wget -qO- http://$a:8080/ >/dev/null 2>&1 || "
    'echo "connect() failed (113: No route to host) while connecting to upstream, upstream: '
    'http://$a:8080/"; sleep 1; done'
)


def _edge(box: Box, number: int, address: str) -> str:
    """A proxy whose configuration a stopped container has written into a shared folder."""
    network, folder = f"edge{number}net", f"/srv/edge{number}/conf.d"
    subnet = f"10.166.{number}"
    box.docker("network", "create", f"--subnet={subnet}.0/24", network)
    box.write(f"{folder}/default.conf", _UPSTREAM.format(address=f"{subnet}.{address}"))
    writes = ("-v", f"{folder}:/etc/nginx/conf.d")
    box.docker(
        *("run", "-d", f"--name=gen{number}", *SAFE, f"--network={network}", *writes),
        *("bb:1.36", "sh", "-c", "echo 'Watching docker events'"),
    )
    box.wait_state(f"gen{number}", "exited")
    place = ("run", "-d", *SAFE, f"--network={network}")
    box.docker(*place, f"--name=blog{number}", f"--ip={subnet}.9", "shop:1.4")
    box.docker(
        *(*place, f"--name=edge{number}", "-v", f"{folder}:/etc/nginx/conf.d:ro"),
        *("bb:1.36", "sh", "-c", _EDGE),
    )
    return f"edge{number}"


@fault(
    "network.peer-address-stale", subject="container:edge35", also=["container.*"], shareable=True
)
def address_in_a_generated_file(box: Box) -> None:
    """The program that writes a proxy's configuration is stopped, and the address in it is that of
    the former container."""
    name = _edge(box, 35, "6")
    box.wait_for(
        lambda: box.docker("logs", name).stdout.count("No route to host") > 6, 90, "old calls"
    )


@healthy(shareable=True)
def present_address_in_a_generated_file(box: Box) -> None:
    """The same stopped program, which wrote the address that the container still has."""
    name = _edge(box, 36, "9")
    served = "wget -qO- http://10.166.36.9:8080/"
    box.wait_for(lambda: box.docker("exec", name, *served.split()).stdout, what="an answer")


def _public(box: Box, name: str, address: str) -> str:
    """A site that calls its own public address, to which a rule of the host gives its place.

    Returns its address inside.
    """
    box.sh(f"ip addr add {address}/32 dev eth0")
    call = (
        f"timeout 4 wget -qO- http://{address}:8080/ >/dev/null 2>&1 && echo done || echo "
        f"'cURL error 28: Failed to connect to {address} port 8080: Connection timed out'"
    )
    script = f"httpd -p 8080 -h /www; while :; do {call}; sleep 1; done"
    box.docker("run", "-d", f"--name={name}", *SAFE, "bb:1.36", "sh", "-c", script)
    inside = str(box.inspect(name)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])
    box.sh(f"""
        iptables -t nat -A PREROUTING -d {address}/32 -j DNAT --to-destination {inside}
        iptables -I DOCKER-USER -d {inside}/32 -j ACCEPT
    """)
    return inside


@fault(
    "network.replies-misrouted",
    subject="container:site37",
    also=["network.call-unanswered"],
    shareable=True,
)
def own_public_address(box: Box) -> None:
    """A rule of the administrator's leads a public address to a container, which calls it too."""
    _public(box, "site37", "192.0.2.37")
    box.wait_for(
        lambda: box.docker("logs", "site37").stdout.count("timed out") > 3, what="lost calls"
    )
    assert "hello" in box.provider.curl("http://192.0.2.37:8080/")


@healthy(shareable=True)
def own_public_address_with_another_source(box: Box) -> None:
    """The same rule, one that translates the source too, and a port of the bridge that sends
    packets back (hairpin mode)."""
    inside = _public(box, "site38", "192.0.2.38")
    port = box.docker("exec", "site38", "cat", "/sys/class/net/eth0/iflink").stdout.strip()
    box.sh(f"""
        iptables -t nat -I POSTROUTING -s {inside}/32 -d {inside}/32 -j MASQUERADE
        name=$(grep -lx {port} /sys/class/net/*/ifindex | cut -d/ -f5)
        echo 1 >/sys/class/net/docker0/brif/$name/hairpin_mode
    """)
    box.wait_for(lambda: "done" in box.docker("logs", "site38").stdout, what="an answer")


_TLS = """
mkdir -p {folder}; cd {folder}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem \
  -out cert.pem -days 30 -subj /CN=localhost 2>/dev/null
chmod 644 key.pem
"""
_SERVER = r"""
import ssl, socket, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/cert.pem", "/tls/key.pem")
server = socket.create_server(("", 8443))
while True:
    plain, peer = server.accept()
    try:
        with context.wrap_socket(plain, server_side=True) as answer:
            answer.recv(4096)
            answer.sendall(b"HTTP/1.0 200 OK\r\n\r\nok")
    except OSError as error:
        print(f"http: TLS handshake error from {peer[0]}: tls: first record does not look like a "
              f"TLS handshake: {error}", file=sys.stderr, flush=True)
"""


def _with_tls(box: Box, name: str, url: str, status: str) -> None:
    """A server with TLS, and a probe by curl."""
    folder = f"/srv/{name}/tls"
    box.sh(_TLS.format(folder=folder), timeout=60)
    probe = [f"--health-cmd=/usr/bin/curl -kfsS {url}", "--health-interval=1s"]
    box.docker(
        *("run", "-d", f"--name={name}", *SAFE, *MACHINE, "-v", f"{folder}:/tls:ro"),
        *(*probe, "--health-retries=2", "bb:1.36", "/usr/bin/python3", "-c", _SERVER),
    )
    box.wait_health(name, status)


@fault(
    "container.unhealthy",
    subject="container:vault39",
    also=["container.errors-in-log"],
    shareable=True,
)
def probe_in_plain_text(box: Box) -> None:
    """A server takes TLS alone, and its probe asks by http."""
    _with_tls(box, "vault39", "http://localhost:8443/", "unhealthy")


@healthy(shareable=True)
def probe_with_tls(box: Box) -> None:
    """The same server, and a probe by https."""
    _with_tls(box, "vault40", "https://localhost:8443/", "healthy")


_STRAPI = """
error: Server wasn't able to start properly.
error: Error: getaddrinfo EAI_AGAIN postgres
"""


@fault("container.restart-loop", subject="container:cms41", shareable=True)
def database_by_the_name_of_its_kind(box: Box) -> None:
    """A variable calls the database by another name than its only neighbour has."""
    box.docker("network", "create", "--subnet=10.167.41.0/24", "cms41net")
    near = ("run", "-d", *SAFE, "--network=cms41net")
    box.docker(*near, "--name=postgres2", "bb:1.36", "sleep", "900")
    variables = ("-e=DATABASE_CLIENT=postgres", "-e=DATABASE_HOST=postgres")
    script = f'sleep 1; echo "{_STRAPI}" >&2; exit 1'
    box.docker(
        *(*near, "--name=cms41", "--restart=always", *variables, "bb:1.36", "sh", "-c", script)
    )
    box.wait_for(lambda: box.inspect("cms41")["RestartCount"] > 4, what="restarts")
