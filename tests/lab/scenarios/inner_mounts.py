"""File systems that a program mounts inside its container, over a folder of the host."""

from __future__ import annotations

from ..box import Box
from ..faults import fault, healthy
from .programs.helpers import MACHINE

PYTHON = "/usr/bin/python3"
SAFE = ("run", "-d", "--memory=64m", "--pids-limit=64")
MAY_MOUNT = (
    "--cap-add=SYS_ADMIN", "--device=/dev/fuse", "--security-opt=apparmor=unconfined",
    "--security-opt=seccomp=unconfined",
)  # fmt: skip
_REMOTE = r"""
import ctypes, os, struct, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"gdrive:", sys.argv[1].encode(), b"fuse.rclone", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
FOLDER = struct.pack("<6Q3I7I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
ANSWERS = {
    3: struct.pack("<QII", 1, 0, 0) + FOLDER,
    17: struct.pack("<5Q4I6I", 9, 9, 9, 9, 9, 4096, 255, 4096, 0, *[0] * 6),
    26: struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 12, 9, 4096, 1, 1, 0, *[0] * 8),
    27: struct.pack("<QII", 1, 0, 0),
    28: b"",
    29: b"",
}
while True:
    size, operation, unique = struct.unpack_from("<IIQ", os.read(fuse, 1 << 17))
    if operation not in (2, 42):
        body = ANSWERS.get(operation)
        error = 0 if body is not None else -2 if operation == 1 else -38
        os.write(fuse, struct.pack("<IiQ", 16 + len(body or b""), error, unique) + (body or b""))
"""
"""An empty file system of fuse, as rclone mounts one."""


def _mounter(box: Box, name: str, volume: str, place: str) -> None:
    """A container that mounts a remote file system at this place, and is known to have done so."""
    words = (*SAFE, f"--name={name}", *MAY_MOUNT, *MACHINE, "-v", volume)
    box.docker(*words, "bb:1.36", PYTHON, "-c", _REMOTE, place)
    table = f"docker exec {name} cat /proc/mounts | grep -c ' {place} fuse.rclone '"
    box.wait_for(lambda: box.sh(f"{table} || true") == "1\n", what=f"{name} to mount")


def _share(box: Box) -> None:
    """Share all mounts of the box, as systemd does at the start of a host."""
    box.sh(
        "mkdir -p /srv/cloud; mount --bind /srv/cloud /srv/cloud; mount --make-shared /srv/cloud"
    )


@fault("container.mount-unshared", subject="container:uploader", also=["container.errors-in-log"])
def cloud_that_only_one_container_sees(box: Box) -> None:
    """rclone mounts a cloud inside its container; the media server has the same, empty folder."""
    box.sh("mkdir -p /srv/cloud")
    _mounter(box, "uploader", "/srv/cloud:/mnt/remote", "/mnt/remote")
    box.docker(*SAFE, "--name=cinema", "-v", "/srv:/media:ro", "bb:1.36", "sleep", "1000")
    assert "fuse" not in box.docker("exec", "cinema", "cat", "/proc/mounts").stdout
    assert "fuse.rclone" not in box.sh("cat /proc/mounts")


@healthy()
def cloud_that_all_see(box: Box) -> None:
    """The same with a shared mount, a program that mounts for itself alone, and one in a volume."""
    _share(box)
    _mounter(box, "uploader", "/srv/cloud:/mnt/remote:rshared", "/mnt/remote")
    box.docker(*SAFE, "--name=cinema", "-v", "/srv/cloud:/media:rslave", "bb:1.36", "sleep", "1000")
    assert "fuse.rclone" in box.docker("exec", "cinema", "cat", "/proc/mounts").stdout
    _mounter(box, "recluse", "/srv/cloud:/other:ro", "/data")
    _mounter(box, "keeper", "kept:/mnt/remote", "/mnt/remote")
