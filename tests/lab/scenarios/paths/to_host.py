"""Containers that call a service of their host."""

from __future__ import annotations

import shlex

from tests.lab import Box, fault, healthy, images
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import healthy_container
from tests.lab.scenarios.paths.helpers import DEAF, gets

_GATEWAY = "172.17.0.1"


def _serve_on_host(box: Box, port: int, address: str = "") -> None:
    """A program of the host that others can reach, as a database is; address: with a colon, of the
    one that it listens on."""
    box.sh("mkdir -p /srv/www && echo rows >/srv/www/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", f"{address}{port}", "-h", "/srv/www"])
    box.wait_for(lambda: f":{port}" in box.run(["ss", "-ltn"]).stdout, what="the host's service")


def _client(box: Box, name: str, *options: str) -> None:
    """A container that is configured to use the host's service."""
    healthy_container(
        box, name, 18300 + len(name), "--add-host=host.docker.internal:host-gateway", *options
    )


def _close_input(box: Box) -> None:
    """The input rules of a host that opens ssh only, as ufw's defaults are."""
    box.sh("""
        iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        iptables -A INPUT -i lo -j ACCEPT
        iptables -A INPUT -p tcp --dport 22 -j ACCEPT
        iptables -P INPUT DROP
    """)


@fault(
    "firewall.input-dropped",
    subject="host:host",
    also=[("firewall.bypassed-by-publish", "*"), *DEAF],
)
def database_on_the_host_behind_its_firewall(box: Box) -> None:
    """A container is configured to use a database on its host, whose input rules open ssh only."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert gets(box, "api", f"http://{_GATEWAY}:5432/")
    _close_input(box)
    assert not gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault(
    "firewall.input-dropped",
    subject="host:host",
    also=[("firewall.bypassed-by-publish", "*"), *DEAF],
)
def host_gateway_behind_a_native_table(box: Box) -> None:
    """A container has the host in its hosts file, and an nftables table of the administrator lets
    in what comes by the uplink only."""
    _serve_on_host(box, 9100)
    _client(box, "scraper")
    box.sh("""
        nft add table inet filter
        nft 'add chain inet filter input { type filter hook input priority 0; policy drop; }'
        nft add rule inet filter input ct state established,related accept
        nft 'add rule inet filter input iifname { "lo", "eth0" } accept'
    """)
    assert not gets(box, "scraper", f"http://{_GATEWAY}:9100/")


@fault(
    "firewall.input-dropped",
    subject="host:host",
    also=[("firewall.bypassed-by-publish", "*"), *DEAF],
)
def database_on_the_host_whose_answers_are_dropped(box: Box) -> None:
    """A rule on the source port drops what a database on the host answers its containers."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    box.sh("iptables -A OUTPUT -p tcp --sport 5432 -j DROP")
    assert not gets(box, "api", f"http://{_GATEWAY}:5432/")


@healthy()
def closed_host_that_nobody_wants(box: Box) -> None:
    """The same input rules where no container is configured to use the host: a policy, and no
    fault."""
    _serve_on_host(box, 5432)
    _close_input(box)
    assert not gets(box, "web", f"http://{_GATEWAY}:5432/")


@healthy()
def host_opened_for_its_containers(box: Box) -> None:
    """The same container and the same rules, with the port opened for the bridge."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    _close_input(box)
    box.sh("iptables -I INPUT -i docker0 -p tcp --dport 5432 -j ACCEPT")
    assert gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault("network.host-service-not-listening", subject="container:api")
def database_on_loopback(box: Box) -> None:
    """A container is configured to use a database on its host, which listens on 127.0.0.1."""
    _serve_on_host(box, 5432, "127.0.0.1:")
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert not gets(box, "api", f"http://{_GATEWAY}:5432/")


_ENDS = """
nc -w 1 host.docker.internal 5432 </dev/null && exec sleep 1000
echo 'connection to server at "host.docker.internal" (172.17.0.1), port 5432 failed: Connection refused'
exit 1
"""


@fault(
    "network.host-service-not-listening", subject="container:api", also=["container.restart-loop"]
)
def database_on_loopback_without_which_a_program_ends(box: Box) -> None:
    """The same for a program that ends each time, and has no address between two starts."""
    _serve_on_host(box, 5432, "127.0.0.1:")
    images.load(box, "bb:1.36")
    box.docker(
        *("run", "-d", "--name=api", "--restart=always", "--memory=64m"),
        "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop",
        *("--add-host=host.docker.internal:host-gateway", "bb:1.36", "sh", "-c", _ENDS),
    )
    box.wait_for(lambda: box.inspect("api")["RestartCount"] > 4, what="restarts")


@fault("container.restart-loop", subject="container:api", config={"userland-proxy": False})
def looping_caller_of_a_port_that_a_rule_alone_serves(box: Box) -> None:
    """A program ends for a reason of its own, and calls a port of the host that a rule leads to the
    container that publishes it; there is no docker-proxy."""
    healthy_container(box, "db", 18340)
    images.load(box, "bb:1.36")
    box.docker(
        *("run", "-d", "--name=api", "--restart=always", "--memory=64m"),
        f"--env=DATABASE_URL=postgres://api@{BOX_ADDRESS}:18340/shop",
        *("bb:1.36", "sh", "-c", "echo fatal: no license; exit 3"),
    )
    box.wait_for(lambda: box.inspect("api")["RestartCount"] > 4, what="restarts")
    assert "docker-proxy" not in box.run(["ss", "-ltnp"]).stdout


@fault("container.restart-loop", subject="container:api")
def looping_program_that_knows_its_own_address(box: Box) -> None:
    """A program ends for a reason of its own, and a variable has the address at which users reach
    it: its own published port, which nobody serves until it runs."""
    images.load(box, "bb:1.36")
    box.docker(
        *("run", "-d", "--name=api", "--restart=always", "--memory=64m", "-p", "18341:8080"),
        f"--env=APP_URL=http://{BOX_ADDRESS}:18341",
        *("bb:1.36", "sh", "-c", "echo 'exec: line 6: setuidgid: not found'; exit 127"),
    )
    box.wait_for(lambda: box.inspect("api")["RestartCount"] > 4, what="restarts")


@fault("network.host-service-not-listening", subject="container:api")
def port_of_a_neighbour_on_loopback(box: Box) -> None:
    """A container calls the host for a port that another container publishes on 127.0.0.1."""
    box.docker("network", "create", "front")
    box.docker("run", *shlex.split("-d --name db -m 32m -p 127.0.0.1:5432:8080 shop:1.4"))
    _client(
        box,
        "api",
        "--network=front",
        "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop",
    )
    assert not gets(box, "api", f"http://{_GATEWAY}:5432/")


@fault(
    "network.host-service-not-listening",
    subject="container:api",
    config={"host-gateway-ip": "192.0.2.99"},
)
def host_gateway_of_a_former_lease(box: Box) -> None:
    """daemon.json names an address for host-gateway that the host had once."""
    _serve_on_host(box, 5432)
    _client(box, "api", "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop")
    assert not gets(box, "api", "http://192.0.2.99:5432/")


@healthy()
def database_on_the_address_of_the_bridge(box: Box) -> None:
    """A database listens on the bridge's address alone, and a container has a URL of its own port
    on 127.0.0.1."""
    _serve_on_host(box, 5432, f"{_GATEWAY}:")
    box.docker("network", "create", "front")
    _client(
        box,
        "api",
        "--network=front",
        "--env=DATABASE_URL=postgres://api@host.docker.internal:5432/shop",
    )
    healthy_container(box, "shop", 18330, f"--env=ROOT_URL=http://{BOX_ADDRESS}:18330/")
    assert gets(box, "api", f"http://{_GATEWAY}:5432/")
