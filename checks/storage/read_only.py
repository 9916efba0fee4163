"""storage.read-only: a file system that the engine writes to has become read-only."""

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import Filesystems
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.read_only_disks import (
    READ_ONLY,
    is_lost_to_writers,
    is_mounted_read_only,
    is_sandboxed,
    lost_options,
    own_mounts,
    written_disks,
)
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Subject
from diagnose.phrases import named
from diagnose.registry import check


@check(
    "storage.read-only",
    severity=Severity.critical,
    caused_by=["kernel.filesystem-errors"],
    causes=[
        "container.restart-loop",
        "container.unhealthy",
        "daemon.not-running",
        "container.exits-at-start",
    ],
)
def read_only(
    root: DataRoot, mounts: Mounts, filesystems: Filesystems | None, backing: Backing | None
) -> CheckResult:
    """A file system that Docker writes to can no longer be written to.

    The check judges by the file system's own options: a read-only bind mount of a container or a
    read-only root is by design, and so is a disk beside the data root that somebody mounted
    read-only: after an error the mount still says rw. From Linux 6.15 on ext4 says emergency_ro.
    Where the root itself is mounted read-only and its file system is not, the tool runs in a
    service's sandbox (ProtectSystem=strict), where the options of mounts say nothing. A folder that
    the engine keeps its own records in has to be writable, however it is mounted.
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    under_root = mounts.of(disk.point if disk else root.path)
    if under_root is not None and _is_lost_to_engine(under_root, mounts):
        yield _lost_disk_finding(under_root, "the engine for all its data", (DAEMON,))
    for own_mount in own_mounts(root, mounts):
        if own_mount != under_root and lost_options(f"{own_mount.options},{own_mount.super}"):
            yield _lost_disk_finding(own_mount, "the engine for its own records", (DAEMON,))
    for mounted, names in written_disks(backing, mounts):
        if mounted != under_root and is_lost_to_writers(mounted):
            yield _lost_disk_finding(mounted, named("container", names))


def _is_lost_to_engine(mounted: Mounted, mounts: Mounts) -> bool:
    """Whether a file system is read-only by its own options, or by those of its mount.

    In the sandbox of a service the options of mounts say nothing.
    """
    if lost_options(mounted.super):
        return True
    return bool(lost_options(mounted.options)) and not is_sandboxed(mounts)


def _lost_disk_finding(mounted: Mounted, user: str, touches: tuple[Subject, ...] = ()) -> Finding:
    options = lost_options(mounted.super) | lost_options(mounted.options)
    return Finding(
        subject=Subject("filesystem", mounted.point),
        summary=(
            f"{mounted.point} ({mounted.fstype} on {mounted.source}), used by {user}, is read-only: "
            f"{', '.join(words for option, words in READ_ONLY.items() if option in options)}"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mounted.point} {mounted.options} {mounted.source} {mounted.super}",
            "used by": user,
        },
        variables={
            "point": mounted.point,
            "device": mounted.source,
            ("remounted" if is_mounted_read_only(mounted) else "damaged"): mounted.point,
        },
        signs=frozenset({"read-only", "io-error"}),
        touches=touches,
    )
