"""Variables that have no effect: a start script reads them once, or the image sets them too."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, run

CHECK = "container.value-without-effect"
_START = b"""#!/bin/sh
set -e
if [ ! -f /data/server.ini ]; then
  echo "name = $SERVER_NAME" > /data/server.ini
fi
exec httpd -f -p 8080 -h /data
"""


def _server(box: Box, name: str, before: str, now: str) -> None:
    """A container whose file was made by an earlier one."""
    load(
        box,
        "island:2",
        Recipe(files={"start.sh": (_START, 0o755)}, changes=('ENTRYPOINT ["/start.sh"]',)),
    )
    box.sh(f"mkdir -p /srv/{name} && chown 1000:1000 /srv/{name}")
    for value in (before, now):
        box.docker("rm", "-f", name, check=False)
        mount = f"/srv/{name}:/data"
        run(box, name, *GOOD, f"--env=SERVER_NAME={value}", "-v", mount, "island:2")
        box.wait_for(lambda: box.sh(f"cat /srv/{name}/server.ini || true"), what="the file")
        box.sh("sleep 1.1")


@fault(CHECK, subject="container:island61", shareable=True)
def value_of_an_earlier_container(box: Box) -> None:
    """The variable is another one by now, and the file still has the first one."""
    _server(box, "island61", "red-hill", "blue-bay")
    assert box.read("/srv/island61/server.ini") == "name = red-hill\n"


@healthy(shareable=True)
def same_value_as_before(box: Box) -> None:
    """The container is recreated, as by each update, with the value that it had."""
    _server(box, "island62", "red-hill", "red-hill")
    run_ = box.diagnose("check", CHECK, "--format", "json")
    assert not [finding for finding in run_.findings if finding["subject"]["name"] == "island62"]


def _with_mounted_file(box: Box, name: str, client: str) -> None:
    """A container whose image sets a variable, and whose mounted file .env sets it too."""
    load(box, "cms:4", Recipe(changes=("ENV DB_CLIENT=sqlite",)))
    box.write(f"/srv/{name}/.env", f"APP_NAME=shop\nDB_CLIENT={client}\n")
    mount = f"/srv/{name}/.env:/opt/app/.env:ro"
    run(box, name, *GOOD, "-v", mount, "cms:4", "sleep", "1000")


@fault(CHECK, subject="container:cms63", shareable=True)
def value_of_the_image_before_a_mounted_file(box: Box) -> None:
    """A library that reads the file leaves what the environment has."""
    _with_mounted_file(box, "cms63", "pg")
    assert "DB_CLIENT=sqlite" in box.inspect("cms63")["Config"]["Env"]


@healthy(shareable=True)
def same_value_in_image_and_mounted_file(box: Box) -> None:
    """The file says what the image says."""
    _with_mounted_file(box, "cms64", "sqlite")
    run_ = box.diagnose("check", CHECK, "--format", "json")
    assert not [finding for finding in run_.findings if finding["subject"]["name"] == "cms64"]
