"""File systems that lie in an image file."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.evidence.storage.loop_images import LoopImage, in_image, loop_images
from diagnose.model import Failed
from diagnose.questions import Question
from diagnose.questions.filesystems import Usage
from tests.hosts import Made

FILE = "/mnt/user/system/docker/docker.img"
POINT = "/var/lib/docker"
GIB = 1 << 30


def usage(available: int, *, point: str = POINT, fstype: str = "btrfs", dev: str = "7:2") -> Usage:
    return Usage(
        point,
        fstype,
        "/dev/loop2",
        20 * GIB,
        20 * GIB,
        available,
        available,
        inodes=0,
        inodes_free=0,
        dev=dev,
        read_only=False,
    )


def found(*, dev: str = "7:2", there: bool = True, room: int = 100 * GIB) -> list[LoopImage]:
    def reads(question: Question[Any]) -> Any:
        if question.args["path"] == "/sys/dev/block/7:2/loop/backing_file":
            return {"text": f"{FILE}\n", "size": 1}
        return Failed("missing", "")

    def stats(_: Question[Any]) -> Any:
        return {FILE: {"type": "file", "size": 20 * GIB} if there else {"failed": "missing"}}

    def around(_: Question[Any]) -> Any:
        size = {"size": room, "used": 0, "free": room, "available": room}
        inodes = {"inodes": 0, "inodes_free": 0}
        disk = {"point": "/mnt", "fstype": "xfs", "source": "/dev/sdb1", "dev": "8:17"}
        return {**size, **inodes, **disk, "read_only": False}

    host = Made({"file.read": reads, "file.stats": stats, "fs.usage": around})
    disks = Filesystems((Filesystem(POINT, usage(0, dev=dev), ("data root",)),))
    return list(loop_images(host, disks).by_point.values())


def test_an_image_on_a_larger_disk_can_grow() -> None:
    (image,) = found()
    assert (image.file, image.device, image.size) == (FILE, "/dev/loop2", 20 * GIB)
    assert image.variables == {
        "btrfs_image": FILE,
        "loop": "/dev/loop2",
        "more": "+20G",
        "point": POINT,
    }
    assert FILE in in_image(image)


def test_it_takes_half_of_what_is_left_at_most() -> None:
    (image,) = found(room=5 * GIB)
    assert image.variables["more"] == "+2G"
    (image,) = found(room=GIB)
    assert image.variables == {}


@pytest.mark.parametrize("given", [{"dev": "8:1"}, {"there": False}], ids=["a disk", "unseen"])
def test_other_file_systems(given: dict[str, Any]) -> None:
    assert found(**given) == []
