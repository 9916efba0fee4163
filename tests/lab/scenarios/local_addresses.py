"""Programs whose own address is localhost, and whose visitors come from elsewhere, or do not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, typed

LOCAL = "container.own-address-local"
SAFE = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_RULE = "--label=traefik.http.routers.login91.rule=Host(`login.lab.test`)"


def _app(box: Box, name: str, *options: str) -> None:
    box.docker("run", "-d", f"--name={name}", *SAFE, *options, "shop:1.4")
    box.wait_state(name, "running")


@fault(LOCAL, subject="container:login91", shareable=True)
def login_that_returns_to_localhost(box: Box) -> None:
    """A proxy is to serve the program under a name, and it sends its visitors to localhost."""
    options = ("--env=NEXTAUTH_URL=http://localhost:8080", _RULE)
    _app(box, "login91", *options)
    typed(box, first_command(box, LOCAL, "login91"))
    settings = box.inspect("login91")["Config"]["Env"]
    assert "NEXTAUTH_URL=https://login.lab.test" in settings, settings
    box.docker("rm", "-f", "login91")
    _app(box, "login91", *options)


@healthy(shareable=True)
def login_for_a_developer(box: Box) -> None:
    """The same address, and the port is published for this host alone."""
    _app(box, "login92", "--env=NEXTAUTH_URL=http://localhost:15192", "-p", "127.0.0.1:15192:8080")
    run = box.diagnose("check", LOCAL, "--format", "json")
    assert not [finding for finding in run.findings if finding["subject"]["name"] == "login92"]


_PAGE = b"<html><body><div id=app></div><script src=app.js></script></body></html>"
_SERVES = ("httpd", "-f", "-p", "8080", "-h", "/www")


def _page_and_api(box: Box, number: int, code: str, *, address: str = "") -> None:
    """A page in a folder of the host, and the program that it calls at port 15200 + number."""
    box.write(f"/srv/page{number}/index.html", _PAGE.decode())
    box.write(f"/srv/page{number}/app.js", code.replace("PORT", str(15200 + number)))
    _app(box, f"api{number}", "-p", f"{15200 + number}:8080")
    page_port = f"{address}{15300 + number}:8080"
    options = ("-p", page_port, f"--volume=/srv/page{number}:/www:ro", "--user=1000")
    box.docker("run", "-d", f"--name=page{number}", *SAFE, *options, "bb:1.36", *_SERVES)
    box.wait_state(f"page{number}", "running")


def _page_findings(box: Box, name: str) -> list[str]:
    run = box.diagnose("check", LOCAL, "--format", "json")
    return [found["summary"] for found in run.findings if found["subject"]["name"] == name]


@fault(LOCAL, subject="container:page93", shareable=True)
def page_that_calls_the_machine_of_its_visitor(box: Box) -> None:
    """The script calls a port of localhost, where the visitor has nothing."""
    _page_and_api(box, 93, 'fetch("http://localhost:PORT/orders")')
    typed(box, first_command(box, LOCAL, "page93"))
    assert not _page_findings(box, "page93")
    assert "location.hostname" in box.sh("cat /srv/page93/app.js")
    box.write("/srv/page93/app.js", 'fetch("http://localhost:15293/orders")')


@healthy(shareable=True)
def page_that_chooses_by_its_own_address(box: Box) -> None:
    """The script calls localhost only where its page comes from there."""
    code = 'const api = location.hostname === "localhost" ? "http://localhost:PORT" : "/api"'
    _page_and_api(box, 94, code)
    assert not _page_findings(box, "page94")


@healthy(shareable=True)
def page_for_this_machine_alone(box: Box) -> None:
    """The page is published on loopback: its visitor sits at this machine."""
    _page_and_api(box, 95, 'fetch("http://localhost:PORT/orders")', address="127.0.0.1:")
    assert not _page_findings(box, "page95")
