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
