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
