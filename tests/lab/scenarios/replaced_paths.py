"""The variable PATH of containers, and programs of their image in other folders."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command, typed

CHECK = "container.path-replaced"
_START = b"""#!/bin/sh
set -e
echo "Starting FalkorDB..."
redis-server --port 6379
"""
_SERVER = b"""#!/bin/sh
echo "Ready to accept connections"
exec sleep 1000
"""
_OPTIONS = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
_OF_HOST = "--env=PATH=/root/.local/bin:/usr/local/bin:/usr/bin:/bin"


def _load(box: Box) -> None:
    """An image with a program in a folder that only its own PATH has."""
    files = {"start.sh": (_START, 0o755), "opt/redis/bin/redis-server": (_SERVER, 0o755)}
    changes = ("ENV PATH=/opt/redis/bin:/usr/bin:/bin", 'CMD ["/start.sh"]')
    load(box, "graph:1", Recipe(files=files, changes=changes))


@fault(
    CHECK,
    subject="container:graph76",
    expect=[(CHECK, "container:graph77")],
    also=["container.restart-loop", "container.exits-at-start", "container.entrypoint-missing"],
)
def path_of_the_host_in_a_container(box: Box) -> None:
    """PATH is that of another host: a script does not find its server, nor the engine a command."""
    _load(box)
    box.docker("run", "-d", "--name=graph76", *_OPTIONS, _OF_HOST, "graph:1")
    box.docker(
        "run", "-d", "--name=graph77", *_OPTIONS, _OF_HOST, "graph:1", "redis-server", check=False
    )
    box.wait_for(lambda: "not found" in box.docker("logs", "graph76").stderr, what="its error")
    box.docker("run", "-d", "--name=graph79", *_OPTIONS, _OF_HOST, "graph:1")
    typed(box, first_command(box, CHECK, "graph79"))
    box.wait_for(lambda: "Ready" in box.docker("logs", "graph79").stdout, what="its server")


@healthy()
def path_with_the_folders_of_the_image(box: Box) -> None:
    """A PATH of its own that has the folder, and one without it where nothing needs it."""
    _load(box)
    extended = "--env=PATH=/extra:/opt/redis/bin:/usr/bin:/bin"
    box.docker("run", "-d", "--name=graph74", *_OPTIONS, extended, "graph:1")
    box.docker("run", "-d", "--name=graph75", *_OPTIONS, _OF_HOST, "graph:1", "sleep", "1000")
    box.wait_state("graph74", "running")
