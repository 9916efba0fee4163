"""Folders of the host whose files belong to another user than the program, as the folder does."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.scenarios.container.helpers import GOOD, run
from tests.lab.scenarios.everyday.helpers import first_command, typed

FORBIDDEN = "container.mount-forbidden"
_PROGRAM = "mkdir -p /data/cache && echo more >>/data/items.txt && exec sleep 1000"


def _start(box: Box, name: str) -> None:
    """The program of user 1000, after root has restored the folder."""
    box.sh(f"mkdir -p /srv/{name}; echo one >/srv/{name}/items.txt; chown -R 0:0 /srv/{name}")
    options = (*GOOD, "--user=1000:1000", f"-v=/srv/{name}:/data")
    run(box, name, *options, "bb:1.36", "sh", "-c", _PROGRAM)
    box.wait_state(name, "exited")


@fault(FORBIDDEN, subject="container:whole61", also=["container.exits-at-start"])
def folder_and_files_of_root(box: Box) -> None:
    """The folder and the file in it are root's: the first command gives both to the program."""
    _start(box, "whole61")
    command = first_command(box, FORBIDDEN, "whole61")
    assert command.startswith("chown -R 1000:1000 /srv/whole61"), command
    typed(box, command)
    box.wait_state("whole61", "running")
    box.docker("rm", "-f", "whole61")
    _start(box, "whole61")
