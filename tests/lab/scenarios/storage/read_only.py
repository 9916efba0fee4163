"""Disks to which the kernel no longer writes."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lab import Box, fault
from tests.lab.scenarios.storage.helpers import ROOT, SAFE, small_disk

_MOUNT = """
import ctypes, sys
source, point = (argument.encode() for argument in sys.argv[1:])
sys.exit(ctypes.CDLL(None).mount(source, point, b"ext4", 0, b"errors=remount-ro"))
"""
"""mount(8) would look up the device's usual name."""


@fault("storage.read-only", subject="filesystem:/var/lib/docker", also=["container.*", "kernel.*"])
def read_only(box: Box) -> None:
    """The kernel met an error in the data root's file system and stopped writing to it."""
    device = box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()
    box.run(["mount", "-o", "remount,errors=remount-ro", ROOT])
    box.sh(f"echo lab >/sys/fs/ext4/{Path(device).name}/trigger_fs_error")
    assert box.run(["touch", f"{ROOT}/probe"], check=False).returncode != 0


@fault("storage.read-only", subject="filesystem:/var/lib/docker/image", exit_code=2)
def records_of_images_bound_read_only(box: Box) -> None:
    """A folder of the data root was bound on itself, and is read-only: no image can be tagged."""
    folder = f"{ROOT}/image"
    box.sh(f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}")
    refused = box.docker("tag", "shop:1.4", "shop:1.5", check=False)
    assert "read-only file system" in refused.stderr
    run = box.diagnose("check", "storage.read-only", "--format", "json")
    command = run.findings[0]["fix"][0]["command"]
    assert command.startswith(f"mount -o remount,rw {folder} && "), command


@fault(
    "storage.read-only",
    subject="filesystem:/srv/accounts",
    expect=[("kernel.filesystem-errors", "filesystem:/srv/accounts")],
    shareable=True,
)
def disk_of_one_mount_read_only(box: Box) -> None:
    """The kernel met an error in a disk beside the data root, which was mounted by a name that the
    kernel does not use."""
    small_disk(box, "accounts")
    box.sh("umount /srv/accounts")
    # another box may take the number that was just given back
    number = box.sh("losetup --find --show /root/accounts").strip().removeprefix("/dev/loop")
    box.sh(f"mkdir -p /srv/mapper; mknod /srv/mapper/vg-accounts b 7 {number}")
    box.run([sys.executable, "-c", _MOUNT, "/srv/mapper/vg-accounts", "/srv/accounts"])
    box.sh(f"losetup -d /dev/loop{number}")  # in use, it goes with its last mount
    box.docker(*SAFE, "--name=accounts", "-v", "/srv/accounts:/data", "bb:1.36", "sleep", "1000")
    box.sh(f"echo lab >/sys/fs/ext4/loop{number}/trigger_fs_error")
    said = box.docker("exec", "accounts", "touch", "/data/more", check=False)
    assert "Read-only file system" in said.stderr
