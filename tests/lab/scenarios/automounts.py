"""Folders that the host mounts on demand, below bind mounts of containers."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command

SAFE = ("run", "-d", "--memory=64m", "--pids-limit=64", "--name=report")
SHARE, SERVED = "/srv/share", "/srv/share/orders"
_AUTOMOUNTER = r"""
import ctypes, fcntl, os, struct, sys
root, name = os.path.split(sys.argv[1])
read, write = os.pipe()
libc = ctypes.CDLL(None, use_errno=True)
def mount(source, place, kind, options):
    if libc.mount(source, place.encode(), kind, 0, options):
        sys.exit(os.strerror(ctypes.get_errno()))
os.makedirs(root, exist_ok=True)
mount(b"automount", root, b"autofs", f"fd={write},pgrp={os.getpgrp()},minproto=5,maxproto=5,indirect".encode())
watched = os.open(root, os.O_RDONLY)
HEAD = struct.Struct("=iiIIQIIIII")
READY, FAIL = 0x9360, 0x9361
while True:
    packet = os.read(read, 304)
    *_, length = HEAD.unpack_from(packet)
    token, asked = HEAD.unpack_from(packet)[2], packet[HEAD.size:][:length].decode()
    if asked == name and not os.path.ismount(sys.argv[1]):
        os.makedirs(sys.argv[1], exist_ok=True)
        mount(b"nas:/orders", sys.argv[1], b"tmpfs", b"size=1m")
        open(sys.argv[1] + "/today", "w").write("17\n")
    fcntl.ioctl(watched, READY if asked == name else FAIL, token)
"""
"""autofs with one key (kernel: Documentation/filesystems/autofs.rst, protocol 5)."""
_READS = "while :; do cat /data/orders/today || sleep 1; sleep 1; done"


def _with_autofs(box: Box, propagation: str = "") -> None:
    """A container that reads a file below a folder which is mounted on demand."""
    box.sh("mount --make-rshared /")
    box.spawn(["python3", "-c", _AUTOMOUNTER, SERVED])
    box.wait_for(lambda: f" {SHARE} autofs " in box.sh("cat /proc/mounts"), what="the automounter")
    box.docker(*SAFE, f"-v={SHARE}:/data{propagation}", "bb:1.36", "sh", "-c", _READS)


@fault("container.automount-unseen", subject="container:report", also=["container.errors-in-log"])
def automounted_below_a_private_mount(box: Box) -> None:
    """A share is mounted when somebody opens it, and the container's mount does not follow."""
    _with_autofs(box)
    box.wait_for(
        lambda: box.docker("logs", "report").stderr.count("Too many levels") > 2,
        what="the refusals",
    )
    assert box.sh(f"cat {SERVED}/today") == "17\n"
    command = first_command(box, "container.automount-unseen", "report")
    assert f"--volume={SHARE}:/data:rslave" in command, command


@healthy()
def automounted_below_a_mount_that_follows(box: Box) -> None:
    """The same with rslave: what the host mounts comes into the container."""
    _with_autofs(box, ":rslave")
    box.wait_for(lambda: "17" in box.docker("logs", "report").stdout, what="the file")
