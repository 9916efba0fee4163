"""Kernels, packages and disks of the host on which containers do not start."""

from __future__ import annotations

from pathlib import Path

from tests.lab import Box, Engines, fault, registry
from tests.lab.box import LOG
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.image.helpers import STORE

# -- an engine on a kernel, or in a package, that keeps something from it --------------------------

_RAWLESS = """#!/bin/sh
case " $* " in *" raw "*)
    echo "iptables v1.8.10 (legacy): can't initialize iptables table \\`raw': Table does not exist \
(do you need to insmod?) Perhaps iptables or your kernel needs to be upgraded." >&2
    exit 3 ;;
esac
exec /usr/sbin/iptables-nft "$@"
"""


@fault(
    "container.start-refused",
    subject="container:till9",
    engine_started=False,
    engines=Engines(since=28),
)
def kernel_without_the_table_raw(box: Box) -> None:
    """The engine was upgraded to 28, and the kernel has no table `raw`; its words are those of such
    a host, for this kernel has it."""
    box.sh("rm -f /usr/sbin/iptables /sbin/iptables")
    box.write("/usr/sbin/iptables", _RAWLESS, 0o755)
    box.start_engine(config=BASE_CONFIG)
    options = (*SAFE, "--publish=8090:8080")
    refused = box.docker("run", "-d", "--name=till9", *options, "shop:1.4", check=False)
    assert "table `raw'" in refused.stderr
    assert first_command(box, "container.start-refused", "till9").startswith("modprobe iptable_raw")


_SNAP = """
mount --bind /var/snap/docker /var/snap/docker
mount --bind /var/lib/docker /var/snap/docker/common/var-lib-docker
mount --bind /home /home
mount --bind /etc/docker /etc/docker
mount -o remount,ro,bind /
exec dockerd --exec-root=/run/snap.docker --pidfile=/run/snap.docker/docker.pid \
    --data-root=/var/snap/docker/common/var-lib-docker
"""


@fault("container.start-refused", subject="container:app9", engine_started=False)
def engine_of_a_snap(box: Box) -> None:
    """Docker's snap sees the root read-only: a folder below /srv cannot be mounted."""
    root = "/var/snap/docker/common/var-lib-docker"
    box.sh(f"mkdir -p {root} /etc/docker /run/snap.docker /home/web /srv/app9/data")
    box.sh(f"mount --bind /var/lib/docker {root}")
    box.write("/etc/docker/daemon.json", BASE_CONFIG)
    box.spawn(["unshare", "-m", "sh", "-ec", _SNAP], log=LOG)
    box.wait_for(box.ping, what="the engine")
    box.docker(
        "run", "-d", "--name=home9", *SAFE, "-v", "/home/web:/www", "bb:1.36", "sleep", "1000"
    )
    volume = "--volume=/srv/app9/new:/data"
    refused = box.docker("run", "-d", "--name=app9", *SAFE, volume, "bb:1.36", "true", check=False)
    assert "read-only file system" in refused.stderr
    findings = box.diagnose("check", "container.start-refused", "--format", "json").findings
    assert "installed as a snap" in findings[0]["summary"]


# -- images ----------------------------------------

_LIBC = "lib/x86_64-linux-gnu/libc.so.6"
_LOADER = "lib64/ld-linux-x86-64.so.2"


@fault("container.restart-loop", subject="container:api9", shareable=True)
def program_of_a_newer_distribution(box: Box) -> None:
    """A program was built on a newer distribution than its image: the real loader refuses it."""
    program = Path("/usr/bin/sleep").read_bytes()
    assert b"GLIBC_2.34\0" in program, "another release of the C library"
    newer = program.replace(b"GLIBC_2.34\0", b"GLIBC_2.99\0")
    files = {path: (Path("/", path).read_bytes(), 0o755) for path in (_LIBC, _LOADER)}
    load(box, "team/api9:2", Recipe({"app/server": (newer, 0o755), **files}))
    box.docker("run", "-d", "--name=api9", *SAFE, "team/api9:2", "/app/server", "1000")
    box.wait_for(lambda: box.inspect("api9")["RestartCount"] >= 3, what="the loop")
    said = box.diagnose("check", "container.restart-loop", "--container", "api9").joined
    command = f"docker cp --follow-link api9:/{_LIBC} - | tar -xO | grep"
    assert command in said, said


@fault(
    "storage.disk-full",
    subject="filesystem:/var/lib/containerd",
    engine_started=False,
    engines=Engines(since=26),
)
def images_on_another_disk_than_the_data_root(box: Box) -> None:
    """With containerd's store images lie in containerd's own folder, whose disk is full; the data
    root has room. The command frees it."""
    folder = "/var/lib/containerd"
    box.sh(f"mkdir -p {folder}; truncate -s 300M /run/disk.img; mkfs.ext4 -q -m 0 /run/disk.img")
    box.sh(f"mount -o loop /run/disk.img {folder}")
    box.spawn(["containerd"], log="/var/log/containerd.log")
    sock = "/run/containerd/containerd.sock"
    box.wait_for(box.path(sock).exists, what="containerd's socket")
    at = registry.start(box)
    config = {**BASE_CONFIG, **STORE, "insecure-registries": [at]}
    box.start_engine(f"--containerd={sock}", config=config)
    box.docker("pull", "-q", f"{at}/big/app:1", timeout=60)
    box.fill(f"{folder}/spare", 0.97)
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "holds the images" in findings[0]["summary"], findings
    commands = [fix["command"] for fix in findings[0]["fix"]]
    assert "docker image prune --all --force" in commands, findings
