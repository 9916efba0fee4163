"""Quotas that are used up on a disk with room."""

from __future__ import annotations

import lzma

from tests.lab import Box, fault
from tests.lab.scenarios.storage.helpers import PROJECT

# -- quotas ----------------------------------------

_QUOTA_DISK = PROJECT / "tests/data/quota.btrfs.xz"
"""A btrfs of 40 MB with a subvolume `pg`, whose quota is 6 MiB: mkfs.btrfs --mixed, btrfs quota
enable, btrfs qgroup limit."""


def _disk_with_quota(box: Box, name: str) -> None:
    box.path(f"/root/{name}").write_bytes(lzma.decompress(_QUOTA_DISK.read_bytes()))
    box.sh(f"mkdir -p /srv/{name}; mount -o loop /root/{name} /srv/{name}")


@fault(
    "storage.quota-exceeded",
    subject="container:vault-db",
    also=["container.*"],
    shareable=True,
)
def quota_used_up(box: Box) -> None:
    """A database has used up the quota of its subvolume; the disk has room."""
    _disk_with_quota(box, "vaults")
    options = ("--memory=64m", "--pids-limit=64", "-v=/srv/vaults/pg:/data")
    work = "dd if=/dev/zero of=/data/wal bs=1M count=20 conv=fsync"
    box.docker("run", "-d", "--name=vault-db", *options, "bb:1.36", "sh", "-c", work)
    box.wait_state("vault-db", "exited")
    assert "Disk quota exceeded" in box.docker("logs", "vault-db").stderr
    assert box.usage("/srv/vaults").f_bavail > 0.3 * box.usage("/srv/vaults").f_blocks


@fault("container.exits-at-start", subject="container:mailer", shareable=True)
def quota_of_a_mailbox(box: Box) -> None:
    """A program ends over a quota of its own: its disk has none."""
    work = "echo '552 5.2.2 <a@lab.test>: Disk quota exceeded'; exit 1"
    options = ("--memory=64m", "--pids-limit=64", "-v=letters:/letters")
    box.docker("run", "-d", "--name=mailer", *options, "bb:1.36", "sh", "-c", work)
    box.wait_state("mailer", "exited")
