"""What several of these scenarios use: stand-ins of programs, and compose."""

from __future__ import annotations

from collections.abc import Iterable

from tests.lab import Box
from tests.lab.images import Recipe, load
from tests.lab.programs import install_compose

_PROGRAM = """#!/bin/sh
say() { while read -r line; do echo "$(date -u +%FT%TZ) $line"; done; }
{start}
cat <<'LINES' | say
{first}
LINES
while :; do
cat <<'LINES' | say
{again}
LINES
sleep 1
done
"""
"""A program that opens its ports, logs what it is started with, and then logs on each second."""


def stand_in(
    box: Box,
    image: str,
    program: str,
    *changes: str,
    web: Iterable[int] = (),
    tcp: Iterable[int] = (),
    start: str = "",
    first: str = "started",
    again: str = "",
) -> None:
    """Import an image whose program behaves as the real one does for those who look at it.

    web: ports on which it answers HTTP; tcp: ports on which it accepts; start: a line of shell that
    it runs first; first, again: the lines that it logs at its start, and on each second after that.
    """
    listens = [start, *(f"httpd -p {port} -h /www" for port in web)]
    listens += [f"nc -ll -p {port} -e cat &" for port in tcp]
    text = _PROGRAM.replace("{start}", "\n".join(listens))
    text = text.replace("{first}", first.strip()).replace("{again}", again.strip())
    path = f"usr/local/bin/{program}"
    command = f'CMD ["/{path}"]'
    load(box, image, Recipe({path: (text.encode(), 0o755)}, (command, *changes)))


def up(box: Box, project: str, text: str) -> None:
    """Write a project into /opt, and start it."""
    install_compose(box)
    box.write(f"/opt/{project}/compose.yaml", text)
    box.sh(f"cd /opt/{project} && docker compose up --detach 2>&1", timeout=90)


def wait_lines(box: Box, *names: str, lines: int = 8) -> None:
    """Wait until each of these containers has logged that much."""
    what = f"{lines} lines of {', '.join(names)}"
    box.wait_for(lambda: all(_lines(box, name) >= lines for name in names), what=what)


def _lines(box: Box, name: str) -> int:
    done = box.docker("logs", name)
    return len((done.stdout + done.stderr).splitlines())


def calm_for_others(box: Box) -> None:
    """A user without rights sees nothing wrong either; what he may not see is no finding."""
    report = box.diagnose("all", "--format", "json", user="nobody").report
    loud = [found["summary"] for found in report["findings"] if found["severity"] != "advice"]
    assert not loud, loud
