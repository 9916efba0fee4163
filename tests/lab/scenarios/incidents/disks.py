"""Compound incidents that begin with a disk."""

from __future__ import annotations

import sys

from tests.lab import Box
from tests.lab.incident import incident
from tests.lab.scenarios.incidents.helpers import (
    DISK,
    EXITS,
    FORGETFUL,
    GRUMPY,
    LOOP,
    MISLED,
    ROOT,
    SICK,
    STORE,
    STRANGER,
    all_of,
    forgetful,
    grumpy,
    job,
    keep_for_root,
    misled,
    probed,
    service,
    store,
    stranger,
    wait_exits,
    wait_loops,
    wait_sick,
)
from tests.lab.scenarios.logging import grow_log
from tests.lab.scenarios.storage.full import fill_disk
from tests.lab.scenarios.storage.inodes import TAKE_INODES
from tests.lab.scenarios.storage.mounts import mount_share

# -- disks ----------------------------------------


@incident(
    "logging.unbounded",
    "container:audit",
    effects=[("storage.disk-full", DISK), *all_of(LOOP, "cart", "mail", "stock")],
    bystander=MISLED,
    box={"disk": "340M"},
    config={"log-opts": None},
)
def log_fills_the_disk(box: Box) -> None:
    """A log without a limit fills the disk, and three services loop for want of space."""
    keep_for_root(box)
    job(box, "audit", "exec sleep 1000")
    misled(box)
    said = box.run(["df", "--output=used,avail", "-B1", ROOT]).stdout.split()
    used, free = int(said[2]), int(said[3])
    grow_log(box, "audit", int((used + free) * 0.975) - used)
    for name in ("cart", "mail", "stock"):
        service(box, name, STORE, *store(box, name))
    wait_loops(box, "cart", "mail", "stock")
    assert "No space left" in box.docker("logs", "cart").stderr


@incident(
    "storage.disk-full",
    DISK,
    effects=[*all_of(LOOP, "cart"), *all_of(SICK, "search"), *all_of(EXITS, "import")],
    bystander=STRANGER,
    box={"disk": "300M"},
)
def volume_fills_the_disk(box: Box) -> None:
    """A database fills the disk: a service loops, another is unhealthy, a job fails."""
    keep_for_root(box)
    stranger(box)
    job(box, "db", "exec sleep 1000", "-v", "orders:/data")
    fill_disk(box, f"{ROOT}/volumes/orders/_data/orders.db", 98)
    job(box, "import", STORE, *store(box, "import"))
    wait_exits(box, "import")
    service(box, "cart", STORE, *store(box, "cart"))
    probed(box, "search", STORE, *store(box, "search"))
    wait_loops(box, "cart")
    wait_sick(box, "search")


@incident(
    "storage.inodes-exhausted",
    DISK,
    effects=all_of(SICK, "spool", "uploads"),
    bystander=GRUMPY,
    box={"disk": "300M", "inodes": 4000},
)
def no_inode_is_left(box: Box) -> None:
    """A cache of empty files takes the last inode; what makes files fails, although df shows
    room."""
    write = "touch /data/new-$RANDOM"
    grumpy(box)
    for name in ("spool", "uploads"):
        probed(box, name, write, "-v", "cache:/data")
    box.run([sys.executable, "-c", TAKE_INODES, f"{ROOT}/volumes/cache/_data"])
    wait_sick(box, "spool", "uploads")


@incident(
    "storage.deleted-files-held",
    "container:logger",
    effects=[("storage.disk-full", DISK), *all_of(LOOP, "cart", "mail")],
    bystander=FORGETFUL,
    box={"disk": "340M"},
)
def deleted_file_fills_the_disk(box: Box) -> None:
    """A rotated file that its writer holds open fills the disk, and du does not see it; services
    loop."""
    keep_for_root(box)
    forgetful(box)
    used, free = (
        int(word) for word in box.run(["df", "--output=used,avail", "-B1", ROOT]).stdout.split()[2:]
    )
    size = int((used + free) * 0.975) - used
    script = f"exec 3>/data/x; fallocate -l {size} /data/x && rm /data/x && exec sleep 1000"
    job(box, "logger", script, "-v", "scratch:/data")
    pid = box.inspect("logger")["State"]["Pid"]
    box.wait_for(
        lambda: "(deleted)" in box.sh(f"readlink /proc/{pid}/fd/3"), what="the file to be deleted"
    )
    for name in ("cart", "mail"):
        service(box, name, STORE, *store(box, name))
    wait_loops(box, "cart", "mail")


@incident(
    "kernel.filesystem-errors",
    DISK,
    effects=[("storage.read-only", DISK), *all_of(SICK, "search", "uploads")],
    bystander=GRUMPY,
)
def disk_goes_read_only(box: Box) -> None:
    """The kernel stops writing to the data root's file system, and health checks that write
    fail."""
    for name in ("search", "uploads"):
        probed(box, name, "touch /data/alive", "-v", f"{name}:/data")
        box.wait_health(name, "healthy")
    grumpy(box)
    device = box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()
    box.run(["mount", "-o", "remount,errors=remount-ro", ROOT])
    box.sh(f"echo lab >/sys/fs/ext4/{device.rpartition('/')[2]}/trigger_fs_error")
    wait_sick(box, "search", "uploads")


@incident(
    "storage.network-volume-stale",
    "filesystem:/srv/share",
    effects=[*all_of(SICK, "media")],
    bystander=MISLED,
)
def network_volume_hangs(box: Box) -> None:
    """A file server stops answering: the container that reads from it hangs, and its probe with
    it."""
    misled(box)
    server = mount_share(box)
    box.docker("rm", "-f", "media")
    probe = ("--health-timeout=2s", "-v", "/srv/share:/data")
    probed(box, "media", "ls /data", *probe)
    box.wait_health("media", "healthy")
    box.sh(f"kill -USR1 {server}")
    wait_sick(box, "media")


@incident(
    "storage.shm-full",
    "container:postgres",
    effects=[*all_of(SICK, "postgres")],
    bystander=STRANGER,
)
def shared_memory_is_full(box: Box) -> None:
    """A database has used up its shared memory: its queries fail, and its health check."""
    stranger(box)
    fill = "dd if=/dev/zero of=/dev/shm/segment bs=1M count=100; exec sleep 1000"
    probed(
        box,
        "postgres",
        "dd if=/dev/zero of=/dev/shm/query bs=1M count=1",
        "--memory=256m",
        script=fill,
    )
    wait_sick(box, "postgres")
