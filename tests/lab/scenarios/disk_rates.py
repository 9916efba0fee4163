"""Limits of containers for their disks."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy


def _database(box: Box, name: str, rate: str) -> None:
    """A container with a volume on a disk of its own, and a limit for that disk."""
    box.sh(
        "truncate -s 60M /disk.img && mkfs.ext4 -q /disk.img && mkdir -p /srv/disk "
        "&& mount -o loop /disk.img /srv/disk"
    )
    device = box.sh("findmnt -no SOURCE /srv/disk").strip()
    box.docker(
        "run", "-d", f"--name={name}", "--memory=64m", "--pids-limit=64", "--restart=always",
        f"--device-write-bps={device}:{rate}", "--volume=/srv/disk:/data", box.image("bb:1.36"),
        "sleep", "1000",
    )  # fmt: skip


@fault("resources.disk-rate-limited", subject="container:slow9", exit_code=0)
def limit_left_from_a_test(box: Box) -> None:
    """Half a mebibyte takes more than a second to write."""
    _database(box, "slow9", "256kb")
    begin = time.monotonic()
    box.docker(
        "exec", "slow9", "dd", "if=/dev/zero", "of=/data/wal", "bs=64k", "count=8", "conv=fsync"
    )
    assert time.monotonic() - begin > 1


@healthy(advice=None)
def limit_that_leaves_enough(box: Box) -> None:
    """A limit of a hundred mebibytes in a second."""
    _database(box, "fast9", "100mb")
    begin = time.monotonic()
    box.docker(
        "exec", "fast9", "dd", "if=/dev/zero", "of=/data/wal", "bs=64k", "count=8", "conv=fsync"
    )
    assert time.monotonic() - begin < 5


@fault("resources.disk-rate-limited", subject="container:slow8", exit_code=1)
def limit_for_which_a_program_waits(box: Box) -> None:
    """A program writes all the time, and is in state D for most of it."""
    _database(box, "slow8", "64kb")
    writes = "while :; do dd if=/dev/zero of=/data/wal bs=64k count=4 conv=fsync 2>/dev/null; done"
    box.docker("exec", "-d", "slow8", "sh", "-c", writes)
    waits = "cat /proc/[0-9]*/stat 2>/dev/null | grep -F '(dd) D ' || true"
    box.wait_for(lambda: bool(box.sh(waits)), what="a program that waits")
