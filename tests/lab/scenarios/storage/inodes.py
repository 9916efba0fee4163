"""File systems without a free inode, or without room for metadata."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG, healthy_container
from tests.lab.scenarios.storage.helpers import ROOT, SAFE

TAKE_INODES = """
import itertools, os, sys
try:
    for number in itertools.count():
        os.mknod(f"{sys.argv[1]}/f{number}")
except OSError:
    pass
"""


@fault(
    "storage.inodes-exhausted",
    subject="filesystem:/var/lib/docker",
    box={"disk": "300M", "inodes": 4000},
)
def inodes_exhausted(box: Box) -> None:
    """Thousands of empty files in a volume have taken the last inode."""
    box.docker(*SAFE, "--name=cache", "-v", "cache:/data", "bb:1.36", "sleep", "1000")
    box.run([sys.executable, "-c", TAKE_INODES, f"{ROOT}/volumes/cache/_data"])
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
    (finding,) = [finding for finding in found if finding["subject"]["name"] == "/run"]
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


@fault("storage.folder-full", subject="filesystem:/srv/letters", also=["container.*"], exit_code=2)
def folder_with_too_many_files(box: Box) -> None:
    """A folder of ext4 takes no more names, while blocks and inodes are free."""
    box.sh(
        "truncate -s 500M /letters.img && mkfs.ext4 -q -m 0 -b 1024 -N 100000 /letters.img "
        "&& mkdir -p /srv/letters && mount -o loop /letters.img /srv/letters"
    )
    code = (
        "import os\nos.makedirs('/srv/letters/new')\n"
        "try:\n  for n in range(90000): open('/srv/letters/new/%s%08d' % ('m' * 230, n), 'w').close()\n"
        "except OSError as error: print(error.strerror)\n"
    )
    said = box.run(["/usr/bin/python3", "-c", code], timeout=120).stdout
    assert "No space left on device" in said, said
    free = box.sh("df --output=ipcent /srv/letters | tail -n 1")
    assert int(free.strip().rstrip("%")) < 90


def _on_a_disk_with_other_folders(box: Box) -> None:
    """The data root lies on a disk of 6,000 inodes, beside folders that containers mount."""
    box.sh(
        "truncate -s 300M /root/data.img; mkfs.ext4 -q -m 0 -N 6000 /root/data.img;"
        " mkdir -p /data; mount -o loop /root/data.img /data; mkdir -p /data/gogs/git"
    )
    box.start_engine(config={**BASE_CONFIG, "data-root": "/data/docker"})
    healthy_container(box, "web", 8080)
    mount = "/data/gogs:/var/opt/gogs"
    box.docker(*SAFE, "--name=gogs", "-v", mount, "bb:1.36", "sleep", "1000")


@fault("storage.inodes-exhausted", subject="filesystem:/data", engine_started=False, baseline=False)
def folder_beside_the_data_root_has_the_inodes(box: Box) -> None:
    """A folder that a container mounts, on the disk of the data root, has taken the last inode: it
    is named, and no prune is proposed."""
    _on_a_disk_with_other_folders(box)
    box.run([sys.executable, "-c", TAKE_INODES, "/data/gogs/git"])
    found = box.diagnose("check", "storage.inodes-exhausted", "--format", "json").findings
    (finding,) = [finding for finding in found if finding["subject"]["name"] == "/data"]
    assert '/data/gogs, mounted by container "gogs", has' in finding["summary"], finding
    assert not any("prune" in step["command"] for step in finding["fix"]), finding


@healthy(engine_started=False, baseline=False)
def folder_beside_the_data_root_with_room(box: Box) -> None:
    """The same disk, with inodes to spare."""
    _on_a_disk_with_other_folders(box)
    box.run(
        [
            sys.executable,
            "-c",
            TAKE_INODES.replace("itertools.count()", "range(900)"),
            "/data/gogs/git",
        ]
    )
