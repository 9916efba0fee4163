"""Servers that refuse their clients, and proxies that they do not trust."""

from __future__ import annotations

import re

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS, RESOLVER
from tests.lab.runner import IPV6_RULES, PATIENT
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import MACHINE
from tests.lab.scenarios.real_servers import nginx

PYTHON = "/usr/bin/python3"
_PIHOLE = "pihole/pihole:2025.02.0"
_ENTRY = f"""#!/bin/sh
[ "$FTLCONF_dns_listeningMode" = all ] || mode=--local-service
exec /usr/sbin/dnsmasq -k --user=root --conf-file=/dev/null --pid-file= --no-resolv \\
    --server={RESOLVER} --log-facility=- $mode
"""
_QUERY = """
import socket, sys
name = b"".join(bytes([len(part)]) + part.encode() for part in "www.lab.test".split("."))
query = bytes.fromhex("123401000001000000000000") + name + bytes.fromhex("0000010001")
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
client.sendto(query, (sys.argv[1], 53))
print(len(client.recv(512)))
"""


def _name_server(box: Box, *options: str) -> bool:
    """A real dnsmasq as Pi-hole runs it; whether a client of the host's own net gets an answer."""
    load(
        box, _PIHOLE, Recipe({"entry.sh": (_ENTRY.encode(), 0o755)}, ('ENTRYPOINT ["/entry.sh"]',))
    )
    ports = [f"--publish={BOX_ADDRESS}:53:53/{kind}" for kind in ("udp", "tcp")]
    box.docker("run", "-d", "--name=pihole", *SAFE, *MACHINE, *ports, *options, _PIHOLE)
    box.wait_for(lambda: "started" in box.docker("logs", "pihole").stderr, what="dnsmasq")
    ask = [PYTHON, "-c", _QUERY, BOX_ADDRESS]
    return box.provider.run(ask, check=False).returncode == 0


@fault("container.failing-inside", subject="container:pihole")
def name_server_for_its_own_network_alone(box: Box) -> None:
    """Pi-hole answers nobody beyond the network of its container; the command lets it answer."""
    assert not _name_server(box)
    command = first_command(box, "container.failing-inside", "pihole")
    assert command == "diagnose recreate pihole -- --env=FTLCONF_dns_listeningMode=all | sh"


@healthy()
def name_server_for_all(box: Box) -> None:
    """The same with the setting that the command gives it."""
    assert _name_server(box, "--env=FTLCONF_dns_listeningMode=all")


_LIST = "server { listen 8080; listen [::]:8080; root /www; allow 192.0.2.0/24; allow fd00:aa::/64; deny all; }"


def _site(box: Box, *network: str, body: str = "") -> None:
    """nginx with a list of allowed addresses or what else, and a client who calls it by IPv6."""
    box.sh("ip -6 addr add fd00:aa::10/64 dev eth0 nodad")
    box.provider.sh("ip -6 addr add fd00:aa::80/64 dev uplink nodad")
    box.docker("network", "create", *network, "edge_default")
    nginx(
        box,
        "edge",
        body or _LIST,
        "--network=edge_default",
        "--publish=80:8080",
        "--restart=always",
    )
    address = f"http://{BOX_ADDRESS}/"
    box.wait_for(lambda: "hello" in box.provider.curl(address, check=False), what="nginx")


@fault("network.clients-hidden", subject="container:edge", exit_code=1)
def clients_who_are_all_the_gateway(box: Box) -> None:
    """Clients come by IPv6, and the network of a site has IPv4 alone: its list refuses them all."""
    _site(box)
    for _ in range(4):
        assert "403" in box.provider.curl("http://[fd00:aa::10]/")
    assert "client: 172.1" in box.docker("logs", "edge").stderr


_LIMIT = """limit_req_zone $binary_remote_addr zone=each:1m rate=1r/m;
server { listen 8080; limit_req zone=each; root /www; }"""


@fault("network.clients-hidden", subject="container:edge", exit_code=1)
def clients_who_are_limited_together(box: Box) -> None:
    """The same site limits the requests of each client, and takes all of IPv6 for one."""
    _site(box, body=_LIMIT)
    for _ in range(5):
        box.provider.curl("http://[fd00:aa::10]/")
    assert "limiting requests" in box.docker("logs", "edge").stderr


@fault("network.clients-hidden", subject="container:edge", exit_code=1)
def clients_who_are_masqueraded(box: Box) -> None:
    """A rule of a router's kind masquerades all that leaves any interface, also what comes in."""
    box.sh("iptables -t nat -I POSTROUTING -j MASQUERADE")
    _site(box, body=_LIMIT)
    for _ in range(5):
        box.provider.curl(f"http://{BOX_ADDRESS}/", check=False)
    assert "client: 172.1" in box.docker("logs", "edge").stderr
    (command,) = re.findall(
        r"iptables -t nat -I POSTROUTING .*",
        box.diagnose("check", "network.clients-hidden", *PATIENT).joined,
    )
    box.sh(command)
    box.provider.curl(f"http://{BOX_ADDRESS}/", check=False)
    box.provider.curl(f"http://{BOX_ADDRESS}/", check=False)
    assert "client: 192.0.2." in box.docker("logs", "--tail=1", "edge").stderr


_PASSES_ON = """
import http.server, urllib.error, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        request = urllib.request.Request("http://127.0.0.1:8181/")
        request.add_header("X-Real-IP", self.client_address[0])
        try:
            status = urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            status = error.code
        self.send_response(status)
        self.end_headers()
http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler).serve_forever()
"""


def _behind_the_host(box: Box, body: str) -> None:
    """nginx in a container, and a web server of the host that passes its visitors on to it."""
    box.docker("network", "create", "edge_default")
    options = ("--network=edge_default", "--publish=127.0.0.1:8181:8080", "--restart=always")
    nginx(box, "edge", body, *options)
    box.spawn(["/usr/bin/python3", "-c", _PASSES_ON])
    address = f"http://{BOX_ADDRESS}/"
    box.wait_for(lambda: _status(box, address) in ("200", "503"), what="the web server")
    for _ in range(6):
        _status(box, address)


def _status(box: Box, address: str) -> str:
    shown = ["curl", "-so", "/dev/null", "--noproxy", "*", "-m", "3", "-w", "%{http_code}", address]
    return box.provider.run(shown, check=False).stdout


@fault("network.clients-hidden", subject="container:edge", exit_code=1)
def visitors_who_are_passed_on_by_the_host(box: Box) -> None:
    """The site limits each address, and has the gateway's for all visitors."""
    _behind_the_host(box, _LIMIT)
    assert "client: 172.1" in box.docker("logs", "edge").stderr
    out = box.diagnose("check", "network.clients-hidden", *PATIENT).out
    assert "real_ip_header" in out


@healthy()
def visitors_who_keep_their_addresses(box: Box) -> None:
    """The same site takes each visitor's address from the header."""
    _behind_the_host(box, f"set_real_ip_from 172.16.0.0/12; real_ip_header X-Real-IP; {_LIMIT}")
    assert "client: 192.0.2." in box.docker("logs", "edge").stderr


@healthy(config=IPV6_RULES)
def clients_with_addresses_of_their_own(box: Box) -> None:
    """The same site on a network with IPv6."""
    _site(box, "--ipv6", "--subnet=fd00:bb::/64", "--subnet=172.31.7.0/24")
    for _ in range(4):
        assert "hello" in box.provider.curl("http://[fd00:aa::10]/")


_HASS = r"""
import http.server, ipaddress, re
text = open("/config/configuration.yaml").read()
networks = [ipaddress.ip_network(item) for item in re.findall(r"- (\d[\d./]+)", text)]
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        client = self.client_address[0]
        trusts = any(ipaddress.ip_address(client) in network for network in networks)
        bad = "X-Forwarded-For" in self.headers and not trusts
        if bad:
            said = (f"Received X-Forwarded-For header from an untrusted proxy {client}" if networks else
                    f"A request from a reverse proxy was received from {client}, but your "
                    "HTTP integration is not set-up for reverse proxies")
            print("2026-01-02 10:00:00.000 ERROR (MainThread) "
                  f"[homeassistant.components.http.forwarded] {said}", flush=True)
        self.send_response(400 if bad else 200); self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("0.0.0.0", 8123), Handler).serve_forever()
"""
_PROXIED = "server { listen 8080; location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://hass9:8123; } }"


def _untrusted_proxy(box: Box, settings: str) -> None:
    """Home Assistant with these settings behind nginx; the report's command heals it."""
    box.docker("network", "create", "home9")
    box.write("/srv/hass9/configuration.yaml", settings)
    load(box, "homeassistant/home-assistant:2025.1", Recipe())
    options = ("--network=home9", "--volume=/srv/hass9:/config", *SAFE, *MACHINE)
    words = ("homeassistant/home-assistant:2025.1", PYTHON, "-c", _HASS)
    box.docker("run", "-d", "--name=hass9", *options, *words)
    nginx(box, "door9", _PROXIED, "--network=home9", "--publish=8123:8080", "--restart=always")
    url = f"http://{BOX_ADDRESS}:8123/"
    code = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url]

    def answer() -> str:
        return box.provider.run(code, check=False).stdout

    for _ in range(5):
        box.wait_for(lambda: answer() == "400", what="the refusal")
    command = first_command(box, "container.errors-in-log", "hass9")
    box.sh(command, timeout=40)
    box.wait_for(lambda: answer() == "200", what="an answer")
    box.write("/srv/hass9/configuration.yaml", settings)
    box.docker("restart", "hass9")
    for _ in range(5):
        box.wait_for(lambda: answer() == "400", what="the refusal")


@fault("container.errors-in-log", subject="container:hass9", exit_code=1)
def proxy_that_a_program_does_not_trust(box: Box) -> None:
    """Home Assistant answers 400 to what comes through a reverse proxy."""
    _untrusted_proxy(box, "default_config:\n")


@fault("container.errors-in-log", subject="container:hass9", exit_code=1)
def proxy_of_a_network_that_a_program_does_not_trust(box: Box) -> None:
    """Its list of proxies has another network."""
    trusted = "  trusted_proxies:\n    - 192.0.2.128/25\n"
    _untrusted_proxy(box, f"http:\n  use_x_forwarded_for: true\n{trusted}")


_ACME = """
nc -ll -p 80 -e cat &
while :; do
    echo '{"level":"error","logger":"tls.obtain","msg":"will retry","error":"[shop.example.com] Obtain: \
authorization failed: HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching \
http://shop.example.com/.well-known/acme-challenge/x1: Timeout during connect (likely firewall problem)"}'
    sleep 1
done
"""


@fault("container.errors-in-log", subject="container:caddy9", exit_code=1, shareable=True)
def certificate_that_nobody_issues(box: Box) -> None:
    """The router does not forward port 80, so that an authority cannot check a name; its words."""
    box.docker("run", "-d", "--name=caddy9", *SAFE, "-p", "80:80", "bb:1.36", "sh", "-c", _ACME)
    box.wait_for(lambda: box.docker("logs", "caddy9").stdout.count("acme") > 4, what="errors")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    (finding,) = [finding for finding in findings if finding["subject"]["name"] == "caddy9"]
    assert "shop.example.com gets no certificate" in finding["summary"]


def _behind_a_proxy(box: Box, body: str) -> None:
    """nginx before nginx, both on one network, and visitors who ask often."""
    box.docker("network", "create", "shop_default")
    nginx(box, "app", body, "--network=shop_default", "--restart=always")
    address = box.inspect("app")["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"]
    passes_on = "proxy_set_header X-Real-IP $remote_addr; "
    site = (
        f"server {{ listen 8080; location / {{ {passes_on}proxy_pass http://{address}:8080; }} }}"
    )
    options = ("--network=shop_default", "--publish=80:8080", "--restart=always")
    nginx(box, "edge", site, *options)
    url = f"http://{BOX_ADDRESS}/"
    box.wait_for(lambda: _status(box, url) in ("200", "503"), what="the proxy")
    for _ in range(6):
        _status(box, url)


@fault("network.clients-hidden", subject="container:app", exit_code=1)
def visitors_who_are_passed_on_by_a_neighbour(box: Box) -> None:
    """The site limits each address, and has that of the proxy beside it for all visitors."""
    _behind_a_proxy(box, _LIMIT)
    assert "limiting requests" in box.docker("logs", "app").stderr
    out = box.diagnose("check", "network.clients-hidden", *PATIENT).out
    assert 'of container "edge"' in out.replace("\n  ", " ")


@healthy()
def visitors_whose_addresses_a_neighbour_passes_on(box: Box) -> None:
    """The same site takes each visitor's address from the proxy's header."""
    _behind_a_proxy(box, f"set_real_ip_from 172.16.0.0/12; real_ip_header X-Real-IP; {_LIMIT}")
    assert "client: 192.0.2." in box.docker("logs", "app").stderr
