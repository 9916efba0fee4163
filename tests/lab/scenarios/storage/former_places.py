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


def _uploader(box: Box, name: str, disk: str) -> None:
    """A program that writes to a disk all the time, and says where it cannot."""
    box.sh(f"mkdir -p /mnt/{name} && mount -t tmpfs -o size=2m,{disk} disk /mnt/{name}")
    say = "open /srv/upload.txt: read-only file system"
    loop = f"while :; do touch /srv/upload.txt 2>/dev/null || echo '{say}'; sleep 1; done"
    mount = ("--volume", f"/mnt/{name}:/srv")
    box.docker(*SAFE, f"--name={name}", *mount, "bb:1.36", "sh", "-c", loop)


@fault("container.mount-stale", subject="container:uploads44", also=["container.errors-in-log"])
def disk_that_was_read_only_at_the_start(box: Box) -> None:
    """A disk is made writable after the start; the container's mount stays read-only."""
    _uploader(box, "uploads44", "ro")
    box.wait_for(
        lambda: "read-only" in box.docker("logs", "uploads44").stdout, what="it to be refused"
    )
    box.sh("mount -o remount,rw /mnt/uploads44 && touch /mnt/uploads44/x")
    assert box.docker("exec", "uploads44", "touch", "/srv/y", check=False).returncode == 1


@healthy()
def disk_that_was_writable_at_the_start(box: Box) -> None:
    """The same disk, made writable before."""
    _uploader(box, "uploads45", "ro")
    box.docker("rm", "-f", "uploads45")
    box.sh("umount /mnt/uploads45")
    _uploader(box, "uploads45", "rw")
    box.wait_for(lambda: "upload.txt" in box.sh("ls /mnt/uploads45"), what="it to write")


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
