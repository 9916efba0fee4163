"""Web applications that were put into maintenance and left there, and silent twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, status_outside, typed
from tests.lab.scenarios.programs.helpers import MACHINE

ON = "container.maintenance-on"
_PROGRAM = """
import os, wsgiref.simple_server

def app(environ, start):
    if os.path.exists("/app/storage/framework/down") or os.path.exists("/app/broken"):
        start("503 Service Unavailable", [])
        return [b"<title>Service Unavailable</title>"]
    start("200 OK", [])
    return [b"welcome"]

wsgiref.simple_server.make_server("0.0.0.0", 8080, app).serve_forever()
"""
"""A program that takes itself for Laravel: its flag, its status."""
_ARTISAN = '#!/bin/sh\n[ "$1" = up ] && rm -f storage/framework/down\n'


def _shop(box: Box, number: int, *written: str, name: str = "") -> str:
    """The program with these files, written an hour ago; what it answers."""
    name, port = name or f"shop{number}", 8400 + number
    for path in ("artisan", *written):
        box.write(f"/srv/{name}/{path}", _ARTISAN, 0o755)
    box.sh(
        f"mkdir -p /srv/{name}/bin /srv/{name}/storage/framework; chmod 777 /srv/{name}/storage/framework"
    )
    box.write(f"/srv/{name}/bin/php", '#!/bin/sh\nexec sh "$@"\n', 0o755)
    box.sh(f"find /srv/{name} -type f -exec touch -d '1 hour ago' {{}} +")
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "-p", f"{port}:8080",
        "-v", f"/srv/{name}:/app", "-w", "/app", "-e", "PATH=/app/bin:/bin", *MACHINE, "bb:1.36",
        "/usr/bin/python3", "-uc", _PROGRAM,
    )  # fmt: skip
    box.wait_for(
        lambda: status_outside(box, port, "/") in ("200", "503"), what="the shop to answer"
    )
    for _ in range(4):
        status_outside(box, port, "/orders")
    return status_outside(box, port, "/")


@fault(ON, subject="container:shop81", also=["container.answers-with-errors"], shareable=True)
def maintenance_that_nobody_ended(box: Box) -> None:
    """An update ran `artisan down`, and ended before `artisan up`; the command of the page does."""
    assert _shop(box, 81, "storage/framework/down") == "503"
    command = first_command(box, ON, "shop81")
    assert command == "docker exec --user 0 --workdir /app shop81 sh -c 'php artisan up'", command
    typed(box, command)
    assert status_outside(box, 8481, "/") == "200"
    box.write("/srv/shop81/storage/framework/down", "{}")
    box.sh("touch -d '1 hour ago' /srv/shop81/storage/framework/down")
    for _ in range(4):
        assert status_outside(box, 8481, "/") == "503"


@healthy(shareable=True)
def maintenance_that_has_ended(box: Box) -> None:
    """The same program without its flag."""
    assert _shop(box, 82) == "200"


@fault("container.answers-with-errors", subject="container:shop83", shareable=True)
def errors_without_maintenance(box: Box) -> None:
    """The same status, and no flag: nothing is said of maintenance."""
    assert _shop(box, 83, "broken") == "503"
    found = box.diagnose("check", ON, "--format", "json").findings
    assert "shop83" not in [finding["subject"]["name"] for finding in found]


@fault("container.answers-with-errors", subject="container:till-blue", shareable=True)
def maintenance_of_the_colour_that_has_no_visitors(box: Box) -> None:
    """The blue one was put into maintenance when the green one took over: that is advice."""
    assert _shop(box, 85, name="till-green") == "200"
    assert _shop(box, 86, "storage/framework/down", name="till-blue") == "503"
    found = box.diagnose("check", ON, "--format", "json").findings
    (own,) = [finding for finding in found if finding["subject"]["name"] == "till-blue"]
    assert own["severity"] == "advice"


@healthy(shareable=True)
def flag_that_no_program_reads(box: Box) -> None:
    """A file maintenance.flag lies beside a program that fails for another reason."""
    assert _shop(box, 87, "maintenance.flag") == "200"
