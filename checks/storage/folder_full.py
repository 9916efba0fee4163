"""storage.folder-full: one folder holds so many files that ext4 takes no more names."""

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.block_devices import BlockDevices
from diagnose.evidence.storage.filesystem_errors import FullIndex, full_indexes
from diagnose.file_paths import is_within
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Seconds, Severity, Subject
from diagnose.phrases import how_often, named, sentence
from diagnose.registry import check

NO_SPACE = "no space left on device"


@check(
    "storage.folder-full",
    severity=Severity.critical,
    causes=(
        "container.crashed",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.restarts-exhausted",
        "daemon.errors-in-log",
    ),
)
def folder_full(
    kernel_log: KernelLog,
    disks: BlockDevices,
    containers: Containers | None,
    clock: Clock,
    options: Options,
    *,
    late: Seconds = Seconds(3600),
) -> CheckResult:
    """A folder takes no more files: the index of ext4 is full.

    Programs see "No space left on device", although blocks and inodes are free: an ext4 folder
    without the feature large_dir takes some millions of names, and fewer long ones. The kernel
    names the device and the number of the folder. It is critical within `late` of its last line,
    and a warning afterwards. Messages of the kernel from before the present mount do not count.
    """
    for folder in full_indexes(kernel_log, disks, clock.wall - options.since_s):
        point = folder.mounted.point
        users = [container for container in containers or () if _writes_below(container, point)]
        is_late = clock.wall - folder.last_at > late
        yield _finding(folder, users, clock, Severity.warning if is_late else Severity.critical)


def _writes_below(container: Container, point: str) -> bool:
    """Whether a container may write below this mount; for the root this is not known."""
    return point != "/" and any(
        is_within(mount.source, point) for mount in container.writable_host_mounts
    )


def _finding(
    folder: FullIndex, users: list[Container], clock: Clock, severity: Severity
) -> Finding:
    point = folder.mounted.point
    folder_clause = f"folder {folder.inode} of {point}" if folder.inode else f"a folder of {point}"
    writers_clause = f"{named('container', names_of(users))} may write there" if users else ""
    return Finding(
        subject=Subject("filesystem", point),
        summary=sentence(
            f"{folder_clause} accepts no more files, last {clock.ago(folder.last_at)}: its index "
            "is full, although the disk has room",
            writers_clause,
        ),
        evidence={"kernel log": folder.line, "the kernel has logged it": how_often(folder.times)},
        severity=severity,
        variables=present({"point": point, "inode": folder.inode}),
        discriminator=folder.inode,
        touches=subjects_of(users),
        signs=signs(NO_SPACE),
    )
