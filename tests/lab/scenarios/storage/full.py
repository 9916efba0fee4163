"""Disks that are full, and full ones that harm nobody."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.scenarios.storage.helpers import ROOT, SAFE, small_disk


def fill_disk(box: Box, path: str, pct: float) -> None:
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
    fill_disk(box, f"{ROOT}/volumes/orders/_data/orders.db", 99)
    said = box.docker(
        "exec", "store", "dd", "if=/dev/zero", "of=/data/more", "bs=1M", "count=50", check=False
    )
    assert "No space left" in said.stderr


@fault("storage.disk-full", subject="filesystem:/var/lib/docker", box={"disk": "300M"}, exit_code=1)
def disk_nearly_full(box: Box) -> None:
    """The data root's file system is at 88 percent: a warning."""
    box.docker(*SAFE, "--name=store", "-v", "orders:/data", "bb:1.36", "sleep", "1000")
    fill_disk(box, f"{ROOT}/volumes/orders/_data/orders.db", 88)


@fault(
    "storage.disk-full",
    subject="filesystem:/mnt",
    box={"disk": "300M"},
    baseline=False,
    engine_started=False,
    exit_code=2,
)
def disk_full_of_an_old_data_root(box: Box) -> None:
    """The data root was moved to another folder of the disk, and the old one was kept."""
    box.start_engine()
    images.load(box, "shop:old", Recipe({"assets": (bytes(240_000_000), 0o644)}))
    box.stop_engine()
    box.sh(f"mkdir -p /mnt {ROOT}/new; mount --bind {ROOT} /mnt")
    box.start_engine(config={"data-root": "/mnt/new", "log-opts": {"max-size": "10m"}})
    box.docker(*SAFE, "--name=web", "bb:1.36", "sleep", "1000")
    fill_disk(box, "/mnt/new/x", 98)
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert f"; {ROOT} holds 2" in finding["summary"], finding["summary"]
    assert finding["fix"][0]["command"] == f"rm -rf {ROOT}/overlay2 {ROOT}/image"


@fault("storage.disk-full", subject="filesystem:/srv/ledger")
def disk_of_one_mount_full(box: Box) -> None:
    """A container has filled the small disk that one of its mounts lies on; the data root has
    room."""
    small_disk(box, "ledger")
    fill = "dd if=/dev/zero of=/data/x bs=1M count=100; exec sleep 1000"
    box.docker(*SAFE, "--name=ledger", "-v", "/srv/ledger:/data", "bb:1.36", "sh", "-c", fill)
    box.wait_for(
        lambda: "No space left" in box.docker("logs", "ledger").stderr, what="the disk to fill"
    )


@fault("storage.disk-full", subject="filesystem:/srv/parts", shareable=True)
def disk_behind_a_link_full(box: Box) -> None:
    """A container has filled a disk that it was given by the name of a symbolic link."""
    small_disk(box, "parts")
    box.sh("ln -s srv/parts /parts")
    fill = "dd if=/dev/zero of=/data/x bs=1M count=100; exec sleep 1000"
    box.docker(*SAFE, "--name=parts", "-v", "/parts:/data", "bb:1.36", "sh", "-c", fill)
    box.wait_for(
        lambda: "No space left" in box.docker("logs", "parts").stderr, what="the disk to fill"
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
    (finding,) = [finding for finding in run.findings if finding["subject"]["name"] == "/srv/films"]
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
    """xfs keeps 64 MiB for its log, ext4 a part for its inodes: that leaves no room for growth, and
    a partition that another one follows has none either."""
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
    small_disk(box, "films")
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
    fill_disk(box, f"{ROOT}/volumes/orders/_data/orders.db", 78)
