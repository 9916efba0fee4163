"""Records of the engine and of containerd that are damaged or locked."""

from __future__ import annotations

import sys
import time

from tests.lab import Box, Engines, fault, healthy
from tests.lab.box import LOG
from tests.lab.scenarios.engine_wounds.helpers import DAEMON, DEAD, ROOT, start_and_fail

# -- its own records ----------------------------------------

BOOK = f"{ROOT}/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db"
LOCK = "import fcntl, sys, time; file = open(sys.argv[1], 'r+b'); fcntl.flock(file, fcntl.LOCK_EX); time.sleep(1000)"


def _zero(path: str) -> str:
    """A shell line that overwrites the pages behind a database's first two, as a disk that lost
    writes leaves it."""
    return f"dd if=/dev/zero of={path} bs=4096 seek=2 count=6 conv=notrunc 2>/dev/null"


def _damaged(box: Box, path: str) -> None:
    """The damage is the root, and names the file."""
    report = box.diagnose("all", "--format", "json").report
    (finding,) = [
        finding for finding in report["findings"] if finding["id"] == "daemon.database-damaged"
    ]
    assert path in finding["summary"], finding
    assert finding["fix"][0]["command"].startswith(f"mv {path} "), finding["fix"]
    assert [
        found["id"]
        for found in report["findings"]
        if found["root"] and found["severity"] == "critical"
    ] == ["daemon.database-damaged"]


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_volumes_damaged(box: Box) -> None:
    """A power cut left the record of volumes with a torn page: dockerd panics."""
    box.stop_engine()
    box.sh(_zero(f"{ROOT}/volumes/metadata.db"))
    start_and_fail(box, "panic: invalid freelist page")
    _damaged(box, f"{ROOT}/volumes/metadata.db")


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_the_build_cache_cut(box: Box) -> None:
    """A full disk cut the record of the build cache: dockerd refuses it."""
    box.stop_engine()
    box.sh(f"truncate -s 100 {ROOT}/buildkit/metadata_v2.db")
    start_and_fail(box, "invalid database")
    _damaged(box, f"{ROOT}/buildkit/metadata_v2.db")


@fault(
    "daemon.database-damaged",
    subject=DAEMON,
    expect=[("daemon.containerd-down", DAEMON), ("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_containerd_damaged(box: Box) -> None:
    """containerd panics on its own record; all that dockerd says is that it waited in vain."""
    box.stop_engine()
    box.sh(_zero(BOOK))
    start_and_fail(box, "timeout waiting for containerd to start")
    _damaged(box, BOOK)


@fault("daemon.database-damaged", subject=DAEMON, engines=Engines(since=28), also=DEAD, exit_code=2)
def record_of_containerd_cut(box: Box) -> None:
    """containerd works without its record, which was cut: the engine answers, and can start
    nothing."""
    box.stop_engine()
    box.sh(f"truncate -s 100 {BOOK}")
    box.start_engine()
    assert "unknown service" in box.docker("start", "web", check=False).stderr


@healthy(engines=Engines(since=28))
def build_cache_that_was_reset(box: Box) -> None:
    """The record of the build cache was damaged, and the engine has set it up again by itself."""
    box.stop_engine()
    box.sh(_zero(f"{ROOT}/buildkit/cache.db"))
    box.start_engine()
    assert "resetting to empty" in box.read(LOG)
    box.docker("start", "web")
    box.wait_health("web", "healthy")


@fault(
    "daemon.database-locked",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
    first_command=("heals", "the lab did its two steps in turn"),
)
def record_of_volumes_locked(box: Box) -> None:
    """A program has the record of volumes open: dockerd waits a second and gives up."""
    box.stop_engine()
    holder = box.spawn([sys.executable, "-Ic", LOCK, f"{ROOT}/volumes/metadata.db"])
    start_and_fail(box, ": timeout")
    (finding,) = box.diagnose("check", "daemon.database-locked", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith(f"kill {holder};")


@fault("daemon.database-locked", subject=DAEMON, also=DEAD, exit_code=2)
def record_of_networks_locked(box: Box) -> None:
    """A program has the record of networks open: dockerd hangs in its start without a word."""
    box.stop_engine()
    box.spawn([sys.executable, "-Ic", LOCK, f"{ROOT}/network/files/local-kv.db"])
    box.start_engine(wait=False)
    box.wait_for(
        lambda: "/docker/containerd/containerd.sock" in box.sh("cat /proc/net/unix"),
        what="containerd to listen",
    )
    time.sleep(2)
    assert not box.ping()


@healthy()
def second_lock_elsewhere(box: Box) -> None:
    """Programs hold locks on files of their own, and the engine on its own: nothing is wrong."""
    box.write("/root/own.db", "x")
    box.spawn([sys.executable, "-Ic", LOCK, "/root/own.db"])
