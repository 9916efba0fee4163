"""Programs that become another user, and may not enter what is mounted; and those that may."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.programs.helpers import MACHINE, run

UNWRITABLE = "container.mount-unwritable"
_DROPS = "import os, time; os.setgroups([]); os.setgid(1000); os.setuid(1000); time.sleep(1000)"


def _library(box: Box, name: str, mode: str) -> None:
    """A program that begins as root and becomes the user of PUID, with a folder of media."""
    box.sh(f"mkdir -p /srv/{name} && echo film >/srv/{name}/film.mkv && chmod {mode} /srv/{name}")
    user = ("--env=PUID=1000", "--env=PGID=1000")
    media = ("-v", f"/srv/{name}:/media")
    run(box, name, *SAFE, *user, *media, *MACHINE, "bb:1.36", "/usr/bin/python3", "-c", _DROPS)
    uid = f"stat -c %u /proc/{box.inspect(name)['State']['Pid']}"
    box.wait_for(lambda: box.sh(uid).strip() == "1000", what="the program to change its user")


@fault(UNWRITABLE, subject="container:films61", shareable=True)
def media_for_root_alone(box: Box) -> None:
    """The folder of the media is closed for the user of PUID: the library stays empty, and no line
    says why."""
    _library(box, "films61", "700")


@healthy(shareable=True)
def media_for_reading(box: Box) -> None:
    """The program may read the folder, and not write."""
    _library(box, "films62", "755")
    found = box.diagnose("check", UNWRITABLE, "--format", "json").findings
    assert "films62" not in [finding["subject"]["name"] for finding in found]
