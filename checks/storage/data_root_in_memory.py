"""storage.data-root-in-memory: a reboot deletes everything that the engine keeps."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import named, sentence
from diagnose.registry import check

_IN_MEMORY = ("tmpfs", "ramfs")


@check("storage.data-root-in-memory", severity=Severity.advice, posture=True)
def data_root_in_memory(
    root: DataRoot, mounts: Mounts, containers: Containers | None
) -> CheckResult:
    """The data root is in memory: a reboot deletes all images and volumes.

    It is a tmpfs of its own, or a folder of one, as where /var is in memory. Builders are set up so
    on purpose; a server that was set up from their image loses its databases at the first reboot.
    The root of a live system, an overlay whose changes are in memory, is not recognised.
    """
    disk = mounts.of(root.path)
    if disk is None or disk.fstype not in _IN_MEMORY:
        return None
    volumes = sorted(set(_volumes(containers)))
    yield Finding(
        subject=DAEMON,
        summary=sentence(
            f"the data root {root.path} is in memory ({disk.fstype}): "
            "a reboot deletes all images, containers and volumes",
            f"{named('volume', volumes)} would be lost" if volumes else "",
        ),
        evidence=present({"mount": f"{disk.fstype} at {disk.point}", "volumes in use": volumes}),
        variables={"root": root.path, **_copy(root.path, disk, mounts)},
    )


def _volumes(containers: Containers | None) -> Iterator[str]:
    """The local volumes that containers use and that have a name of their own."""
    for container in containers or ():
        for mount in container.mounts:
            if mount.driver == "local" and not mount.is_anonymous:
                yield from (volume.name for volume in mount.volumes)


def _copy(root: str, disk: Mounted, mounts: Mounts) -> PageVariables:
    """The page variable with the folder for a copy until the tmpfs is unmounted; empty where no
    disk lies beneath."""
    beside = mounts.of(str(PurePosixPath(root).parent))
    is_own_mount = disk.point == root
    if not is_own_mount or beside is None or beside.fstype in _IN_MEMORY:
        return {}
    return {"copy": f"{root}.copy"}
