"""Names that stand in a container's hosts file, and that nginx asks DNS servers for."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, status_outside
from tests.lab.scenarios.real_servers import nginx

_VARIABLE = 'resolver 127.0.0.11 valid=1s; set $back "{}"; proxy_pass http://$back:{};'


def _site(box: Box, name: str, port: int, proxy: str, *options: str) -> None:
    box.docker("network", "create", f"{name}net")
    body = f"server {{ listen 8080; location / {{ {proxy} }} }}"
    extra = ("--add-host=host.docker.internal:host-gateway", *options)
    nginx(box, name, body, f"--network={name}net", f"-p={port}:8080", *extra)


def _serves_on_host(box: Box, port: int) -> None:
    """A program of the host itself, as a proxy in a container is to reach it."""
    box.sh(f"mkdir -p /srv/host{port} && echo host >/srv/host{port}/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", str(port), "-h", f"/srv/host{port}"])


@fault(
    "dns.hosts-file-unread",
    subject="container:edge61",
    also=["container.answers-with-errors"],
    shareable=True,
)
def nginx_with_the_hosts_name_in_a_variable(box: Box) -> None:
    """A proxy of the host is given its name by extra_hosts, and asks DNS for it; the report's first
    command writes the address into its file."""
    _serves_on_host(box, 18161)
    _site(box, "edge61", 18361, _VARIABLE.format("host.docker.internal", 18161))
    for _ in range(4):
        assert status_outside(box, 18361, "/") == "502"
    box.wait_for(
        lambda: box.docker("logs", "edge61").stderr.count("could not be resolved") > 3,
        what="its complaints",
    )
    command = first_command(box, "dns.hosts-file-unread", "edge61")
    assert "/srv/edge61/nginx.conf" in command, command


@healthy(shareable=True)
def nginx_with_the_hosts_name_written_out(box: Box) -> None:
    """The same with the name itself in proxy_pass: nginx reads it from the hosts file."""
    _serves_on_host(box, 18162)
    _site(box, "edge62", 18362, "proxy_pass http://host.docker.internal:18162;")
    assert status_outside(box, 18362, "/") == "200"


@healthy(shareable=True)
def nginx_with_a_containers_name_in_a_variable(box: Box) -> None:
    """The same variable with the name of a container, which DNS knows."""
    _site(box, "edge63", 18363, _VARIABLE.format("back63", 8080))
    healthy_container(box, "back63", 18163, "--network=edge63net")
    box.wait_for(lambda: status_outside(box, 18363, "/") == "200", what="an answer")
