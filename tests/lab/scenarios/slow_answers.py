"""Programs that need longer for some answers than the nginx before them waits."""

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.untold_programs import SAFE, browse, site_of

CHECK = "network.slow-answers-cut"
_ANSWER = (
    'read -r m path v; [ "$path" != /report ] || sleep %d; '
    r"printf 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'"
)


def _shop(box: Box, number: int, seconds: int, settings: str) -> str:
    """A program whose report takes so long, behind nginx; its URL."""
    net, shop = f"net{number}", f"shop{number}"
    box.docker("network", "create", net)
    image = f"shop:{seconds}s"
    answer = f"#!/bin/sh\n{_ANSWER % seconds}\n".encode()
    load(box, image, Recipe({"answer.sh": (answer, 0o755)}))
    words = (image, "nc", "-ll", "-p", "8000", "-e", "/answer.sh")
    box.docker("run", "-d", f"--name={shop}", f"--network={net}", *SAFE, *words)
    site = f"listen 80; location / {{ {settings} proxy_pass http://{shop}:8000; }}"
    site_of(box, f"edge{number}", site, "-p", f"{8000 + number}:80", f"--network={net}")
    url = f"http://{BOX_ADDRESS}:{8000 + number}"
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the shop", timeout=60)
    return url


@fault(CHECK, subject="container:shop91")
def report_that_takes_longer_than_nginx_waits(box: Box) -> None:
    """nginx waits two seconds, and a report takes four; all other pages come at once."""
    url = _shop(box, 91, 4, "proxy_read_timeout 2s;")
    for _ in range(3):
        assert browse(box, f"{url}/report") == "504"
    assert browse(box, f"{url}/") == "200"
    box.write("/root/before", box.sh("cat /srv/edge91/nginx.conf"))
    command = first_command(box, CHECK, "shop91")
    assert "proxy_read_timeout 300s" in command, command
    box.sh(command)
    box.wait_for(lambda: browse(box, f"{url}/report") == "200", what="the report", timeout=60)
    box.sh("cat /root/before >/srv/edge91/nginx.conf")
    box.docker("restart", "-t", "1", "edge91")
    box.wait_for(lambda: browse(box, f"{url}/") == "200", what="the shop", timeout=60)
    for _ in range(3):
        assert browse(box, f"{url}/report") == "504"
    assert browse(box, f"{url}/") == "200"


@healthy()
def report_for_which_nginx_waits(box: Box) -> None:
    """Nearly the same report, and nginx waits for it."""
    url = _shop(box, 92, 3, "proxy_read_timeout 20s;")
    for _ in range(3):
        assert browse(box, f"{url}/report") == "200"
    assert not box.diagnose("check", CHECK, "--format", "json").findings
