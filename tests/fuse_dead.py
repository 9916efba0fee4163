"""A file system server that stops to answer: what a dead network mount is to the kernel's callers.

As a program, `python -m tests.fuse_dead FOLDER [TYPE]`: it mounts FOLDER, is an empty folder until
SIGUSR1, and then reads each request and never answers one, so that whoever asks cannot be killed.
It ends with its process. TYPE is what the mount table shows, such as `fuse.sshfs`.
"""

import ctypes
import errno
import os
import signal
import struct
import sys
import threading
from pathlib import Path

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
GETATTR, STATFS, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, FORGET = 3, 17, 26, 27, 28, 29, 34, 2
MINOR = 31


def private_mounts() -> None:
    """Give this process a mount namespace of its own. OSError if that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "no mount namespace")


def mount_dead(
    point: Path, alive: threading.Event | None = None, kind: str = "fuse.dead"
) -> threading.Thread:
    """Mount it here; it answers as long as `alive` is set. OSError if that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"server:/export", os.fsencode(point), kind.encode(), 0, options):
        raise OSError(ctypes.get_errno(), "no FUSE mount")
    server = threading.Thread(target=_serve, args=(device, alive or threading.Event()), daemon=True)
    server.start()
    return server


def _serve(device: int, alive: threading.Event) -> None:
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError:
            return
        _, operation, unique = struct.unpack("IIQ", request[:16])
        if operation == INIT:
            _answer(
                device,
                unique,
                struct.pack("IIIIHHIIHHI", 7, MINOR, 65536, 0, 16, 12, 65536, 1, 32, 0, 0)
                + bytes(28),
            )
        elif alive.is_set() and operation != FORGET:
            said = ANSWERS.get(operation)
            _answer(device, unique, said or b"", 0 if said is not None else -errno.ENOSYS)


def _answer(device: int, unique: int, body: bytes, error: int = 0) -> None:
    os.write(device, struct.pack("IiQ", 16 + len(body), error, unique) + body)


FOLDER = struct.pack(
    "QIIQQQQQQIIIIIIIIII", 0, 0, 0, 1, 4096, 8, 0, 0, 0, 0, 0, 0, 0o040755, 2, 0, 0, 0, 4096, 0
)
ANSWERS = {
    GETATTR: FOLDER,
    STATFS: struct.pack("QQQQQIIII", 1000, 500, 500, 100, 50, 4096, 255, 4096, 0) + bytes(24),
    OPENDIR: struct.pack("QII", 1, 0, 0),
    READDIR: b"",
    RELEASEDIR: b"",
}


def main() -> None:
    alive = threading.Event()
    alive.set()
    signal.signal(signal.SIGUSR1, lambda *_: alive.clear())
    mount_dead(Path(sys.argv[1]), alive, *sys.argv[2:3])
    print("mounted", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
