"""What several of these scenarios use."""

from __future__ import annotations

from pathlib import Path

from tests.lab import Box

ROOT = "/var/lib/docker"
SAFE = ("run", "-d", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
PROJECT = Path(__file__).parents[4]


def small_disk(box: Box, name: str) -> None:
    """A disk of 40 MB at /srv/NAME."""
    box.sh(
        f"truncate -s 40M /root/{name}; mkfs.ext4 -q /root/{name}; mkdir -p /srv/{name}; mount -o loop /root/{name} /srv/{name}"
    )


def boot_before_the_share(box: Box, share: str, *names: str) -> None:
    """End the engine and its containers as a power failure does, and start the engine without the
    share of their mounts."""
    programs = [box.inspect(name)["State"]["Pid"] for name in names]
    box.kill(box.engine_pid)
    for program in programs:
        box.kill(program)
    box.wait_for(lambda: not box.pids_of("dockerd"), what="dockerd to end")
    box.sh(f"umount -l {share}; rm -f /run/docker.pid")
    box.start_engine()


def shared_films(box: Box, share: str) -> None:
    """Mount a share with one film."""
    box.sh(f"mkdir -p {share}; mount -t tmpfs nas:/export {share}")
    box.sh(f"mkdir {share}/media; echo film >{share}/media/film")
