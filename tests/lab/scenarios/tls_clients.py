"""Clients that speak TLS to a real nginx at a port of plain HTTP."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.real_servers import nginx

_SITE = "server { access_log /dev/stdout; listen 8080; location / { return 200 ok; } }"
_HELLO = r"\x16\x03\x01"


def _calls(box: Box, name: str, url: str) -> None:
    """A client outside calls five times, and the server has written that."""
    for _ in range(5):
        box.provider.curl(url, check=False)
    box.wait_for(lambda: box.docker("logs", name).stdout.count('"') > 8, what="the lines")


@fault("container.answers-with-errors", subject="container:edge71")
def tls_port_that_leads_to_plain_http(box: Box) -> None:
    """443 is published to the port of plain HTTP, and clients call by https."""
    nginx(box, "edge71", _SITE, "--publish=443:8080")
    url = f"http://{BOX_ADDRESS}:443/"
    box.wait_for(lambda: box.provider.curl(url, check=False) == "ok", what="nginx to answer")
    box.docker("restart", "--time=1", "edge71")
    _calls(box, "edge71", f"https://{BOX_ADDRESS}/")
    assert _HELLO in box.docker("logs", "edge71").stdout


@healthy()
def browser_that_tries_tls_first(box: Box) -> None:
    """The client does without TLS, and is served."""
    nginx(box, "edge72", _SITE, "--publish=8072:8080")
    _calls(box, "edge72", f"https://{BOX_ADDRESS}:8072/")
    _calls(box, "edge72", f"http://{BOX_ADDRESS}:8072/")
    assert _HELLO in box.docker("logs", "edge72").stdout
