"""Folders of two releases of PostgreSQL in one mount."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import GOOD

CHECK = "container.data-left-behind"


def _release(box: Box, number: int, release: str, mebibytes: int) -> None:
    """A folder of data with so many MiB, as a server leaves it."""
    folder = f"/srv/releases{number}/{release}/main"
    box.sh(
        f"mkdir -p {folder}/global {folder}/base; echo {release} >{folder}/PG_VERSION; "
        f"echo x >{folder}/global/pg_control; fallocate -l {mebibytes}M {folder}/base/1"
    )


def _serve(box: Box, number: int) -> None:
    """A container of release 9.6 with the folder."""
    name = f"releases{number}"
    options = (f"-v=/srv/{name}:/var/lib/postgresql", "--env=PG_VERSION=9.6", "--user=1000")
    box.docker("run", "-d", f"--name={name}", *GOOD, *options, "bb:1.36", "sleep", "1000")
    box.wait_state(name, "running")


@fault(CHECK, subject="container:releases11", shareable=True)
def empty_folder_of_a_newer_release(box: Box) -> None:
    """The newer image has made a folder of its own, and the data lies beside it."""
    _release(box, 11, "9.5", 24)
    box.sh("sleep 1.1")
    _release(box, 11, "9.6", 2)
    _serve(box, 11)


@healthy(shareable=True)
def folder_that_was_upgraded(box: Box) -> None:
    """The newer folder has all of the data of the former one."""
    _release(box, 12, "9.5", 24)
    box.sh("sleep 1.1")
    _release(box, 12, "9.6", 24)
    _serve(box, 12)
