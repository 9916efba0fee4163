"""The entry of the image.

Leaves the container for the host's namespaces, and runs the tool there as if it were installed.

    docker run --rm --privileged --pid=host --net=host diagnose all

The folder is held open by a descriptor, through which it can still be reached when the root is the
host's. So nothing is written to the host, nothing can be left there, no prefix comes before any
path, and the tool's namespaces are the host's. Nothing of the host is needed, not even a shell.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import NoReturn

from diagnose.reach import IN_CONTAINER

NAMESPACES = ("cgroup", "ipc", "uts", "net", "mnt")
"""All but the process namespace, which only a child would enter: `--pid=host` gives it. mnt is the
last: /proc is the host's afterwards."""
UNKNOWN = 3
START = "docker run --rm --privileged --pid=host --net=host diagnose"
"""How a reader starts the image, by the name that README gives it."""
KEPT = ("TERM", "COLUMNS", "LANG", "NO_COLOR", "FORCE_COLOR")


def main() -> NoReturn:
    """Enter the host, and become the tool."""
    try:
        folder = os.open(sys.prefix, os.O_PATH | os.O_DIRECTORY)
        os.set_inheritable(folder, True)
        handles = [
            os.open(f"/proc/1/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            for name in NAMESPACES
            if _differs(name)
        ]
        if not _differs("mnt"):
            _fail("the first process here is the container's: --pid=host is missing")
        for handle in handles:
            _setns(handle)
    except OSError as error:
        _fail(f"cannot enter the host: {error.strerror}; start it with --privileged --pid=host")
    os.chdir("/")
    # By our own number, since the helper processes close what they have inherited.
    folder_path = f"/proc/{os.getpid()}/fd/{folder}"
    # The search for its modules would resolve the link to where the folder was in the container.
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "PYTHONHOME": folder_path,
        "PYTHONSAFEPATH": "1",
        IN_CONTAINER: START,
    }
    environment |= {name: os.environ[name] for name in KEPT if name in os.environ}
    start = [
        f"{folder_path}/lib/ld.so",
        "--inhibit-cache",
        "--library-path",
        f"{folder_path}/lib",
        f"{folder_path}/bin/python3",
    ]
    os.execve(start[0], [*start, "-s", "-m", "diagnose", *sys.argv[1:]], environment)  # noqa: S606 - the folder's own loader


def _differs(name: str) -> bool:
    """Whether the host's first process is in another namespace of this kind than we are."""
    of_host = Path(f"/proc/1/ns/{name}")
    ours = Path(f"/proc/self/ns/{name}")
    return of_host.exists() and of_host.readlink() != ours.readlink()


def _setns(handle: int) -> None:
    """setns(2), which Python has from 3.12 on. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _fail(why: str) -> NoReturn:
    sys.stderr.write(f"Error: {why}\n")
    sys.exit(UNKNOWN)


if __name__ == "__main__":
    main()
