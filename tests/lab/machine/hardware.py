"""Disks, memory and tables of the emulated machine that fail or are full."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.lab.machine.scenarios import SOUND, scenario, tools
from tests.lab.machine.units import SCENARIOS

__all__ = ["SCENARIOS"]
"""All of the machine's; those of this module are last, since the kernel's log keeps for an hour
what they leave."""


@scenario("the kernel's modules were replaced by an update", ("kernel.modules-gone", "host:host"))
def _modules() -> Callable[[], None]:
    sh, _, _, _ = tools()
    sh("mv /lib/modules/$(uname -r) /lib/modules/9.9.9-lab")

    def mend() -> None:
        sh("mv /lib/modules/9.9.9-lab /lib/modules/$(uname -r)")

    return mend


@scenario(
    "a disk that does not answer holds a process",
    ("kernel.hung-task", "container:writer"),
    also=("resources.*", "storage.*"),
)
def _hung() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    sh(
        "truncate -s 64M /root/slow.img; mkfs.ext4 -q /root/slow.img; mkdir -p /srv/slow; mount -o loop /root/slow.img /srv/slow"
    )
    sh("chmod 777 /srv/slow; sysctl -qw kernel.hung_task_timeout_secs=5")
    docker("run", "-d", "--name", "writer", *SOUND, "-v", "/srv/slow:/data", "bb:1", "sh", "-c",
           "sleep 5; while :; do date >> /data/log; sleep 1; done")  # fmt: skip
    wait_for(Path("/srv/slow/log").exists)
    sh("fsfreeze -f /srv/slow")
    wait_for(lambda: "blocked for more than" in sh("dmesg"), 90, "the kernel to notice")

    def mend() -> None:
        sh(
            "fsfreeze -u /srv/slow; sysctl -qw kernel.hung_task_timeout_secs=120; docker rm -f writer; umount /srv/slow"
        )

    return mend


@scenario(
    "a volume's disk has errors",
    ("kernel.filesystem-errors", "filesystem:/srv/bad"),
    also=("kernel.hung-task", "storage.*"),
)
def _disk_errors() -> Callable[[], None]:
    sh, docker, _, _ = tools()
    sh(
        "truncate -s 64M /root/bad.img; mkfs.ext4 -q /root/bad.img; mkdir -p /srv/bad; mount -o loop /root/bad.img /srv/bad"
    )
    docker("run", "-d", "--name", "store", *SOUND, "-v", "/srv/bad:/data", "bb:1", "sleep", "10000")
    sh(
        "echo bad superblock > /sys/fs/ext4/$(basename $(findmnt -no SOURCE /srv/bad))/trigger_fs_error"
    )

    def mend() -> None:
        sh("docker rm -f store; umount /srv/bad")

    return mend


@scenario(
    "the host ran out of memory",
    ("resources.host-oom", "host:host"),
    also=("kernel.hung-task", "resources.*"),
)
def _host_oom() -> None:
    sh, docker, _, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    sh("systemd-run --wait --quiet -p OOMScoreAdjust=1000 tail /dev/zero", check=False, timeout=300)
    assert "CONSTRAINT_NONE" in sh("dmesg")


@scenario(
    "more neighbours than the kernel's table may hold",
    ("network.neighbour-table-full", "host:host"),
    also=("dns.*", "container.*", "network.*", "kernel.*", "resources.*", "storage.*"),
)
def _neighbours() -> Callable[[], None]:
    sh, docker, wait_for, _ = tools()
    docker("run", "-d", "--name", "web", *SOUND, "bb:1", "sleep", "10000")
    limits = sh(
        "sysctl -n net.ipv4.neigh.default.gc_thresh1 net.ipv4.neigh.default.gc_thresh2 net.ipv4.neigh.default.gc_thresh3"
    )
    sh(
        "sysctl -qw net.ipv4.neigh.default.gc_thresh1=4 net.ipv4.neigh.default.gc_thresh2=8 net.ipv4.neigh.default.gc_thresh3=16"
    )
    ask = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(20, 220):\n"
    ask += "    try: s.sendto(b'', ('172.17.200.%d' % n, 9))\n    except OSError: pass\n"

    def overflows() -> bool:
        subprocess.run(["python3", "-c", ask], timeout=60, check=False)
        return "table overflow" in sh("dmesg")

    wait_for(overflows, 60, "the kernel to notice")

    def mend() -> None:
        names = ("gc_thresh1", "gc_thresh2", "gc_thresh3")
        for name, value in zip(names, limits.split(), strict=True):
            sh(f"sysctl -qw net.ipv4.neigh.default.{name}={value}")
        sh("docker rm -f web; ip neigh flush all")

    return mend
