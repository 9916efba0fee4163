"""Disks that are full, layers and volumes that nobody uses, mounts that are dead."""

from __future__ import annotations

import lzma
import sys
from pathlib import Path

from tests.lab import Box, Engines, fault, healthy

ROOT = "/var/lib/docker"
SAFE = ("run", "-d", "--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
PROJECT = Path(__file__).parent.parent.parent.parent
_TAKE_INODES = """
import itertools, os, sys
try:
    for number in itertools.count():
        os.mknod(f"{sys.argv[1]}/f{number}")
except OSError:
    pass
"""
_MOUNT = """
import ctypes, sys
source, point = (argument.encode() for argument in sys.argv[1:])
sys.exit(ctypes.CDLL(None).mount(source, point, b"ext4", 0, b"errors=remount-ro"))
"""
"""mount(8) would look up the device's usual name."""
_STORE = {"features": {"containerd-snapshotter": True}}


def _small_disk(box: Box, name: str) -> None:
    """A disk of 40 MB at /srv/NAME."""
    box.sh(
        f"truncate -s 40M /root/{name}; mkfs.ext4 -q /root/{name}; mkdir -p /srv/{name}; mount -o loop /root/{name} /srv/{name}"
    )


def _fill(box: Box, path: str, pct: float) -> None:
    """Take space until df says so many percent."""
    size, used, free = (
        int(word)
        for word in box.run(["df", "--output=size,used,avail", "-B1", ROOT]).stdout.split()[3:]
    )
    box.run(["fallocate", "-l", str(int((used + free) * pct / 100) - used), path])
    said = int(box.run(["df", "--output=pcent", ROOT]).stdout.split()[1].rstrip("%"))
    assert abs(said - pct) <= 1, f"{said} % of {size}"


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"}, exit_code=2)
def disk_full(box: Box) -> None:
    """A volume has filled the data root's file system."""
    box.docker(*SAFE, "--name=store", "-v", "orders:/data", "bb:1.36", "sleep", "1000")
    _fill(box, f"{ROOT}/volumes/orders/_data/orders.db", 99)
    said = box.docker(
        "exec", "store", "dd", "if=/dev/zero", "of=/data/more", "bs=1M", "count=50", check=False
    )
    assert "No space left" in said.stderr


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"}, exit_code=1)
def disk_nearly_full(box: Box) -> None:
    """The data root's file system is at 88 percent: a warning."""
    box.docker(*SAFE, "--name=store", "-v", "orders:/data", "bb:1.36", "sleep", "1000")
    _fill(box, f"{ROOT}/volumes/orders/_data/orders.db", 88)


@fault("storage.disk-full", subject="filesystem:/srv/ledger")
def disk_of_one_mount_full(box: Box) -> None:
    """A container has filled the small disk that one of its mounts lies on; the data root has
    room."""
    _small_disk(box, "ledger")
    fill = "dd if=/dev/zero of=/data/x bs=1M count=100; exec sleep 1000"
    box.docker(*SAFE, "--name=ledger", "-v", "/srv/ledger:/data", "bb:1.36", "sh", "-c", fill)
    box.wait_for(
        lambda: "No space left" in box.docker("logs", "ledger").stderr, 20, "the disk to fill"
    )


@fault("storage.disk-full", subject="filesystem:/srv/parts", shareable=True)
def disk_behind_a_link_full(box: Box) -> None:
    """A container has filled a disk that it was given by the name of a symbolic link."""
    _small_disk(box, "parts")
    box.sh("ln -s srv/parts /parts")
    fill = "dd if=/dev/zero of=/data/x bs=1M count=100; exec sleep 1000"
    box.docker(*SAFE, "--name=parts", "-v", "/parts:/data", "bb:1.36", "sh", "-c", fill)
    box.wait_for(
        lambda: "No space left" in box.docker("logs", "parts").stderr, 20, "the disk to fill"
    )


@fault("storage.disk-full", subject="filesystem:/run", also=["container.*"])
def no_room_for_the_state_of_a_container(box: Box) -> None:
    """Somebody has filled /run, a file system in memory: no container starts any more, and every
    disk has room."""
    box.sh("mount -o remount,size=20M /run; head -c 30M /dev/zero >/run/dump || true")
    said = box.docker(*SAFE, "--name=late", "bb:1.36", "sleep", "1000", check=False)
    assert "no space left on device" in said.stderr


def _xfs(box: Box, device: str, disk: str) -> None:
    """Films on an xfs of this device, until it is full. disk: what holds the device, or is it."""
    box.sh(f"mkfs.xfs -q {device}; mkdir -p /srv/films; mount {device} /srv/films")
    # the device of a mounted disk goes with its last mount
    box.sh(f"losetup --detach {disk}")
    box.fill("/srv/films/film", 0.99)


def _grown(box: Box) -> None:
    """A container that writes to the full disk; the command that the report offers makes room."""
    box.docker(*SAFE, "--name=films", "-v", "/srv/films:/films", "bb:1.36", "sleep", "1000")
    run = box.diagnose("check", "storage.disk-full", "--format", "json")
    (finding,) = [item for item in run.findings if item["subject"]["name"] == "/srv/films"]
    assert "that its file system does not use yet" in finding["summary"], finding
    before = box.usage("/srv/films").f_blocks
    box.sh(finding["fix"][0]["command"])
    after = box.usage("/srv/films").f_blocks
    assert after > 1.5 * before, (before, after)


@fault("storage.disk-full", subject="filesystem:/srv/films", exit_code=2)
def disk_larger_than_its_file_system(box: Box) -> None:
    """A virtual disk was enlarged, and its file system was not: it is full beside all that room."""
    box.sh("truncate -s 320M /root/films")
    device = box.sh("losetup --find --show /root/films").strip()
    _xfs(box, device, device)
    box.sh(f"truncate -s 800M /root/films; losetup --set-capacity {device}")
    _grown(box)
    box.sh(f"truncate -s 1600M /root/films; losetup --set-capacity {device}")
    box.fill("/srv/films/more", 0.99)


@fault("storage.disk-full", subject="filesystem:/srv/films", exit_code=2)
def disk_larger_than_its_partition(box: Box) -> None:
    """The same where the file system lies in the last partition of the disk."""
    box.sh("truncate -s 400M /root/films; printf 'size=20M\nsize=330M\n' | sfdisk -q /root/films")
    device = box.sh("losetup --find --show --partscan /root/films").strip()
    box.sh(f"partx --update {device}")
    _xfs(box, f"{device}p2", device)
    box.sh(f"truncate -s 900M /root/films; losetup --set-capacity {device}")
    _grown(box)
    box.sh(f"truncate -s 1800M /root/films; losetup --set-capacity {device}")
    box.fill("/srv/films/more", 0.99)


@fault("storage.disk-full", subject="filesystem:/srv/log", also=["storage.disk-full"])
def full_disks_without_more_room(box: Box) -> None:
    """xfs keeps 64 MiB for its log, ext4 a part for its inodes: that is no room for growth, and a
    partition that another one follows has none either."""
    made = "truncate -s 320M /root/log; mkfs.xfs -q /root/log; mkdir -p /srv/log"
    box.sh(f"{made}; mount -o loop /root/log /srv/log")
    box.sh("truncate -s 900M /root/two; printf 'size=330M\nsize=500M\n' | sfdisk -q /root/two")
    device = box.sh("losetup --find --show --partscan /root/two").strip()
    box.sh(f"partx --update {device}; mkfs.ext4 -q -T news {device}p1; mkdir -p /srv/two")
    box.sh(f"mount {device}p1 /srv/two; losetup --detach {device}")
    for name in ("log", "two"):
        box.fill(f"/srv/{name}/filler", 0.99)
        box.docker(*SAFE, f"--name={name}", "-v", f"/srv/{name}:/data", "bb:1.36", "sleep", "1000")
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert len(findings) == 2, findings
    assert not any("not use yet" in finding["summary"] for finding in findings), findings


@healthy(shareable=True)
def full_disk_that_is_only_read(box: Box) -> None:
    """A disk of films is as full as it is meant to be; a container may read it and no more."""
    _small_disk(box, "films")
    box.sh("head -c 31M /dev/zero >/srv/films/film")
    assert box.run(["df", "--output=pcent", "/srv/films"]).stdout.split()[1] in (
        "97%",
        "98%",
        "99%",
        "100%",
    )
    box.docker(*SAFE, "--name=films", "-v", "/srv/films:/films:ro", "bb:1.36", "sleep", "1000")


@healthy(box={"disk": "300M"})
def disk_three_quarters_full(box: Box) -> None:
    """The data root's file system is at 78 percent: measured, and no finding."""
    box.docker(*SAFE, "--name=store", "-v", "orders:/data", "bb:1.36", "sleep", "1000")
    _fill(box, f"{ROOT}/volumes/orders/_data/orders.db", 78)


@fault(
    "storage.inodes-exhausted",
    subject="filesystem:/var/lib/docker",
    box={"disk": "300M", "inodes": 4000},
)
def inodes_exhausted(box: Box) -> None:
    """Thousands of empty files in a volume have taken the last inode."""
    box.docker(*SAFE, "--name=cache", "-v", "cache:/data", "bb:1.36", "sleep", "1000")
    box.run([sys.executable, "-c", _TAKE_INODES, f"{ROOT}/volumes/cache/_data"])
    said = box.docker("exec", "cache", "touch", "/data/more", check=False)
    assert "No space left" in said.stderr


PIPES = "/run/docker/containerd"


def _leave_pipes(box: Box) -> None:
    """Make the pipes that engine 17.05 left of each container which had ended."""
    for number in range(4):
        folder = f"{PIPES}/{number}{'e' * 63}"
        box.sh(f"mkdir -p {folder}; cd {folder}; for n in $(seq 90); do mkfifo $n-in $n-out; done")


@fault(
    "storage.inodes-exhausted",
    subject="filesystem:/run",
    also=[
        ("container.runtime-limit-hit", "container:api9"),
        ("container.start-refused", "container:api9"),
        # a probe is started with pipes as well
        ("container.unhealthy", "container:web"),
    ],
)
def pipes_of_containers_that_are_gone(box: Box) -> None:
    """Pipes of containers that are gone have taken the inodes of /run. The command removes them,
    and the container starts; then they are there again."""
    _leave_pipes(box)
    used = int(box.sh("df --output=iused /run | tail -1"))
    box.sh(f"mount -o remount,nr_inodes={used + 2} /run")
    refused = box.docker("run", "-d", "--name=api9", "bb:1.36", "sleep", "1000", check=False)
    assert "no space left on device" in refused.stderr, refused
    found = box.diagnose("check", "storage.inodes-exhausted", "--format", "json").findings
    (finding,) = [each for each in found if each["subject"]["name"] == "/run"]
    box.sh(finding["fix"][0]["command"])
    box.docker("start", "api9")
    assert len(box.sh(f"ls {PIPES} | grep -x '[0-9a-f]*'").split()) == len(
        box.api("/containers/json")
    )
    box.docker("stop", "api9")
    box.sh(f"mount -o remount,nr_inodes={used + 500} /run")
    _leave_pipes(box)
    used = int(box.sh("df --output=iused /run | tail -1"))
    box.sh(f"mount -o remount,nr_inodes={used + 2} /run")
    assert box.docker("start", "api9", check=False).returncode


@healthy()
def pipes_and_room_for_more(box: Box) -> None:
    """The same pipes, in a /run that has inodes for more."""
    _leave_pipes(box)


@fault("storage.deleted-files-held", subject="container:logger")
def deleted_files_held(box: Box) -> None:
    """A process holds a deleted file of 300 MB open."""
    script = (
        "exec 3>/data/x; dd if=/dev/zero of=/data/x bs=1M count=300; rm /data/x; exec sleep 1000"
    )
    box.docker(*SAFE, "--name=logger", "-v", "scratch:/data", "bb:1.36", "sh", "-c", script)
    pid = box.inspect("logger")["State"]["Pid"]
    box.wait_for(
        lambda: "(deleted)" in box.sh(f"readlink /proc/{pid}/fd/3"), 20, "the file to be deleted"
    )


@fault("storage.volumes-unused", subject="volume:old-data", shareable=True)
def volumes_unused(box: Box) -> None:
    """A named volume that no container uses."""
    box.docker("volume", "create", "old-data")
    assert "old-data" in box.docker("volume", "ls", "-q", "-f", "dangling=true").stdout


@healthy()
def volume_of_a_stopped_container(box: Box) -> None:
    """A volume of a stopped container is in use."""
    box.docker(
        "run",
        "--name=job",
        "--memory=64m",
        "--pids-limit=64",
        "-v",
        "results:/data",
        "bb:1.36",
        "true",
    )


@fault("storage.writable-layer-large", subject="container:report", box={"disk": "1500M"})
def writable_layer_large(box: Box) -> None:
    """A container has put 1.1 GB into its own layer."""
    box.docker(
        *SAFE,
        "--name=report",
        "bb:1.36",
        "sh",
        "-c",
        "fallocate -l 1155000000 /dump; exec sleep 1000",
    )
    box.wait_for(
        lambda: "1.1" in box.docker("ps", "-s", "--format={{.Size}}").stdout, 20, "the dump"
    )


@fault("storage.read-only", subject="filesystem:/var/lib/docker", also=["container.*", "kernel.*"])
def read_only(box: Box) -> None:
    """The kernel met an error in the data root's file system and stopped writing to it."""
    device = box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()
    box.run(["mount", "-o", "remount,errors=remount-ro", ROOT])
    box.sh(f"echo lab >/sys/fs/ext4/{Path(device).name}/trigger_fs_error")
    assert box.run(["touch", f"{ROOT}/probe"], check=False).returncode != 0


@fault(
    "storage.read-only",
    subject="filesystem:/srv/accounts",
    expect=[("kernel.filesystem-errors", "filesystem:/srv/accounts")],
    shareable=True,
)
def disk_of_one_mount_read_only(box: Box) -> None:
    """The kernel met an error in a disk beside the data root, which was mounted by a name that the
    kernel does not use."""
    _small_disk(box, "accounts")
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


@fault(
    "storage.overlay-orphans", subject="daemon:docker", engines=Engines(until=28), shareable=True
)
def overlay_orphans(box: Box) -> None:
    """Two layers that an interrupted removal has left; engine 29 has containerd's store."""
    for name in ("6f" * 32, "7a" * 32):
        folder = f"{ROOT}/overlay2/{name}"
        box.sh(f"mkdir -p {folder}/diff; touch -d '2 days ago' {folder}")


@fault(
    "storage.store-leftover",
    subject="daemon:docker",
    engines=Engines(since=26),
    engine_started=False,
    baseline=False,
)
def store_leftover(box: Box) -> None:
    """The engine was switched to containerd's image store; its old images lie where they lay."""
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config=logs)
    box.image("bb:1.36")
    box.stop_engine()
    box.start_engine(config={**logs, **_STORE})
    assert box.docker("images", "-q").stdout == ""
    assert box.sh(f"ls {ROOT}/overlay2").split() != []


@fault("daemon.containers-hidden", subject="daemon:docker", engine_started=False, baseline=False)
def storage_driver_switched(box: Box) -> None:
    """The engine was given another storage driver, and seems empty."""
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config=logs)
    box.docker("create", "--name=hidden-one", "bb:1.36", "true")
    box.docker("create", "--name=hidden-two", "bb:1.36", "true")
    box.stop_engine()
    box.start_engine(config={**logs, "storage-driver": "vfs"})
    assert box.docker("ps", "-aq").stdout == ""
    finding = box.diagnose("check", "daemon.containers-hidden", "--format", "json").findings[0]
    assert "2 containers of overlay2 (hidden-one, hidden-two)" in finding["summary"]


@fault(
    "storage.d-type-missing",
    subject="daemon:docker",
    engines=Engines(until=22),
    engine_started=False,
    baseline=False,
)
def d_type_missing(box: Box) -> None:
    """The data root lies on an ext4 without file types in its folders, and held layers before."""
    box.sh(
        f"truncate -s 300M {ROOT}/disk; mkfs.ext4 -q -O ^filetype {ROOT}/disk; mkdir -p /srv/docker;"
        f" mount -o loop {ROOT}/disk /srv/docker; mkdir -p /srv/docker/overlay2/l"
    )
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config={**logs, "data-root": "/srv/docker", "storage-driver": "overlay2"})
    assert ["Supports d_type", "false"] in box.api("/info")["DriverStatus"]


@fault("storage.shm-full", subject="container:postgres", shareable=True)
def shm_full(box: Box) -> None:
    """A database has used up its 64 MB of shared memory."""
    box.docker(
        "run", "-d", "--name=postgres", "--memory=128m", "--pids-limit=64", "bb:1.36",
        "sh", "-c", "dd if=/dev/zero of=/dev/shm/segment bs=1M count=100; exec sleep 1000",
    )  # fmt: skip
    box.wait_for(
        lambda: "100%" in box.docker("exec", "postgres", "df", "/dev/shm").stdout, 10, "it to fill"
    )


@fault(
    "storage.shm-full", subject="container:resizer", also=["container.unhealthy"], shareable=True
)
def scratch_full(box: Box) -> None:
    """A container has filled its scratch in memory, and its health check writes there too."""
    script = "dd if=/dev/zero of=/scratch/x bs=1M count=9; exec sleep 1000"
    probe = [
        "--health-cmd=head -c 20000 /dev/zero >/scratch/probe",
        "--health-interval=1s",
        "--health-retries=1",
    ]
    box.docker(
        *SAFE, "--name=resizer", "--tmpfs=/scratch:size=2m", *probe, "bb:1.36", "sh", "-c", script
    )
    box.wait_health("resizer", "unhealthy")


def _share(box: Box) -> int:
    """A FUSE mount that answers, and a container with it; returns the server's pid."""
    box.sh("mkdir -p /srv/share")
    pid = box.spawn(
        ["env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "tests.fuse_dead", "/srv/share"]
    )
    box.wait_for(lambda: "/srv/share" in box.sh("cat /proc/self/mountinfo"), what="the mount")
    box.docker(*SAFE, "--name=media", "-v", "/srv/share:/data", "bb:1.36", "sleep", "1000")
    return pid


@fault("storage.network-volume-stale", subject="filesystem:/srv/share", also=["container.*"])
def network_volume_stale(box: Box) -> None:
    """The server behind a container's mount reads requests and answers none."""
    server = _share(box)
    box.sh(f"kill -USR1 {server}")
    stuck = box.spawn(["stat", "-f", "/srv/share"])  # never to be waited for: it cannot be killed
    box.wait_for(
        lambda: "request_wait" in box.read(f"/proc/{stuck}/wchan"), what="stat to wait for ever"
    )


@healthy()
def network_volume_alive(box: Box) -> None:
    """The server behind a container's mount answers."""
    _share(box)
    assert box.run(["stat", "-f", "/srv/share"]).returncode == 0


@healthy(advice=None)
def disks_that_only_look_bad(box: Box) -> None:
    """A full tmpfs that Docker has nothing to do with, reserved blocks, read-only mounts, half of a
    shm, small deleted files."""
    box.sh(
        "mkdir -p /mnt/full /srv/config; mount -t tmpfs -o size=1M none /mnt/full; head -c 2M /dev/zero >/mnt/full/x || true"
    )
    device = box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()
    box.run(["tune2fs", "-m", "30", device])
    script = (
        "dd if=/dev/zero of=/dev/shm/x bs=1M count=30; exec 3>/data/gone; echo gone >&3; rm /data/gone;"
        " dd if=/dev/zero of=/scratch/x bs=1M count=9; exec sleep 1000"
    )
    box.docker(
        "run", "-d", "--name=reader", "--memory=128m", "--pids-limit=64", "--read-only", "-v",
        "/srv/config:/config:ro",
        "-v", "orders:/data", "--tmpfs=/scratch:size=4m", "--restart=unless-stopped", "bb:1.36", "sh", "-c", script,
    )  # fmt: skip
    box.wait_for(
        lambda: "100%" in box.docker("exec", "reader", "df", "/scratch").stdout,
        10,
        "the scratch to fill",
    )
    box.docker(
        "run",
        "-d",
        "--name=mute",
        "--log-driver=none",
        "--memory=64m",
        "--pids-limit=64",
        "bb:1.36",
        "sleep",
        "1000",
    )


def _bound_volume(box: Box, name: str, device: str) -> None:
    """A volume that is a folder of the host."""
    options = [f"--opt={option}" for option in ("type=none", "o=bind", f"device={device}")]
    box.docker("volume", "create", *options, name)


@fault("storage.volume-source-missing", subject="volume:pgdb8", shareable=True)
def folder_of_a_volume_missing(box: Box) -> None:
    """A volume is a folder that nobody made: the engine refuses the container, and leaves none."""
    box.image("bb:1.36")
    _bound_volume(box, "pgdb8", "/srv/pgdb8/db")
    done = box.docker(
        *SAFE, "--name=pg8", "-v", "pgdb8:/data", "bb:1.36", "sleep", "9", check=False
    )
    assert "no such file or directory" in done.stderr


@fault("container.start-refused", subject="container:pg10", shareable=True)
def data_of_a_volume_deleted(box: Box) -> None:
    """Somebody has removed the folder of a volume by hand."""
    box.docker(*SAFE, "--name=pg10", "-v", "pgdb10:/data", "bb:1.36", "sleep", "1000")
    box.docker("stop", "--time=0", "pg10")
    box.sh(f"rm -r {ROOT}/volumes/pgdb10/_data")
    said = box.docker("start", "pg10", check=False).stderr
    assert "evaluating symlinks" in said, said


@healthy(shareable=True)
def folder_of_a_volume(box: Box) -> None:
    """The same volume with its folder."""
    box.sh("mkdir -p /srv/pgdb9/db")
    _bound_volume(box, "pgdb9", "/srv/pgdb9/db")
    box.docker(*SAFE, "--name=pg9", "-v", "pgdb9:/data", "bb:1.36", "sleep", "1000")


# -- disks that are not mounted, or too late ----------------------------------------


def _planned_disk(box: Box, name: str) -> None:
    """A disk with one film, which fstab names and nothing has mounted yet."""
    _small_disk(box, name)
    box.sh(f"echo film >/srv/{name}/film; umount /srv/{name}")
    box.sh(f"echo '/root/{name} /srv/{name} ext4 loop,nofail 0 2' >>/etc/fstab")


@fault("storage.disk-not-mounted", subject="filesystem:/srv/cinema", shareable=True)
def disk_not_mounted_at_boot(box: Box) -> None:
    """The disk of a container's files was not mounted at boot: it sees the empty folder beneath."""
    _planned_disk(box, "cinema")
    box.docker(*SAFE, "--name=cinema", "-v", "/srv/cinema:/films", "bb:1.36", "sleep", "1000")
    assert box.docker("exec", "cinema", "ls", "/films").stdout == ""


@fault("container.mount-stale", subject="container:matinee", shareable=True)
def disk_mounted_after_the_start(box: Box) -> None:
    """A disk was mounted after the start of the container that uses it: the container sees what
    lies beneath."""
    _planned_disk(box, "matinee")
    box.docker(*SAFE, "--name=matinee", "-v", "/srv/matinee:/films", "bb:1.36", "sleep", "1000")
    box.sh("mount /srv/matinee")
    assert box.docker("exec", "matinee", "ls", "/films").stdout == ""
    assert box.sh("ls -A /srv/matinee | grep -c film") == "1\n"


@healthy(shareable=True)
def disks_that_are_where_they_belong(box: Box) -> None:
    """A mounted disk, a link to one, a disk over which a container has another mount, a disk for a
    backup that no container uses, one that a person mounts, and one that comes later to a
    container that sees such mounts."""
    _planned_disk(box, "gallery")
    box.sh("mount /srv/gallery; ln -s gallery /srv/pictures; mkdir /srv/gallery/new")
    _planned_disk(box, "vault")
    box.sh("echo '/dev/sdz9 /srv/archive ext4 noauto 0 2' >>/etc/fstab; mkdir -p /srv/archive")
    mounts = ("-v=/srv/gallery:/films", "-v=/srv/pictures/new:/new", "-v=/srv/archive:/archive")
    box.docker(*SAFE, "--name=gallery", *mounts, "bb:1.36", "sleep", "1000")
    box.sh("mkdir /srv/tour; mount --bind /srv/tour /srv/tour; mount --make-rshared /srv/tour")
    propagating = "type=bind,source=/srv/tour,target=/tour,bind-propagation=rslave"
    box.docker(*SAFE, "--name=tour", "--mount", propagating, "bb:1.36", "sleep", "1000")
    box.sh("mkdir /srv/tour/late; mount --bind /srv/gallery /srv/tour/late")
    assert box.docker("exec", "tour", "ls", "/tour/late").stdout.split() != []


# -- what fills a disk ----------------------------------------


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"})
def stopped_containers_fill_the_disk(box: Box) -> None:
    """The containers of finished jobs were never removed, and each has left files in its layer."""
    work = "dd if=/dev/zero of=/work bs=1M count=22 2>/dev/null"
    for number in range(12):
        box.docker("run", f"--name=job-{number}", "--memory=64m", "bb:1.36", "sh", "-c", work)
    room = box.usage(ROOT)
    assert room.f_bavail < 0.05 * room.f_blocks
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "container prune" in first["fix"][0]["command"]


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"})
def anonymous_volumes_fill_the_disk(box: Box) -> None:
    """Databases were removed without their anonymous volumes, over and over."""
    work = "dd if=/dev/zero of=/data/x bs=1M count=43 2>/dev/null"
    for number in range(6):
        name = f"db-{number}"
        box.docker(
            "run", f"--name={name}", "--memory=64m", "-v", "/data", "bb:1.36", "sh", "-c", work
        )
        box.docker("rm", name)
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "volume rm" in first["fix"][0]["command"]


@fault("storage.disk-full", subject="filesystem:/srv/journals", shareable=True, exit_code=2)
def folder_that_fills_a_disk_is_named(box: Box) -> None:
    """A program's dumps have filled the small disk of a mount: the folder is named."""
    _small_disk(box, "journals")
    box.sh(
        "mkdir -p /srv/journals/app/dumps; head -c 60M /dev/zero >/srv/journals/app/dumps/1 || true"
    )
    box.docker(*SAFE, "--name=dumper", "-v", "/srv/journals:/data", "bb:1.36", "sleep", "1000")
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    summary = next(f["summary"] for f in findings if f["subject"]["name"] == "/srv/journals")
    assert "/srv/journals/app/dumps holds" in summary


# -- quotas ----------------------------------------

_QUOTA_DISK = PROJECT / "tests/data/quota.btrfs.xz"
"""A btrfs of 40 MB with a subvolume `pg`, whose quota is 6 MiB: mkfs.btrfs --mixed, btrfs quota
enable, btrfs qgroup limit."""


def _disk_with_quota(box: Box, name: str) -> None:
    box.path(f"/root/{name}").write_bytes(lzma.decompress(_QUOTA_DISK.read_bytes()))
    box.sh(f"mkdir -p /srv/{name}; mount -o loop /root/{name} /srv/{name}")


@fault(
    "storage.quota-exceeded",
    subject="container:vault-db",
    also=["container.*"],
    shareable=True,
)
def quota_used_up(box: Box) -> None:
    """A database has used up the quota of its subvolume; the disk has room."""
    _disk_with_quota(box, "vaults")
    options = ("--memory=64m", "--pids-limit=64", "-v=/srv/vaults/pg:/data")
    work = "dd if=/dev/zero of=/data/wal bs=1M count=20 conv=fsync"
    box.docker("run", "-d", "--name=vault-db", *options, "bb:1.36", "sh", "-c", work)
    box.wait_state("vault-db", "exited")
    assert "Disk quota exceeded" in box.docker("logs", "vault-db").stderr
    assert box.usage("/srv/vaults").f_bavail > 0.3 * box.usage("/srv/vaults").f_blocks


@fault("container.exits-at-start", subject="container:mailer", shareable=True)
def quota_of_a_mailbox(box: Box) -> None:
    """A program ends over a quota of its own: its disk has none."""
    work = "echo '552 5.2.2 <a@lab.test>: Disk quota exceeded'; exit 1"
    options = ("--memory=64m", "--pids-limit=64", "-v=letters:/letters")
    box.docker("run", "-d", "--name=mailer", *options, "bb:1.36", "sh", "-c", work)
    box.wait_state("mailer", "exited")


@fault("storage.disk-full", subject="filesystem:/srv/crashes", shareable=True, exit_code=2)
def core_dumps_fill_a_disk(box: Box) -> None:
    """A program crashes again and again, and each crash leaves a core dump."""
    _small_disk(box, "crashes")
    dumps = "for i in $(seq 20); do head -c 2M /dev/zero >/srv/crashes/core.$i || break; done"
    box.sh(f"{dumps} || true")
    box.docker(*SAFE, "--name=crasher", "-v", "/srv/crashes:/data", "bb:1.36", "sleep", "1000")
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    summary = next(f["summary"] for f in findings if f["subject"]["name"] == "/srv/crashes")
    assert "core dumps in /srv/crashes hold" in summary


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"}, exit_code=1)
def unfinished_downloads_fill_the_disk(box: Box) -> None:
    """An engine that was killed during pulls has left what it had downloaded."""
    box.sh(f"for i in 1 2 3; do fallocate -l 85M {ROOT}/tmp/GetImageBlob10$i; done")
    box.sh(f"touch -d '3 hours ago' {ROOT}/tmp/GetImageBlob*")
    (first,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert f"find {ROOT}/tmp " in first["fix"][0]["command"]


_TAKE_METADATA = """
import itertools, sys
try:
    for number in itertools.count():
        with open(f"{sys.argv[1]}/mail{number}", "wb") as mail:
            mail.write(b"x" * 1900)
except OSError as full:
    print(full)
"""
"""Files so small that btrfs keeps them in its metadata."""


_CHUNKS = """
cd /srv/mail
for number in $(seq 80); do fallocate -l 5M $0$number || break; done
sync
for number in $(seq 80); do [ $((number % 3)) = 0 ] || rm -f $0$number; done
sync
"""
"""Takes the whole disk for data, and leaves each chunk of 30 MB with something in it."""


def _btrfs(box: Box) -> None:
    """A btrfs of 300 MB at /srv/mail, whose chunks of data are hardly used."""
    box.sh("truncate -s 300M /root/mail; mkfs.btrfs -q -m single /root/mail; mkdir -p /srv/mail")
    box.sh("mount -o loop /root/mail /srv/mail; mkdir /srv/mail/in")
    box.run(["sh", "-c", _CHUNKS, "big"])
    box.docker(*SAFE, "--name=mail", "-v", "/srv/mail:/mail", "bb:1.36", "sleep", "1000")


def _unallocated(box: Box) -> int:
    """Bytes of the disk that no chunk has yet."""
    return int(box.sh("btrfs filesystem usage -b /srv/mail | grep unallocated").split()[-1])


def _take_metadata(box: Box) -> None:
    said = box.run([sys.executable, "-c", _TAKE_METADATA, "/srv/mail/in"], timeout=120).stdout
    assert "No space left on device" in said
    usage = box.usage("/srv/mail")
    assert usage.f_bfree > 0.2 * usage.f_blocks


@fault("storage.inodes-exhausted", subject="filesystem:/srv/mail")
def no_room_for_metadata(box: Box) -> None:
    """A btrfs has given its whole disk away, and many small mails have used up its metadata, while
    df shows room; the command gives the metadata what the data does not use."""
    _btrfs(box)
    _take_metadata(box)
    (finding,) = box.diagnose("check", "storage.inodes-exhausted", "--format", "json").findings
    assert "has no room for new files" in finding["summary"], finding
    assert _unallocated(box) < 64 << 20
    box.sh(finding["fix"][0]["command"], timeout=60)
    assert _unallocated(box) > 64 << 20
    box.run(["sh", "-c", _CHUNKS, "more"])
    _take_metadata(box)


@healthy()
def btrfs_whose_disk_is_given_away(box: Box) -> None:
    """A btrfs has given its whole disk away, and its metadata has room."""
    _btrfs(box)
    assert _unallocated(box) < 64 << 20
