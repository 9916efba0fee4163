"""Clients on Docker's own networks that a list of addresses leaves out, and lists with them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.clients import PYTHON
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import CLIENT, postgres
from tests.lab.scenarios.programs.helpers import MACHINE, logs, run
from tests.lab.scenarios.real_servers import GOOD, nginx

OUTSIDE = "network.client-outside-range"
_ASKS = "while :; do wget -qO- http://$SITE:8080/ 2>&1; echo; sleep 1; done"


def _site(box: Box, name: str, lists: str) -> None:
    """A real nginx with a list of clients, and a container on its network that calls it."""
    box.docker("network", "create", f"{name}-net", "--subnet=172.31.8.0/24")
    body = f"server {{ listen 8080; root /www; \n{lists}\ndeny all; }}"
    nginx(box, name, body, f"--network={name}-net", "--restart=always")
    caller = ("-d", f"--name={name}-caller", *GOOD, f"--network={name}-net", f"--env=SITE={name}")
    box.docker("run", *caller, "bb:1.36", "sh", "-c", _ASKS)


@fault(OUTSIDE, subject="container:shelf70", also=["container.*"])
def list_of_another_network(box: Box) -> None:
    """nginx allows the network that its callers had before; the command lets this one in."""
    _site(box, "shelf70", "allow 172.19.0.0/16;\nallow 192.0.2.0/24;")
    forbidden = "access forbidden by rule, client: 172.31.8."
    box.wait_for(lambda: logs(box, "shelf70").count(forbidden) > 3, what="refusals")
    command = first_command(box, OUTSIDE, "shelf70")
    assert "sed -i" in command, command
    kept = box.sh("cat /srv/shelf70/nginx.conf")
    box.sh(command, timeout=40)
    box.wait_for(lambda: "hello" in logs(box, "shelf70-caller"), what="an answer")
    box.write("/srv/shelf70/nginx.conf", kept)
    box.docker("restart", "shelf70")
    before = logs(box, "shelf70").count(forbidden)
    box.wait_for(lambda: logs(box, "shelf70").count(forbidden) > before + 3, what="refusals")


@healthy()
def list_with_the_network_of_its_callers(box: Box) -> None:
    """The same with the right network, and a list of another network that refuses nobody."""
    _site(box, "shelf71", "allow 172.31.8.0/24;")
    box.wait_for(lambda: "hello" in logs(box, "shelf71-caller"), what="an answer")
    box.docker("network", "create", "shelf72-net")
    body = "server { listen 8080; root /www; allow 192.0.2.0/24; deny all; }"
    nginx(box, "shelf72", body, "--network=shelf72-net", "--restart=always")
    box.wait_state("shelf72", "running")


_BEHIND = "set_real_ip_from %s; real_ip_header X-Real-IP; server { listen 8080; root /www; allow 192.0.2.0/24; deny all; }"
_BEFORE = "server { listen 8080; location / { proxy_set_header X-Real-IP $remote_addr; proxy_pass http://%s:8080; } }"


def _behind_a_proxy(box: Box, name: str, trusted: str) -> None:
    """nginx with a list of visitors behind nginx, whose word it takes for a network."""
    network = f"--network={name}-net"
    box.docker("network", "create", f"{name}-net", "--subnet=172.31.9.0/24")
    nginx(box, name, _BEHIND % trusted, network, "--restart=always")
    nginx(box, f"{name}-door", _BEFORE % name, network, "--publish=80:8080", "--restart=always")
    url = f"http://{BOX_ADDRESS}/"
    box.wait_for(
        lambda: (
            "<html" in box.provider.curl(url, check=False).lower()
            or "hello" in box.provider.curl(url, check=False)
        ),
        what="the proxy",
    )
    for _ in range(4):
        box.provider.curl(url, check=False)


@fault(OUTSIDE, subject="container:hall70", also=["container.*", "network.clients-hidden"])
def proxy_outside_of_the_trusted_network(box: Box) -> None:
    """nginx takes the addresses of visitors from proxies of a former network alone."""
    _behind_a_proxy(box, "hall70", "172.19.0.0/16")
    assert "access forbidden by rule, client: 172.31.9." in logs(box, "hall70")
    out = box.diagnose("check", OUTSIDE).joined
    assert "set_real_ip_from" in out, out


@healthy()
def proxy_inside_of_the_trusted_network(box: Box) -> None:
    """The same with the network of the proxy."""
    _behind_a_proxy(box, "hall71", "172.31.9.0/24")
    assert "forbidden" not in logs(box, "hall71")


def _database(box: Box, server: str, rule: str) -> None:
    """A real PostgreSQL with a rule for its clients, and a program that asks it."""
    box.docker("network", "create", f"{server}net", "--subnet=172.31.10.0/24")
    postgres(box, server, f"--network={server}net", auth="trust")
    box.sh(f"sed -i 's|host all all all trust|{rule}|' /srv/{server}/pg_hba.conf")
    box.docker("restart", server)
    box.wait_for(lambda: "ready to accept" in logs(box, server), what="the database")
    script = f"while :; do psql -h {server} -U shop -Atc \"select 'let in'\" 2>&1; sleep 1; done"
    run(
        box,
        f"{server}-client",
        *CLIENT,
        f"--network={server}net",
        "postgres:15",
        "sh",
        "-c",
        script,
    )


@fault(OUTSIDE, subject="container:bank70", also=["container.*"])
def rule_of_a_database_for_another_network(box: Box) -> None:
    """pg_hba.conf has the network of a former host; the command lets this one in."""
    _database(box, "bank70", "host all all 172.19.0.0/16 trust")
    refusal = "no pg_hba.conf entry"
    box.wait_for(lambda: logs(box, "bank70").count(refusal) > 3, what="refusals")
    command = first_command(box, OUTSIDE, "bank70")
    box.sh(command, timeout=60)
    box.wait_for(lambda: "let in" in logs(box, "bank70-client"), what="an answer")
    box.sh("sed -i /172.31.10/d /srv/bank70/pg_hba.conf")
    box.docker("restart", "bank70")
    before = logs(box, "bank70").count(refusal)
    box.wait_for(lambda: logs(box, "bank70").count(refusal) > before + 3, what="refusals")


@healthy()
def rule_of_a_database_for_this_network(box: Box) -> None:
    """The same with the network of the client."""
    _database(box, "bank71", "host all all 172.31.10.0/24 trust")
    box.wait_for(lambda: "let in" in logs(box, "bank71-client"), what="an answer")


_RELAY = """
import ipaddress, os, socketserver
networks = [ipaddress.ip_network(word) for word in os.environ["ALLOW_IP_RANGE"].split(",")]
print("postfix/master[1]: daemon started", flush=True)
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        address = self.client_address[0]
        if any(ipaddress.ip_address(address) in network for network in networks):
            print(f"postfix/smtpd[7]: 4F2A1: client=unknown[{address}]", flush=True)
        else:
            print(f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{address}]: 454 4.7.1 "
                  "<a@lab.test>: Relay access denied; from=<b@lab.test> to=<a@lab.test>", flush=True)
socketserver.ThreadingTCPServer(("0.0.0.0", 25), Handler).serve_forever()
"""


def _relay(box: Box, name: str, networks: str) -> None:
    """A mail server in Postfix's words, and a program that hands its mails over."""
    box.docker("network", "create", f"{name}-net", "--subnet=172.31.11.0/24")
    options = ("-d", *GOOD[:2], *MACHINE, f"--network={name}-net", "--restart=always")
    given = f"--env=ALLOW_IP_RANGE={networks}"
    box.docker("run", *options, f"--name={name}", given, "bb:1.36", PYTHON, "-c", _RELAY)
    sends = f"while :; do echo QUIT | nc -w 1 {name} 25; sleep 1; done"
    box.docker("run", *options, f"--name={name}-app", "bb:1.36", "sh", "-c", sends)


@fault(OUTSIDE, subject="container:mail70", also=["container.*"])
def range_of_a_variable_for_another_network(box: Box) -> None:
    """A mail server takes mail from a network that its container no longer has."""
    _relay(box, "mail70", "172.19.0.0/24")
    box.wait_for(lambda: logs(box, "mail70").count("Relay access denied") > 3, what="refusals")
    wanted = "diagnose recreate mail70 -- --env=ALLOW_IP_RANGE=172.19.0.0/24,172.31.11.0/24 | sh"
    command = first_command(box, OUTSIDE, "mail70")
    assert command == wanted, command


@healthy()
def range_of_a_variable_for_this_network(box: Box) -> None:
    """The same with the network of the program."""
    _relay(box, "mail71", "172.31.11.0/24")
    box.wait_for(lambda: logs(box, "mail71").count("client=") > 3, what="mails")
