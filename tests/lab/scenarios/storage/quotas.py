"""Quotas that are used up on a disk with room."""

from __future__ import annotations

import lzma

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.storage.helpers import PROJECT, SAFE

# -- quotas ----------------------------------------

_QUOTA_DISK = PROJECT / "tests/data/quota.btrfs.xz"
"""A btrfs of 40 MB with a subvolume `pg`, whose quota is 6 MiB: mkfs.btrfs --mixed, btrfs quota
enable, btrfs qgroup limit."""


def _disk_with_quota(box: Box, name: str) -> None:
    box.path(f"/root/{name}").write_bytes(lzma.decompress(_QUOTA_DISK.read_bytes()))
    box.sh(f"mkdir -p /srv/{name}; mount -o loop /root/{name} /srv/{name}")


@fault("storage.quota-exceeded", subject="container:vault-db", also=["container.*"], shareable=True)
def quota_used_up(box: Box) -> None:
    """A database has used up the quota of its subvolume; the disk has room."""
    _disk_with_quota(box, "vaults")
    options = ("--memory=64m", "--pids-limit=64", "-v=/srv/vaults/pg:/data")
    work = "dd if=/dev/zero of=/data/wal bs=1M count=20 conv=fsync && sleep 1000"
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


_ON_BTRFS = {"storage-driver": "overlay2"}
"""Engine 20.10 would make a subvolume of each layer, beside the quota of the one above."""


def _engine_in_a_subvolume(box: Box) -> None:
    """An engine whose data root is a subvolume with a quota, as in a virtual server of LXD."""
    box.sh(
        "truncate -s 400M /root/pool; mkfs.btrfs -q -m single /root/pool; mkdir -p /srv/pool\n"
        "mount -o loop /root/pool /srv/pool; btrfs quota enable /srv/pool\n"
        "btrfs subvolume create /srv/pool/guest; mount --bind /srv/pool/guest /var/lib/docker"
    )
    box.start_engine(config={**BASE_CONFIG, **_ON_BTRFS})
    box.docker(*SAFE, "--name=library", "bb:1.36", "sleep", "1000")


def _limit(box: Box, left: int) -> None:
    """Leave so many bytes of the quota to the engine."""
    box.sh("sync; btrfs quota rescan -w /srv/pool")
    (usage,) = (
        line.split()
        for line in box.sh("btrfs qgroup show --raw /srv/pool").splitlines()
        if line.startswith("0/") and not line.startswith("0/5 ")
    )
    box.sh(f"btrfs qgroup limit {int(usage[1]) + left} /srv/pool/guest")


def _use_up(box: Box) -> str:
    """Write until the quota is used up, and create a container: what the engine says."""
    box.sh("head -c 30M /dev/urandom >/var/lib/docker/volumes/dump || sync")
    refused = box.docker("create", "--name=reader", "bb:1.36", "true", check=False)
    assert "disk quota exceeded" in refused.stderr
    assert box.usage("/var/lib/docker").f_bavail > 0.5 * box.usage("/var/lib/docker").f_blocks
    return refused.stderr


@fault("storage.quota-exceeded", subject="daemon:docker", engine_started=False)
def quota_of_the_data_root_used_up(box: Box) -> None:
    """The engine's own subvolume has used up its quota; df shows room."""
    _engine_in_a_subvolume(box)
    _limit(box, 2 << 20)
    _use_up(box)


@healthy(engine_started=False)
def quota_of_the_data_root_raised(box: Box) -> None:
    """The same after somebody has raised the quota, and the engine has created a container."""
    _engine_in_a_subvolume(box)
    _limit(box, 2 << 20)
    _use_up(box)
    box.sh("btrfs qgroup limit none /srv/pool/guest")
    box.docker(*SAFE, "--name=reader", "bb:1.36", "sleep", "1000")
