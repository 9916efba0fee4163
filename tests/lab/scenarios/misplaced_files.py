"""A mounted file that its program looks for elsewhere; and one that is where it looks."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

MISPLACED = "container.file-misplaced"
_PROGRAM = """
while :; do
  if [ -e "$LAB_CONFIG/config.json" ]; then echo "credentials are there"
  else echo "level=debug msg=\\"no credentials\\" config_file=$LAB_CONFIG/config.json"; fi
  sleep 2
done
"""


def _updater(box: Box, name: str, target: str) -> None:
    box.write(f"/srv/{name}/config.json", "{}")
    mount = f"/srv/{name}/config.json:{target}:ro"
    run(box, name, *GOOD, "--env=LAB_CONFIG=/config", "-v", mount, "bb:1.36", "sh", "-c", _PROGRAM)
    box.wait_for(lambda: logs(box, name).count("credentials") > 2, what="the program to look")


@fault(MISPLACED, subject="container:tower71", shareable=True)
def file_beside_the_folder_of_its_variable(box: Box) -> None:
    """The variable names the folder /config, and the file is mounted at /config.json; the command
    of the report mounts it there."""
    _updater(box, "tower71", "/config.json")
    typed(box, first_command(box, MISPLACED, "tower71"))
    box.wait_for(lambda: "credentials are there" in logs(box, "tower71"), what="the file")
    box.docker("rm", "-f", "tower71")
    _updater(box, "tower71", "/config.json")


_NEEDED = """
[ -e /config/configuration.yml ] && exec sleep 100000
echo "level=error msg=\"Unable to find config file: /config/configuration.yml\""; exit 1
"""


def _gate(box: Box, name: str, target: str) -> None:
    box.write(f"/srv/{name}/configuration.yml", "theme: light\n")
    mount = f"/srv/{name}:{target}"
    run(box, name, *GOOD, "--restart=no", "-v", mount, "bb:1.36", "sh", "-c", _NEEDED)


@fault(
    MISPLACED,
    subject="container:gate73",
    also=[("container.exits-at-start", "container:gate73")],
    shareable=True,
)
def file_in_the_folder_of_another_image(box: Box) -> None:
    """The folder is mounted where an earlier release looked, and the program ends; the command of
    the report mounts the file where this one looks."""
    _gate(box, "gate73", "/etc/gate")
    box.wait_for(lambda: not box.inspect("gate73")["State"]["Running"], what="the end")
    typed(box, first_command(box, MISPLACED, "gate73"))
    box.wait_for(lambda: box.inspect("gate73")["State"]["Running"], what="the program")
    box.docker("rm", "-f", "gate73")
    _gate(box, "gate73", "/etc/gate")
    box.wait_for(lambda: not box.inspect("gate73")["State"]["Running"], what="the end")


@healthy(shareable=True)
def folder_where_the_program_looks(box: Box) -> None:
    """The same folder where the program looks, and one of another use beside it."""
    _gate(box, "gate74", "/config")


@healthy(shareable=True)
def file_in_the_folder_of_its_variable(box: Box) -> None:
    """The same file where the program looks."""
    _updater(box, "tower72", "/config/config.json")
