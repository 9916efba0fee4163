"""Mounts that were right when a container was made, and lead elsewhere by now."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.storage.helpers import SAFE


@fault("container.mount-stale", subject="container:released41")
def link_to_a_release_that_was_switched(box: Box) -> None:
    """A deployment switches a link to the next release; the container serves the one before."""
    releases = "/srv/site41/releases"
    box.sh(f"mkdir -p {releases}/1 {releases}/2; echo one >{releases}/1/index.html")
    box.sh(f"echo two >{releases}/2/index.html; ln -s releases/1 /srv/site41/current")
    mount = ("--volume", "/srv/site41/current:/www:ro")
    box.docker(*SAFE, "--name=released41", *mount, "shop:1.4")
    box.sh("ln -sfn releases/2 /srv/site41/current")
    assert box.docker("exec", "released41", "cat", "/www/index.html").stdout == "one\n"


@healthy(advice=None)
def link_to_the_present_release(box: Box) -> None:
    """The same deployment, and the container was started after it."""
    box.sh("mkdir -p /srv/site42/releases/2; ln -s releases/2 /srv/site42/current")
    mount = ("--volume", "/srv/site42/current:/www:ro")
    box.docker(*SAFE, "--name=released42", *mount, "shop:1.4")


@fault("container.volumes-from-outdated", subject="container:reader43")
def volumes_of_a_container_that_was_made_anew(box: Box) -> None:
    """A container shares the volume of another one, which is then recreated with an empty one."""
    shared = ("--volume", "/data", "shop:1.4", "sleep", "1000")
    box.docker(*SAFE, "--name=store43", *shared)
    reader = ("--volumes-from=store43", "shop:1.4", "sleep", "1000")
    box.docker(*SAFE, "--name=reader43", *reader)
    box.docker("rm", "--force", "store43")
    box.docker(*SAFE, "--name=store43", *shared)


@healthy(advice=None)
def volumes_of_a_container_that_is_still_there(box: Box) -> None:
    """A container shares the volume of another one, which was only restarted."""
    shared = ("--volume", "/data", "shop:1.4", "sleep", "1000")
    box.docker(*SAFE, "--init", "--name=store44", *shared)
    reader = ("--volumes-from=store44", "shop:1.4", "sleep", "1000")
    box.docker(*SAFE, "--name=reader44", *reader)
    box.docker("restart", "store44")
