"""Ports of which the user says that other machines must reach them, and nothing takes the calls."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import PATIENT
from tests.lab.scenarios.everyday.helpers import first_command, typed

CHECK = "network.port-out-of-reach"
SAFE = ("--memory=64m", "--pids-limit=64")
_SERVES = ("bb:1.36", "httpd", "-f", "-h", "/www", "-p")
_REACH = ("--reach", "3000", "--reach", f"{BOX_ADDRESS}:3100", "--reach", "3200", *PATIENT)


def _page(box: Box, port: int) -> str:
    return box.provider.curl(f"http://{BOX_ADDRESS}:{port}/", check=False)


def _programs(box: Box, publish: tuple[str, ...], own_address: str) -> None:
    """A program at a published port, one without, and one on the host's network."""
    box.docker("run", "-d", "--name=grafana", *SAFE, *publish, *_SERVES, "3000")
    own = ("-p", "3100:3100") if own_address == "0.0.0.0" else ()
    box.docker("run", "-d", "--name=wiki", *SAFE, *own, *_SERVES, "3100")
    box.docker("run", "-d", "--name=dash", "--net=host", *SAFE, *_SERVES, f"{own_address}:3200")
    box.wait_for(lambda: box.sh("ss -lnt 'sport = :3200' | tail -n +2"), what="dash")


@fault(
    CHECK,
    subject="container:grafana",
    expect=((CHECK, "container:wiki"), (CHECK, "container:dash")),
    args=_REACH,
)
def ports_that_no_other_machine_reaches(box: Box) -> None:
    """Published for the host alone, not published at all, and a program that listens for itself."""
    _programs(box, ("-p", "127.0.0.1:3000:3000"), "127.0.0.1")
    assert not any(_page(box, port) for port in (3000, 3100, 3200))
    asked = box.diagnose("ask", "cannot open port 3000 from another computer", "--budget", "60").out
    assert "network.port-out-of-reach  grafana" in asked, asked
    typed(box, first_command(box, CHECK, "grafana", "--reach", "3000"))
    box.wait_for(lambda: "hello" in _page(box, 3000), what="the page after the command")
    box.docker("rm", "-f", "grafana")
    box.docker("run", "-d", "--name=grafana", *SAFE, "-p", "127.0.0.1:3000:3000", *_SERVES, "3000")


@healthy(args=_REACH)
def ports_that_other_machines_reach(box: Box) -> None:
    """The same programs at all addresses."""
    _programs(box, ("-p", "3000:3000"), "0.0.0.0")
    assert all("hello" in _page(box, port) for port in (3000, 3100, 3200))
