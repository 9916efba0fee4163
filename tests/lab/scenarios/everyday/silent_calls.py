"""Real nginx that writes no log and calls its own localhost, where another one is meant."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.real_servers import nginx

CHECK = "container.loopback-peer"
_SITE = "error_log /dev/null; server { listen 8080; location / { %s } }"
_CALLS = "proxy_pass http://localhost:15004;"


def _status(box: Box, port: int) -> str:
    """What a client outside the host gets."""
    argv = ["curl", "-so", "/dev/null", "--noproxy", "*", "--max-time", "3", "-w", "%{http_code}"]
    return box.provider.run([*argv, f"http://{BOX_ADDRESS}:{port}/"], check=False).stdout


def _proxy(box: Box, name: str, port: int, does: str, *options: str) -> None:
    """A proxy; `does` is what it does with each request."""
    nginx(box, name, _SITE % does, f"--publish={port}:8080", "--restart=unless-stopped", *options)
    box.wait_for(lambda: _status(box, port) in ("200", "502"), what=f"{name} to answer")


def _backend(box: Box, name: str, network: str) -> None:
    serve = "mkdir -p /tmp/www; echo hello >/tmp/www/index.html; exec httpd -f -p 15004 -h /tmp/www"
    options = (f"--name={name}", f"--network={network}", *SAFE)
    box.docker("run", "-d", *options, "bb:1.36", "sh", "-c", serve)


def refused_inside(box: Box, name: str) -> int:
    """The calls of a container that its own network refused."""
    names, numbers = (
        line.split()
        for line in box.docker("exec", name, "cat", "/proc/net/snmp").stdout.splitlines()
        if line.startswith("Tcp:")
    )
    counters = dict(zip(names, numbers, strict=True))
    return min(int(counters["AttemptFails"]), int(counters["OutRsts"]))


def _is_refused(box: Box, name: str, port: int) -> None:
    """Clients call until nginx, which leaves out a server that failed for ten seconds, has called
    itself often enough."""

    def often() -> bool:
        assert _status(box, port) == "502"
        return refused_inside(box, name) >= 4

    box.wait_for(often, what=f"{name} to be refused by itself")


@fault(CHECK, subject="container:edge31")
def silent_proxy_that_means_its_host(box: Box) -> None:
    """The service runs on the host, and the proxy's file says localhost: 502, and no line."""
    box.spawn(["python3", "-m", "http.server", "15004", "--bind", "0.0.0.0"])
    _proxy(box, "edge31", 18731, _CALLS)
    _is_refused(box, "edge31", 18731)
    command = first_command(box, CHECK, "edge31")
    assert r"s|\blocalhost:15004|host.docker.internal:15004|g" in command
    assert "--add-host=host.docker.internal:host-gateway" in command


@fault(CHECK, subject="container:edge32")
def silent_proxy_that_means_a_neighbour(box: Box) -> None:
    """The service is another container of the same network."""
    box.docker("network", "create", "edge32net")
    _backend(box, "api32", "edge32net")
    _proxy(box, "edge32", 18732, _CALLS, "--network=edge32net")
    _is_refused(box, "edge32", 18732)


@healthy()
def silent_proxy_healed_by_its_page(box: Box) -> None:
    """The same, after the report's own command was typed."""
    box.docker("network", "create", "edge33net")
    _backend(box, "api33", "edge33net")
    _proxy(box, "edge33", 18733, _CALLS, "--network=edge33net")
    _is_refused(box, "edge33", 18733)
    box.sh(first_command(box, CHECK, "edge33"), timeout=40)
    box.wait_for(lambda: _status(box, 18733) == "200", what="the neighbour to be called")


@healthy()
def upstream_at_localhost_that_nobody_calls(box: Box) -> None:
    """The file names a place at localhost for a page that nobody asks for."""
    box.docker("network", "create", "edge34net")
    _backend(box, "api34", "edge34net")
    spare = "} location /status { " + _CALLS
    _proxy(box, "edge34", 18734, f"return 200 hello; {spare}", "--network=edge34net")
    assert _status(box, 18734) == "200"


@healthy()
def call_of_localhost_that_nobody_else_serves(box: Box) -> None:
    """Calls of localhost are refused, and neither the host nor a neighbour offers the port."""
    _proxy(box, "edge35", 18735, _CALLS.replace("15004", "15005"))
    _is_refused(box, "edge35", 18735)
