"""File systems that lie in an image file, as Unraid keeps its data root (docker.img)."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems
from diagnose.model import Failed, PageVariables
from diagnose.phrases import size
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text, path_statuses
from diagnose.questions.filesystems import StatFilesystem
from diagnose.registry import evidence

LOOP_MAJOR = "7:"
"""The number of loop devices (Documentation/admin-guide/devices.txt)."""
_COMMANDS = {"ext4": "ext_image", "xfs": "xfs_image", "btrfs": "btrfs_image"}
"""By file system, the variable of the page's block that enlarges it."""
LEAST = 1 << 30
"""Less is not worth the change."""
MOST = 20 << 30


class LoopImage(msgspec.Struct, frozen=True):
    """The image file of a mounted file system. Sizes in bytes."""

    file: str
    device: str
    """The loop device, such as /dev/loop2."""
    fstype: str
    point: str
    size: int
    room: int
    """Bytes that are available on the file system that holds the file."""

    @property
    def variables(self) -> PageVariables:
        """The page variables that enlarge it; empty where there is no room for that.

        By half of the available bytes, and by 20 GiB at most.
        """
        more = min(self.room // 2, MOST) >> 30 << 30
        if more < LEAST or self.fstype not in _COMMANDS:
            return {}
        return {
            _COMMANDS[self.fstype]: self.file,
            "loop": self.device,
            "more": f"+{more >> 30}G",
            "point": self.point,
        }


class LoopImages(msgspec.Struct, frozen=True):
    """The loop images by mount point."""

    by_point: Mapping[str, LoopImage] = msgspec.field(default_factory=dict)


def in_image(image: LoopImage | None) -> str:
    """The image file under a file system, as the end of a sentence; "" without one."""
    if image is None:
        return ""
    place_clause = f"; it lies in the image file {image.file}, which has {size(image.size)}"
    return f"{place_clause}, while the disk around it has {size(image.room)} free"


@evidence
def loop_images(host: Host, filesystems: Filesystems) -> LoopImages:
    """The image files under file systems on a loop device, if the file can be seen."""
    images = (_image(host, disk) for disk in filesystems if disk.usage.dev.startswith(LOOP_MAJOR))
    return LoopImages({image.point: image for image in images if image is not None})


def _image(host: Host, disk: Filesystem) -> LoopImage | None:
    """The image file behind a loop device, and the room around that file."""
    name = f"/sys/dev/block/{disk.usage.dev}/loop/backing_file"
    file = file_text(host, name).strip()
    if not file.startswith("/"):
        return None
    status = path_statuses(host, [file]).get(file)
    enclosing = host.ask(StatFilesystem(file))
    if status is None or status.failed or isinstance(enclosing, Failed):
        return None
    number = disk.usage.dev.removeprefix(LOOP_MAJOR)
    return LoopImage(
        file,
        disk.usage.source or f"/dev/loop{number}",
        fstype=disk.usage.fstype or "",
        point=disk.point,
        size=status.size,
        room=enclosing.available,
    )
