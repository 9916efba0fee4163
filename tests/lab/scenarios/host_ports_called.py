"""Proxies that call localhost, and mean a port of the host that another container publishes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.programs import load_server
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, status_outside

_LIMITS = ("--memory=128m", "--pids-limit=64")
_FILE = "{\n\tauto_https off\n\tadmin off\n}\nhttp:// {\n\tlog\n\treverse_proxy %s\n}\n"


def _caddy(box: Box, name: str, port: int, target: str, *options: str) -> None:
    load_server(box, "caddy", "caddy:2")
    box.write(f"/srv/{name}/Caddyfile", _FILE % target)
    mount = ("-v", f"/srv/{name}/Caddyfile:/etc/caddy/Caddyfile:ro", "-e", "HOME=/tmp")
    words = ("/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile")
    box.docker(
        *("run", "-d", f"--name={name}", *_LIMITS, f"-p={port}:80", *mount, *options),
        *("caddy:2", *words),
    )


@fault(
    "container.loopback-peer",
    subject="container:caddy71",
    also=["container.answers-with-errors", "container.errors-in-log"],
)
def caddy_that_calls_a_published_port(box: Box) -> None:
    """A Caddyfile has localhost with the port of the host, which leads to a neighbour; the report's
    first command writes the neighbour's name and its port inside."""
    box.docker("network", "create", "front71")
    healthy_container(box, "vault71", 18171, "--network=front71")
    _caddy(box, "caddy71", 18371, "localhost:18171", "--network=front71")
    box.wait_for(lambda: status_outside(box, 18371, "/") == "502", what="its answer")
    for _ in range(5):
        status_outside(box, 18371, "/")
    command = first_command(box, "container.loopback-peer", "caddy71")
    assert "vault71:8080" in command, command


@healthy()
def caddy_that_calls_its_neighbour(box: Box) -> None:
    """The same with the neighbour's name; and a program that calls a server of its own."""
    box.docker("network", "create", "front72")
    healthy_container(box, "vault72", 18172, "--network=front72")
    _caddy(box, "caddy72", 18372, "vault72:8080", "--network=front72")
    box.wait_for(lambda: status_outside(box, 18372, "/") == "200", what="an answer")
    script = (
        "httpd -p 18172 -h /www;"
        " while :; do wget -qO- http://localhost:18172/ >/dev/null; sleep 1; done"
    )
    box.docker("run", "-d", "--name=own72", *_LIMITS, "bb:1.36", "sh", "-c", script)
