"""Programs on network shares, and what no kernel tells them."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, logs, run
from tests.lab.scenarios.storage.helpers import PROJECT

_WATCHER = """
import ctypes, os, sys, time
if "PAPERLESS_CONSUMER_POLLING" in os.environ:
    print("Polling directory for changes:", sys.argv[1], flush=True)
    time.sleep(900)
libc = ctypes.CDLL(None)
descriptor = libc.inotify_init1(0)
assert libc.inotify_add_watch(descriptor, sys.argv[1].encode(), 0x88) > 0
print("Using inotify to watch directory for changes:", sys.argv[1], flush=True)
while True:
    os.read(descriptor, 4096)
"""


def _watcher(box: Box, name: str, watched: str, *, image: str = "shop:1.4") -> None:
    """A program that has a share at /consume and a folder of the host at /local."""
    share = f"/mnt/{name}"
    box.sh(f"mkdir -p {share} /srv/{name} && chmod 777 /srv/{name}")
    server = [sys.executable, "-m", "tests.fuse_dead", share, "fuse.sshfs"]
    box.spawn(["env", f"PYTHONPATH={PROJECT}", *server])
    box.wait_for(lambda: f"{share} fuse.sshfs" in box.sh("cat /proc/mounts"), what="the share")
    box.write(f"/srv/{name}.py", _WATCHER)
    mounts = [
        "-v",
        f"{share}:/consume",
        "-v",
        f"/srv/{name}:/local",
        "-v",
        f"/srv/{name}.py:/w.py:ro",
    ]
    run(box, name, *GOOD, *MACHINE, *mounts, image, "python3", "/w.py", watched)
    box.wait_for(lambda: "Using inotify" in logs(box, name), what="it to watch")


@fault("container.changes-unseen", subject="container:scans8", exit_code=0)
def folder_of_a_share_that_is_watched(box: Box) -> None:
    """A program has inotify watch a share, whose server others write to."""
    _watcher(box, "scans8", "/consume")


@fault("container.changes-unseen", subject="container:papers8", exit_code=0)
def share_that_paperless_watches(box: Box) -> None:
    """The same with a program that looks by itself where a variable says so."""
    load(box, "paperless-ngx:2.14", Recipe())
    _watcher(box, "papers8", "/consume", image="paperless-ngx:2.14")


@healthy()
def folder_of_the_host_that_is_watched(box: Box) -> None:
    """A program has a share, and inotify watch a folder of the host."""
    _watcher(box, "scans9", "/local")
