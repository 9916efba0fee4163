"""nginx that hands one path on to a port at which its container does not listen."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.real_servers import nginx

ANSWERS = "container.answers-with-errors"
_LIMITS = ("--memory=64m", "--pids-limit=64")


def _site(box: Box, number: int, hub: int) -> str:
    """A site whose path /hub goes to a port of its own; nginx's name."""
    name, network, published = f"front{number}", f"front{number}net", 18500 + number
    box.docker("network", "create", network)
    serve = ("bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    named = (f"--name=vault{number}", f"--network={network}")
    box.docker("run", "-d", *named, *_LIMITS, *serve)
    site = (
        "server { listen 8080; access_log /dev/stdout;"
        f" location / {{ proxy_pass http://vault{number}:8080; }}"
        f" location /hub {{ proxy_pass http://vault{number}:{hub}/; }} }}"
    )
    nginx(box, name, site, f"--network={network}", "-p", f"{published}:8080")
    url = f"http://{BOX_ADDRESS}:{published}/"
    box.wait_for(lambda: "hello" in box.provider.curl(url, check=False), 60, "nginx to answer")
    for _ in range(5):
        box.provider.curl(f"{url}hub", check=False)
        box.provider.curl(url, check=False)
    return name


@fault(ANSWERS, subject="container:front95")
def path_to_a_port_that_nobody_serves(box: Box) -> None:
    """A location names the port that an older release of the program served."""
    _site(box, 95, 3012)
    report = box.diagnose("check", ANSWERS, "--budget", "60").out
    assert "3012" in report, report
    assert "grep -rnI -m 5 -E -e ':3012" in report, report


@healthy()
def path_to_a_port_that_is_served(box: Box) -> None:
    """The same with the port at which the program listens."""
    _site(box, 96, 8080)
