"""Ports whose place on the host is left to the engine."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.network.helpers import QUIET


def _mail(box: Box, name: str, *ports: str) -> None:
    script = "nc -ll -p 25 -e cat & nc -ll -p 993 -e cat & exec nc -ll -p 8080 -e cat"
    places = [f"-p={port}" for port in ports]
    box.docker("run", "-d", f"--name={name}", *QUIET, *places, "bb:1.36", "sh", "-c", script)
    box.wait_state(name, "running")


@fault("network.port-left-to-engine", subject="container:mail91", shareable=True)
def mail_port_that_the_engine_chose(box: Box) -> None:
    """A compose file has "25" for mail, and the engine chose a port; the report's first command
    publishes it at 25."""
    _mail(box, "mail91", "25", "18091:993")
    assert ":32" in box.docker("port", "mail91", "25").stdout
    command = first_command(box, "network.port-left-to-engine", "mail91")
    assert "--publish=25:25/tcp" in command, command


@healthy(shareable=True)
def ports_that_callers_ask_for(box: Box) -> None:
    """A server whose ports are all chosen by the engine, and one whose web port is chosen."""
    _mail(box, "mail92", "25", "993")
    _mail(box, "mail93", "8080", "18093:993")
