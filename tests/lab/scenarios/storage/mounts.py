"""Shared memory, network file systems and the folders of volumes."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy, images
from tests.lab.programs import install_compose
from tests.lab.scenarios.storage.helpers import (
    PROJECT,
    ROOT,
    SAFE,
    boot_before_the_share,
    shared_films,
    small_disk,
)


@fault("storage.shm-full", subject="container:postgres", shareable=True)
def shm_full(box: Box) -> None:
    """A database has used up its 64 MB of shared memory."""
    box.docker(
        "run", "-d", "--name=postgres", "--memory=128m", "--pids-limit=64", "bb:1.36",
        "sh", "-c", "dd if=/dev/zero of=/dev/shm/segment bs=1M count=100; exec sleep 1000",
    )  # fmt: skip
    box.wait_for(
        lambda: "100%" in box.docker("exec", "postgres", "df", "/dev/shm").stdout, what="it to fill"
    )


@fault(
    "storage.shm-full",
    subject="container:resizer",
    also=["container.unhealthy"],
    shareable=True,
    first_command=("half", "four times the size; a program that takes all needs another cure"),
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


@fault("storage.shm-full", subject="container:unpacker", exit_code=1)
def scratch_of_a_program_that_complains(box: Box) -> None:
    """A program has filled its scratch in memory, and prints that there is no space left."""
    box.docker(
        *SAFE, "--name=unpacker", "--tmpfs=/scratch:size=1m", "bb:1.36", "sh", "-c",
        "while :; do cp /bin/busybox /scratch/x; sleep 1; done",
    )  # fmt: skip
    box.wait_for(
        lambda: box.docker("logs", "unpacker").stderr.count("No space") >= 4, what="errors"
    )
    report = box.diagnose("all", "--format", "json").report
    said = [f for f in report["findings"] if f["id"] == "container.errors-in-log"]
    assert not any(f["root"] for f in said), said


@fault("storage.shm-full", subject="container:spooler", exit_code=1)
def scratch_without_inodes(box: Box) -> None:
    """A program has made as many small files as its scratch in memory may have, which is nearly
    empty by its size."""
    box.docker(
        *SAFE, "--name=spooler", "--tmpfs=/spool:size=8m,nr_inodes=40", "bb:1.36", "sh", "-c",
        "n=0; while :; do n=$((n+1)); [ $n -lt 45 ] || sleep 1; echo x >/spool/$n; done",
    )  # fmt: skip
    box.wait_for(lambda: box.docker("logs", "spooler").stderr.count("No space") >= 6, what="errors")


_UNPACK = "dd if=/dev/zero of={}/part bs=1M count=6 || exit 1; exec sleep 1000"


@fault(
    "storage.shm-full",
    subject="container:importer",
    expect=[("storage.shm-full", "container:sorter")],
    also=["container.restart-loop", "container.exits-at-start"],
    shareable=True,
)
def scratch_too_small_to_start(box: Box) -> None:
    """Two programs end because their folder in memory is too small: with their end it is gone."""
    box.docker(*SAFE, "--name=importer", "--tmpfs=/scratch:size=4m", "bb:1.36", "sh", "-c",
        f"sleep 1; {_UNPACK.format('/scratch')}")  # fmt: skip
    box.docker(*SAFE[:-1], "--name=sorter", "--mount=type=tmpfs,target=/scratch,tmpfs-size=4m",
        "bb:1.36", "sh", "-c", _UNPACK.format("/scratch"))  # fmt: skip
    box.wait_state("sorter", "exited")
    box.wait_for(
        lambda: box.docker("logs", "importer").stderr.count("No space left") >= 3, what="errors"
    )


@healthy(shareable=True)
def scratch_large_enough(box: Box) -> None:
    """The same program, with room in its folder in memory."""
    box.docker(*SAFE, "--name=importer-2", "--tmpfs=/scratch:size=16m", "bb:1.36", "sh", "-c",
        _UNPACK.format("/scratch"))  # fmt: skip
    box.wait_for(lambda: "6+0 records out" in box.docker("logs", "importer-2").stderr, what="work")


def mount_share(box: Box) -> int:
    """A FUSE mount that answers, and a container with it; returns the server's pid."""
    box.sh("mkdir -p /srv/share")
    pid = box.spawn(
        ["env", f"PYTHONPATH={PROJECT}", sys.executable, "-m", "tests.fuse_dead", "/srv/share"]
    )
    box.wait_for(lambda: "/srv/share" in box.sh("cat /proc/self/mountinfo"), what="the mount")
    box.docker(*SAFE, "--name=media", "-v", "/srv/share:/data", "bb:1.36", "sleep", "1000")
    return pid


@fault(
    "storage.network-volume-stale",
    subject="filesystem:/srv/share",
    also=["container.*"],
    first_command=("heals", "the same command by hand healed it"),
)
def network_volume_stale(box: Box) -> None:
    """The server behind a container's mount reads requests and answers none."""
    server = mount_share(box)
    box.sh(f"kill -USR1 {server}")
    stuck = box.spawn(["stat", "-f", "/srv/share"])  # never to be waited for: it cannot be killed
    box.wait_for(
        lambda: "request_wait" in box.read(f"/proc/{stuck}/wchan"), what="stat to wait for ever"
    )


@healthy()
def network_volume_alive(box: Box) -> None:
    """The server behind a container's mount answers."""
    mount_share(box)
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
        what="the scratch to fill",
    )
    box.docker(
        "run", "-d", "--name=mute", "--log-driver=none", "--memory=64m", "--pids-limit=64",
        "bb:1.36", "sleep", "1000",
    )  # fmt: skip


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


def _with_database(box: Box, name: str, folder: str) -> None:
    """A container whose volume is a folder with data."""
    box.sh(f"mkdir -p {folder}; echo 16 >{folder}/PG_VERSION")
    _bound_volume(box, name, folder)
    box.docker(*SAFE, f"--name={name}", "-v", f"{name}:/data", "bb:1.36", "sleep", "1000")


@fault(
    "storage.volume-source-missing",
    subject="volume:pgdb11",
    also=["container.start-refused"],
    shareable=True,
)
def folder_of_a_volume_moved(box: Box) -> None:
    """The folder of a volume was moved into one beside it, and the volume keeps its old place."""
    _with_database(box, "pgdb11", "/srv/tier11/db")
    box.docker("stop", "--time=0", "pgdb11")
    box.sh("mkdir /srv/tier11/data; mv /srv/tier11/db /srv/tier11/data/db")
    said = box.docker("start", "pgdb11", check=False).stderr
    assert "no such file or directory" in said, said


@healthy(shareable=True)
def folder_of_a_volume_moved_with_it(box: Box) -> None:
    """The volume was made anew with the place to which its folder was moved."""
    _with_database(box, "pgdb12", "/srv/tier12/db")
    box.docker("rm", "-f", "pgdb12")
    box.docker("volume", "rm", "pgdb12")
    box.sh("mkdir /srv/tier12/data; mv /srv/tier12/db /srv/tier12/data/db")
    _with_database(box, "pgdb12", "/srv/tier12/data/db")


_RELATIVE = """services:
  db:
    image: bb:1.36
    command: ["sleep", "1000"]
    init: true
    mem_limit: 64m
    pids_limit: 64
    restart: unless-stopped
    volumes: ["{volume}:/srv/pgdata"]
volumes: {{{volume}: {{external: true}}}}
"""


def _with_relative_folder(box: Box, number: int) -> str:
    """A project whose volume has a path from the folder of its compose file; its container."""
    install_compose(box)
    images.load(box, "bb:1.36")
    folder, volume = f"/srv/pgdb{number}", f"pgdb{number}"
    box.sh(f"mkdir -p {folder}/db{number}; echo 16 >{folder}/db{number}/PG_VERSION")
    _bound_volume(box, volume, f"./db{number}")
    box.write(f"{folder}/compose.yaml", _RELATIVE.format(volume=volume))
    said = box.sh(f"cd {folder} && docker compose up --detach 2>&1 || true")
    assert "no such file or directory" in said, said
    return f"pgdb{number}-db-1"


@fault("storage.volume-source-missing", subject="volume:pgdb13", also=["container.start-refused"])
def folder_of_a_volume_by_a_relative_path(box: Box) -> None:
    """The path of a volume begins in the folder of its project, and the engine works in /. The
    first command of the report lets the container start."""
    name = _with_relative_folder(box, 14)
    run = box.diagnose("check", "storage.volume-source-missing", "--format", "json")
    (finding,) = run.findings
    box.sh(finding["fix"][0]["command"])
    box.wait_state(name, "running")
    assert "16" in box.docker("exec", name, "cat", "/srv/pgdata/PG_VERSION").stdout
    _with_relative_folder(box, 13)


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


@fault("container.start-refused", subject="container:plex13", shareable=True)
def share_that_came_after_the_start(box: Box) -> None:
    """A share was not mounted yet when the engine started a container again, and is there by now.

    The first command starts the container.
    """
    box.sh("mkdir -p /mnt/nas13/media")
    box.docker(*SAFE, "--name=plex13", "-v", "/mnt/nas13/media:/media", "bb:1.36", "sleep", "1000")
    box.docker("stop", "--time=0", "plex13")
    box.sh("mount -t tmpfs -o ro absent13 /mnt/nas13")
    refused = box.docker("start", "plex13", check=False)
    assert "read-only file system" in refused.stderr, refused.stderr
    box.sh("umount /mnt/nas13")
    (finding,) = box.diagnose(
        "check", "container.start-refused", "--container", "plex13", "--format", "json"
    ).findings
    assert "it is there now" in finding["summary"], finding["summary"]
    assert finding["fix"][0]["command"] == "docker start plex13"


@fault("container.mount-source-missing", subject="container:plex14")
def share_mounted_after_the_boot(box: Box) -> None:
    """At boot the engine started a container again before its share was mounted. The share is there
    by now, and the first command starts the container."""
    shared_films(box, "/mnt/nas14")
    mount = "type=bind,source=/mnt/nas14/media,target=/media"
    box.docker(*SAFE, "--name=plex14", "--mount", mount, "bb:1.36", "sleep", "1000")
    boot_before_the_share(box, "/mnt/nas14", "plex14")
    error = box.wait_state("plex14", "exited")["State"]["Error"]
    assert "stat /mnt/nas14/media: no such file or directory" in error, error
    shared_films(box, "/mnt/nas14")
    check = ("check", "container.mount-source-missing", "--format", "json")
    (finding,) = box.diagnose(*check).findings
    assert "did not exist then; it exists now, on the mount /mnt/nas14" in finding["summary"]
    assert finding["fix"][0]["command"] == "docker start plex14", finding["fix"]


@healthy()
def share_that_came_late_and_a_container_that_was_started_since(box: Box) -> None:
    """The same boot; somebody has mounted the share and started the container."""
    shared_films(box, "/mnt/nas15")
    mount = "type=bind,source=/mnt/nas15/media,target=/media"
    box.docker(*SAFE, "--name=plex15", "--mount", mount, "bb:1.36", "sleep", "1000")
    boot_before_the_share(box, "/mnt/nas15", "plex15")
    box.wait_state("plex15", "exited")
    shared_films(box, "/mnt/nas15")
    box.docker("start", "plex15")
    assert box.docker("exec", "plex15", "cat", "/media/film").stdout == "film\n"


def _planned_disk(box: Box, name: str) -> None:
    """A disk with one film, which fstab names and nothing has mounted yet."""
    small_disk(box, name)
    box.sh(f"echo film >/srv/{name}/film; umount /srv/{name}")
    box.sh(f"echo '/root/{name} /srv/{name} ext4 loop,nofail 0 2' >>/etc/fstab")


@fault("storage.disk-not-mounted", subject="filesystem:/srv/cinema", shareable=True)
def disk_not_mounted_at_boot(box: Box) -> None:
    """The disk of a container's files was not mounted at boot: it sees the empty folder beneath."""
    _planned_disk(box, "cinema")
    box.docker(*SAFE, "--name=cinema", "-v", "/srv/cinema:/films", "bb:1.36", "sleep", "1000")
    assert box.docker("exec", "cinema", "ls", "/films").stdout == ""


@fault(
    "storage.disk-not-mounted",
    subject="filesystem:/srv/tunnel",
    also=["container.mount-source-missing", "container.restart-loop"],
    shareable=True,
)
def settings_on_a_disk_that_is_not_mounted(box: Box) -> None:
    """The settings of a program lie on a disk that is not mounted: the program fails for it."""
    _planned_disk(box, "tunnel")
    complaint = "Options error: Error opening configuration file: /etc/vpn/server.conf"
    program = f"cat /etc/vpn/server.conf || {{ echo '{complaint}'; exit 1; }}"
    options = ("--restart=always", "--name=tunnel", "-v", "/srv/tunnel:/etc/vpn")
    box.docker(*SAFE, *options, "bb:1.36", "sh", "-c", program)
    box.wait_for(lambda: box.inspect("tunnel")["RestartCount"] > 3, what="the restarts")
    loop = box.diagnose("check", "container.restart-loop", "--format", "json").findings
    assert any("server.conf" in str(finding["evidence"]) for finding in loop)


@fault("container.mount-stale", subject="container:matinee", shareable=True)
def disk_mounted_after_the_start(box: Box) -> None:
    """A disk was mounted after the start of the container that uses it: the container sees what
    lies beneath."""
    _planned_disk(box, "matinee")
    box.docker(*SAFE, "--name=matinee", "-v", "/srv/matinee:/films", "bb:1.36", "sleep", "1000")
    box.sh("mount /srv/matinee")
    assert box.docker("exec", "matinee", "ls", "/films").stdout == ""
    assert box.sh("ls -A /srv/matinee | grep -c film") == "1\n"


@fault("container.mount-stale", subject="container:samba", shareable=True)
def disk_replaced_under_a_container(box: Box) -> None:
    """A disk was unmounted and another one mounted in its place: the container keeps the first."""
    _planned_disk(box, "usb")
    box.sh("mount /srv/usb; echo first >/srv/usb/list")
    box.docker(*SAFE, "--name=samba", "-v", "/srv/usb:/share", "bb:1.36", "sleep", "1000")
    _planned_disk(box, "spare")
    box.sh("mount /srv/spare; echo second >/srv/spare/list")
    box.sh("umount /srv/usb; umount /srv/spare; mount -o loop /root/spare /srv/usb")
    assert box.docker("exec", "samba", "cat", "/share/list").stdout == "first\n"
    assert box.read("/srv/usb/list") == "second\n"


@fault("container.mount-stale", subject="container:jelly", shareable=True)
def share_mounted_again_under_a_volume(box: Box) -> None:
    """A volume is a folder of a share that was mounted again: the container keeps the first one."""
    share = "mount -t tmpfs nas:/export /mnt/nas; mkdir /mnt/nas/films"
    box.sh(f"mkdir -p /mnt/nas; {share}; touch /mnt/nas/films/first")
    options = (
        word
        for option in ("type=none", "o=bind", "device=/mnt/nas/films")
        for word in ("--opt", option)
    )
    box.docker("volume", "create", *options, "films")
    box.docker(*SAFE, "--name=jelly", "-v", "films:/films", "bb:1.36", "sleep", "1000")
    box.sh(f"umount -l /mnt/nas; {share}; touch /mnt/nas/films/second")
    assert box.docker("exec", "jelly", "ls", "/films").stdout == "first\n"


@fault("container.mount-stale", subject="container:plex", shareable=True)
def disk_unmounted_under_a_container(box: Box) -> None:
    """A disk was unmounted on the host, and a container writes to it all the same."""
    box.sh("truncate -s 32M /root/shelf; mkfs.ext4 -q /root/shelf")
    box.sh(
        "mkdir -p /media/shelf/new; mount -o loop /root/shelf /media/shelf; mkdir /media/shelf/new"
    )
    options = ("--name=plex", "-v", "/media/shelf/new:/new")
    box.docker(*SAFE, *options, "bb:1.36", "sleep", "1000")
    box.sh("umount /media/shelf")
    box.docker("exec", "plex", "touch", "/new/film")
    assert box.sh("ls /media/shelf/new") == ""


@healthy(shareable=True)
def disks_that_are_where_they_belong(box: Box) -> None:
    """A mounted disk, a link to one, a disk over which a container has another mount, a disk for a
    backup that no container uses, one that a person mounts, and one that comes later to a
    container that sees such mounts. A disk is mounted again: it is still the same."""
    _planned_disk(box, "gallery")
    box.sh("mount /srv/gallery; ln -s gallery /srv/pictures; mkdir /srv/gallery/new")
    _planned_disk(box, "vault")
    box.sh("echo '/dev/sdz9 /srv/archive ext4 noauto 0 2' >>/etc/fstab; mkdir -p /srv/archive")
    mounts = ("-v=/srv/gallery:/films", "-v=/srv/pictures/new:/new", "-v=/srv/archive:/archive")
    box.docker(*SAFE, "--name=gallery", *mounts, "bb:1.36", "sleep", "1000")
    box.sh("umount /srv/gallery; mount /srv/gallery")
    box.sh("mkdir /srv/tour; mount --bind /srv/tour /srv/tour; mount --make-rshared /srv/tour")
    propagating = "type=bind,source=/srv/tour,target=/tour,bind-propagation=rslave"
    box.docker(*SAFE, "--name=tour", "--mount", propagating, "bb:1.36", "sleep", "1000")
    box.sh("mkdir /srv/tour/late; mount --bind /srv/gallery /srv/tour/late")
    assert box.docker("exec", "tour", "ls", "/tour/late").stdout.split() != []


_ASKS_FOR_ITS_OWNER = (
    "[ $(stat -c %u /bin/sudo) = 0 ] && exec sleep 1000; "
    "echo 'sudo: /bin/sudo must be owned by uid 0 and have the setuid bit set' >&2; sleep 1; exit 1"
)


@fault("storage.owners-changed", subject="daemon:docker", also=["container.*"])
def owners_changed(box: Box) -> None:
    """Somebody ran chown -R over the data root; a program looks whether root owns its file."""
    images.load(box, "tools:1", images.Recipe(files={"bin/sudo": (b"#!/bin/sh\n", 0o4755)}))
    box.docker(
        *SAFE, "--name=tools", "--restart=always", "tools:1", "sh", "-c", _ASKS_FOR_ITS_OWNER
    )
    box.sh(f"chown -R 1000:1000 {ROOT}")
    box.docker("restart", "-t", "0", "tools")
    box.wait_for(
        lambda: "must be owned" in box.docker("logs", "tools").stderr, what="its complaint"
    )
    box.wait_for(lambda: box.inspect("tools")["RestartCount"] > 1, what="the second failure")
    (finding,) = box.diagnose("check", "storage.owners-changed", "--format", "json").findings
    assert "belongs to user 1000" in finding["summary"], finding
    assert 'container "tools" cannot work with that' in finding["summary"], finding


@healthy(engine_started=False)
def root_of_a_user(box: Box) -> None:
    """A user has made the folder for the data root; what the engine makes in it belongs to root."""
    box.sh(f"chown 1000:1000 {ROOT}")
    box.start_engine()
    box.sh(f"chown 1000:1000 {ROOT}")
    assert box.sh(f"stat -c %u {ROOT} {ROOT}/containers").split() == ["1000", "0"]


@fault(
    "container.mount-stale",
    subject="container:ledger87",
    also=["container.errors-in-log"],
    shareable=True,
)
def volume_whose_folder_was_deleted(box: Box) -> None:
    """Somebody has deleted the folder of a volume while a program writes there."""
    script = "while :; do date >/data/now; sleep 1; done"
    box.docker(*SAFE, "--name=ledger87", "-v=ledger87:/data", "bb:1.36", "sh", "-c", script)
    box.sh(f"rm -rf {ROOT}/volumes/ledger87/_data")
    box.wait_for(lambda: "create /data/now" in box.docker("logs", "ledger87").stderr, what="errors")
