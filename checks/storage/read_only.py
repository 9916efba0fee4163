"""storage.read-only: a file system that the engine writes to has become read-only."""

from collections.abc import Iterator

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.filesystems import FULL_BY_NATURE, Filesystems
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.mappings import by_key
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Subject
from diagnose.phrases import named
from diagnose.registry import check

OWN_FOLDERS = frozenset({"buildkit", "containerd", "containers", "image", "network", "tmp"})
"""Folders of a data root that the engine writes to itself, for whatever it is asked to do."""
READ_ONLY = {
    "ro": "it is mounted with option ro",
    "emergency_ro": "the kernel has stopped all writing after an error (emergency_ro)",
    "shutdown": "it was shut down after an error (shutdown)",
}
"""Options by which a file system says of itself that nothing can be written, in words
(emergency_ro: ext4 since Linux 6.15)."""


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

    Judged by the file system's own options: a read-only bind mount of a container or a read-only
    root is by design, and so is a disk beside the data root that somebody mounted read-only: after
    an error the mount still says rw. From Linux 6.15 on ext4 says emergency_ro. Where the root
    itself is mounted read-only and its file system is not, the tool runs in a service's sandbox
    (ProtectSystem=strict), where the options of mounts say nothing. A folder that the engine keeps
    its own records in has to be writable, however it is mounted.
    """
    disk = filesystems.of_data_root if filesystems is not None else None
    under_root = mounts.of(disk.point if disk else root.path)
    if under_root is not None:
        by_options = _lost_options(under_root.options) and not _is_sandboxed(mounts)
        if _lost_options(under_root.super) or by_options:
            yield _lost_disk_finding(under_root, "the engine for all its data", (DAEMON,))
    for own in _own_mounts(root, mounts):
        if own != under_root and _lost_options(f"{own.options},{own.super}"):
            yield _lost_disk_finding(own, "the engine for its own records", (DAEMON,))
    for mounted, names in _written_disks(backing, mounts):
        if mounted != under_root and _is_lost_to_writers(mounted):
            yield _lost_disk_finding(mounted, named("container", names))


def _own_mounts(root: DataRoot, mounts: Mounts) -> Iterator[Mounted]:
    """What is mounted at folders of the data root that the engine alone writes to."""
    if _is_sandboxed(mounts):
        return
    for mounted in mounts:
        inside = mounted.point.removeprefix(f"{root.path.rstrip('/')}/")
        is_own = inside != mounted.point and inside.partition("/")[0] in OWN_FOLDERS
        if is_own and inside.count("/") <= 1 and mounted.fstype != "overlay":
            yield mounted


def _written_disks(backing: Backing | None, mounts: Mounts) -> Iterator[tuple[Mounted, list[str]]]:
    """File systems to which running containers may write, each with these containers."""
    writers = by_key(
        (behind.mounted.point, behind.container.name)
        for behind in backing or ()
        if behind.mount.rw and behind.container.is_running
    )
    for point, names in writers.items():
        mounted = mounts.of(point)
        if mounted is not None:
            yield mounted, names


def _is_lost_to_writers(mounted: Mounted) -> bool:
    """Whether a file system went read-only by itself: its mount still says rw."""
    is_writable = "ro" not in mounted.options.split(",") and mounted.fstype not in FULL_BY_NATURE
    return is_writable and bool(_lost_options(mounted.super))


def _is_sandboxed(mounts: Mounts) -> bool:
    base = mounts.of("/")
    return (
        base is not None and "ro" in base.options.split(",") and "ro" not in base.super.split(",")
    )


def _lost_options(options: str) -> frozenset[str]:
    return frozenset(options.split(",")) & READ_ONLY.keys()


def _is_mounted_so(mounted: Mounted) -> bool:
    """Whether somebody mounted it read-only; after an error the mount still says rw."""
    return "ro" in mounted.options.split(",") and _lost_options(mounted.super) <= {"ro"}


def _lost_disk_finding(mounted: Mounted, user: str, touches: tuple[Subject, ...] = ()) -> Finding:
    lost = _lost_options(mounted.super) | _lost_options(mounted.options)
    return Finding(
        subject=Subject("filesystem", mounted.point),
        summary=(
            f"{mounted.point} ({mounted.fstype} on {mounted.source}), used by {user}, is read-only: "
            f"{', '.join(words for option, words in READ_ONLY.items() if option in lost)}"
        ),
        evidence={
            "/proc/self/mountinfo": f"{mounted.point} {mounted.options} {mounted.source} {mounted.super}",
            "used by": user,
        },
        variables={
            "point": mounted.point,
            "device": mounted.source,
            ("remounted" if _is_mounted_so(mounted) else "damaged"): mounted.point,
        },
        signs=frozenset({"read-only", "io-error"}),
        touches=touches,
    )
